/** The user store on Redis: users are spread over the slots like partitions, and what must be atomic is one Lua script each. */
import type { RedisConnection } from "../redis/connection.js";
import type { UserRecord } from "../../machines/users/user-record.js";
import { DEFAULT_PREFIX, type UserKeys, userKeys } from "../store/keys.js";
import type { Deployment } from "../store/partition-store.js";
import { Script } from "../store/redis/script.js";
import { toUnavailable } from "../store/redis/unavailable.js";
import { userShardOf } from "../store/session-key.js";
import {
  type DueChange,
  MAX_USERS,
  type UserChange,
  type UserChanged,
  type UserId,
  type UserSession,
  type UserStore,
} from "./user-store.js";
import { noteText, readNote, readRecord, readSessionField, recordText, sessionField, userField } from "./user-text.js";

const SCRIPTS = {
  "user-change": new Script("user-change", { isConfirmed: true }),
  "user-done": new Script("user-done"),
  "user-forget": new Script("user-forget", { isConfirmed: true }),
  "user-join": new Script("user-join", { isConfirmed: true }),
};

type ChangeReply = [code: 0 | 1 | 3] | [code: 2, record: string] | [code: 4, note: string];

export interface RedisUserStoreOptions {
  readonly prefix?: string;
  readonly deployment: Deployment;
}

export class RedisUserStore implements UserStore {
  readonly #redis: RedisConnection;
  readonly #deployment: Deployment;
  readonly #keys: readonly UserKeys[];

  /** @param redis as the partition store's: a connection that never repeats a command by itself */
  constructor(redis: RedisConnection, { prefix = DEFAULT_PREFIX, deployment }: RedisUserStoreOptions) {
    this.#redis = redis;
    this.#deployment = deployment;
    this.#keys = Array.from({ length: deployment.partitionCount }, (_, shard) => userKeys(prefix, shard));
  }

  async change(change: UserChange): Promise<UserChanged> {
    const { next, told, time, fingerprint } = change;
    const { clock, dedupeWindowMs, dedupeLimit } = this.#deployment;
    const { records, due, meta, seen, sessions } = this.#keysOf(change);
    const field = userField(change);
    const keys = [records, due, meta, ...seen, sessions(field)];
    let stored = (await this.#ask("change", false, this.#redis.hget(records, field))) ?? "";
    for (;;) {
      const before = readRecord(stored);
      const record = next(before, clock === "event" ? time : Date.now());
      const isChange = record !== undefined && record !== before;
      if (!isChange && fingerprint === null) return { status: "unchanged", record: before };
      const notes = isChange
        ? [noteText(record.version, { time, ...(told && { told }) }), noteText(record.version, { time })]
        : ["", ""];
      const [code, text] = (await this.#run("user-change", true, keys, [
        field,
        stored,
        isChange ? recordText(record) : stored,
        ...notes,
        dedupeWindowMs,
        dedupeLimit,
        fingerprint?.id ?? "",
        fingerprint?.body ?? "",
      ])) as ChangeReply;
      if (code === 0 || code === 1) return { status: code === 0 ? "duplicate" : "conflict" };
      if (code === 2) stored = text;
      else if (!isChange) return { status: "unchanged", record: before };
      else return { status: "changed", record, due: code === 4 ? readNote(field, text) : null };
    }
  }

  async read(user: UserId): Promise<UserRecord | undefined> {
    return readRecord(await this.#ask("read", false, this.#redis.hget(this.#keysOf(user).records, userField(user))));
  }

  async readMany(tenant: string, users: readonly string[]): Promise<(UserRecord | undefined)[]> {
    checkUsers(users.length);
    return this.#byShard(
      users.map((user) => ({ tenant, user })),
      (keys, some) => this.#ask("readMany", false, this.#redis.hmget(keys.records, ...some.map(userField))),
    );
  }

  async join(
    tenant: string,
    sessions: readonly (UserSession & { readonly user: string })[],
  ): Promise<(UserRecord | undefined)[]> {
    checkUsers(sessions.length);
    return this.#byShard(
      sessions.map((session) => ({ ...session, tenant })),
      async (keys, some) => {
        const fields = some.map(userField);
        const argv = [...fields, ...some.map(sessionField)];
        const reply = await this.#run(
          "user-join",
          true,
          [keys.records, ...fields.map((field) => keys.sessions(field))],
          argv,
        );
        return reply as (string | null)[];
      },
    );
  }

  async sessionsOf(
    user: UserId,
    from: string | null,
    count: number,
  ): Promise<{ sessions: UserSession[]; next: string | null }> {
    const key = this.#keysOf(user).sessions(userField(user));
    const [next, pairs] = await this.#ask("sessionsOf", false, this.#redis.hscan(key, from ?? "0", "COUNT", count));
    const fields = pairs.filter((_, index) => index % 2 === 0);
    return { sessions: fields.map(readSessionField), next: next === "0" ? null : next };
  }

  async forget(user: UserId, sessions: readonly UserSession[] | "all"): Promise<{ record: boolean; sessions: number }> {
    const { records, due, sessions: index } = this.#keysOf(user);
    const field = userField(user);
    const keys = [records, due, index(field)];
    if (sessions === "all") {
      const [record, gone] = (await this.#run("user-forget", true, keys, [field])) as [number, number];
      return { record: record === 1, sessions: gone };
    }
    let gone = 0;
    for (let from = 0; from < sessions.length; from += MAX_USERS) {
      const some = sessions.slice(from, from + MAX_USERS).map(sessionField);
      gone += await this.#ask("forget", true, this.#redis.hdel(index(field), ...some));
    }
    return { record: false, sessions: gone };
  }

  async toldAll(user: UserId, version: number): Promise<void> {
    await this.#run("user-done", true, [this.#keysOf(user).due], [userField(user), version]);
  }

  /** Positions are `<shard>:<position within it>`. Shards with nothing due are passed over within one call. */
  async due(from: string | null, count: number): Promise<{ changes: DueChange[]; next: string | null }> {
    const [shardText = "0", cursor = "0"] = from?.split(":") ?? [];
    let shard = Number(shardText);
    let position = cursor;
    for (;;) {
      const { due } = this.#keys[shard] as UserKeys;
      const [next, pairs] = await this.#ask("due", false, this.#redis.hscan(due, position, "COUNT", count));
      const isLast = next === "0" && shard + 1 === this.#keys.length;
      [shard, position] = next === "0" ? [shard + 1, "0"] : [shard, next];
      if (pairs.length === 0 && !isLast) continue;
      const changes: DueChange[] = [];
      for (let at = 0; at < pairs.length; at += 2) changes.push(readNote(pairs[at] as string, pairs[at + 1] as string));
      return { changes, next: isLast ? null : `${shard}:${position}` };
    }
  }

  /** Asks each shard once for all of its users, and puts the answers back in order. */
  async #byShard<One extends UserId>(
    all: readonly One[],
    ask: (keys: UserKeys, some: readonly One[]) => Promise<(string | null)[]>,
  ): Promise<(UserRecord | undefined)[]> {
    const shards = new Map<UserKeys, { readonly some: One[]; readonly places: number[] }>();
    all.forEach((one, place) => {
      const keys = this.#keysOf(one);
      const shard = shards.get(keys);
      if (shard === undefined) shards.set(keys, { some: [one], places: [place] });
      else {
        shard.some.push(one);
        shard.places.push(place);
      }
    });
    const answers: (UserRecord | undefined)[] = [];
    await Promise.all(
      [...shards].map(async ([keys, { some, places }]) => {
        const texts = await ask(keys, some);
        places.forEach((place, n) => (answers[place] = readRecord(texts[n])));
      }),
    );
    return answers;
  }

  #keysOf({ tenant, user }: UserId): UserKeys {
    return this.#keys[userShardOf(tenant, user, this.#keys.length)] as UserKeys;
  }

  #run(script: keyof typeof SCRIPTS, write: boolean, keys: readonly string[], argv: readonly (string | number)[]) {
    return this.#ask(script, write, SCRIPTS[script].run(this.#redis, keys, argv));
  }

  async #ask<Reply>(call: string, write: boolean, reply: Promise<Reply>): Promise<Reply> {
    try {
      return await reply;
    } catch (error) {
      throw toUnavailable(error, call, write);
    }
  }
}

function checkUsers(count: number): void {
  if (count > MAX_USERS) throw new RangeError(`one call takes at most ${MAX_USERS} users, not ${count}`);
}
