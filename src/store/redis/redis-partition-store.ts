/**
 * The store on Redis. What must be atomic is one Lua script each (see scripts/); this file turns the port's values into
 * their arguments and the replies back into values, and nothing else.
 */
import { type RedisConnection, withReplica } from "../../redis/connection.js";
import {
  checkAppends,
  checkChunk,
  checkCommit,
  checkErasure,
  checkLimits,
  checkNote,
  checkPartition,
  checkSearch,
} from "../check.js";
import { joinDeployment, newDeployment, type DeploymentRequest } from "../deployment.js";
import { compareIds, firstOf } from "../entry-id.js";
import { GENESIS_HEAD } from "../journal-chain.js";
import { randomToken } from "../random-token.js";
import { copyKey, DEFAULT_PREFIX, deploymentKey, partitionKeys, type PartitionKeys } from "../keys.js";
import type {
  Append,
  Appended,
  ArchiveNote,
  Batch,
  Commit,
  CommitResult,
  Deployment,
  Erasure,
  ErasureResult,
  Found,
  JournalEntry,
  LoadLimits,
  OutboxEntry,
  PartitionImage,
  PartitionStore,
  PartitionSurvey,
  Peek,
  Place,
  SessionChunk,
  SessionKey,
} from "../partition-store.js";
import { Continuity } from "./continuity.js";
import {
  CONFLICT,
  type IngestReply,
  type LoadReply,
  type PeekReply,
  type ChunkReply,
  type SurveyReply,
  type ImageReply,
  toLost,
  toAppendResult,
  toEntries,
  toMap,
  toTombstone,
  toSurvey,
  toOutboxEntry,
  fromPairs,
  runsOf,
} from "./replies.js";
import { Script } from "./script.js";
import { toUnavailable } from "./unavailable.js";

const SCRIPTS = {
  archived: new Script("archived"),
  chunk: new Script("chunk"),
  commit: new Script("commit"),
  deployment: new Script("deployment"),
  erase: new Script("erase", { isConfirmed: true }),
  image: new Script("image"),
  ingest: new Script("ingest", { isConfirmed: true }),
  load: new Script("load"),
  peek: new Script("peek"),
  search: new Script("search"),
  "stream-copy": new Script("stream-copy"),
  survey: new Script("survey"),
};

export interface RedisStoreOptions {
  /** Deployments with different prefixes share a server without seeing each other; default `gh`. */
  readonly prefix?: string;
  readonly deployment?: DeploymentRequest;
}

/**
 * Joins the deployment under this prefix, or creates it if there is none.
 * @param redis a connection made by `connectStore`: one that never repeats a command by itself
 * @throws DeploymentConflictError if it was created with another partition count or clock
 */
export async function openRedisPartitionStore(
  redis: RedisConnection,
  options: RedisStoreOptions = {},
): Promise<PartitionStore> {
  const { prefix = DEFAULT_PREFIX, deployment: request = {} } = options;
  const key = deploymentKey(prefix);
  const created = Object.entries(newDeployment(request)).flat();
  const stored = await answer("open", true, SCRIPTS.deployment.run(redis, [key], created));
  return new RedisPartitionStore(redis, prefix, joinDeployment(key, fromPairs(stored as string[]), request));
}

/** The store of a deployment that is known already, as while it is restored. */
export function redisPartitionStore(redis: RedisConnection, prefix: string, deployment: Deployment): PartitionStore {
  return new RedisPartitionStore(redis, prefix, deployment);
}

/**
 * What of a deployment may change in its life. Stores that are open go on with what they had.
 * @throws RangeError, DeploymentConflictError if there is no deployment
 */
export async function changeJournalLimits(
  redis: RedisConnection,
  prefix: string,
  limits: Pick<DeploymentRequest, "journalMaxBytes" | "journalMaxAgeMs">,
): Promise<Deployment> {
  const key = deploymentKey(prefix);
  const stored = joinDeployment(key, await answer("limits", false, redis.hgetall(key)), {});
  const changed = newDeployment({ ...stored, ...withoutUndefined(limits) });
  const { journalMaxBytes, journalMaxAgeMs } = changed;
  await answer("limits", true, redis.hset(key, { journalMaxBytes, journalMaxAgeMs }));
  return changed;
}

/**
 * An operator took note of what a failover lost: the partition's decisions are made from what is there.
 * @returns whether anything was noted
 */
export async function reconcilePartition(redis: RedisConnection, prefix: string, partition: number): Promise<boolean> {
  const { meta } = partitionKeys(prefix, partition);
  return (
    (await answer(
      "reconcile",
      true,
      withReplica(redis, meta, (node) => node.hdel(meta, "lost")),
    )) === 1
  );
}

const withoutUndefined = (limits: DeploymentRequest): DeploymentRequest =>
  Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));

async function answer<Reply>(call: string, write: boolean, reply: Promise<Reply>): Promise<Reply> {
  try {
    return await reply;
  } catch (error) {
    throw toUnavailable(error, call, write);
  }
}

class RedisPartitionStore implements PartitionStore {
  readonly deployment: Deployment;
  readonly #redis: RedisConnection;
  readonly #keys: readonly PartitionKeys[];
  readonly #continuity: Continuity;

  constructor(redis: RedisConnection, prefix: string, deployment: Deployment) {
    this.#redis = redis;
    this.#continuity = new Continuity(redis, deployment.dedupeWindowMs);
    this.deployment = deployment;
    this.#keys = Array.from({ length: deployment.partitionCount }, (_, partition) => partitionKeys(prefix, partition));
  }

  async ingest(partition: number, appends: readonly Append[]): Promise<Appended> {
    const { meta, inbox, pending, seen } = this.#keysOf(partition);
    checkAppends(appends);
    if (appends.length === 0) return { results: [], wake: false };
    const { clock, dedupeWindowMs, dedupeLimit } = this.deployment;
    const argv: (string | number)[] = [clock, dedupeWindowMs, dedupeLimit, randomToken(), appends.length];
    for (const append of appends) argv.push(append.session);
    for (const append of appends) argv.push(append.body);
    for (const append of appends) argv.push(append.fingerprint?.id ?? "");
    for (const append of appends) argv.push(append.fingerprint?.body ?? "");
    if (clock === "event") for (const append of appends) argv.push(append.time);
    const keys = [meta, inbox, pending, ...seen];
    await answer("ingest", false, this.#continuity.begin(partition, [meta, ...seen]));
    const [wake, ...results] = (await this.#run("ingest", true, keys, argv)) as IngestReply;
    this.#remember(partition, appends, results);
    return { wake: wake === 1, results: results.map(toAppendResult) };
  }

  #remember(partition: number, appends: readonly Append[], results: readonly (string | number)[]): void {
    const { meta, seen } = this.#keysOf(partition);
    const newest = results.findLastIndex((result, n) => result !== CONFLICT && appends[n]?.fingerprint !== null);
    const fingerprint = appends[newest]?.fingerprint?.id;
    if (fingerprint === undefined) return;
    const result = results[newest];
    const time = typeof result === "string" ? firstOf(result) : Date.now();
    this.#continuity.accepted(partition, [meta, ...seen], fingerprint, time);
  }

  async load(partition: number, limits: LoadLimits): Promise<Batch> {
    const { meta, inbox, sessions, timers } = this.#keysOf(partition);
    checkLimits(limits);
    const argv = [this.deployment.clock, limits.entries, limits.bytes, randomToken()];
    const reply = (await this.#run("load", false, [meta, inbox, sessions, timers], argv)) as LoadReply;
    const [token, cursor, seq, head, state, now, horizon, entries, due, snapshots] = reply;
    return {
      partition,
      token,
      cursor,
      seq: Number(seq),
      head: head === "" ? GENESIS_HEAD : head,
      state,
      now,
      horizon,
      entries: toEntries(entries),
      due,
      snapshots: toMap(snapshots),
    };
  }

  async chunk(partition: number, position: string | null, count: number): Promise<SessionChunk> {
    const { meta, sessions } = this.#keysOf(partition);
    checkChunk(count);
    const reply = await this.#run("chunk", false, [meta, sessions], [position ?? "", count, randomToken()]);
    const [token, seq, head, state, clock, snapshots, next, restarted] = reply as ChunkReply;
    return {
      partition,
      token,
      seq: Number(seq),
      head: head === "" ? GENESIS_HEAD : head,
      state,
      clock,
      snapshots: toMap(snapshots),
      next: next === "" ? null : next,
      restarted: restarted === 1,
    };
  }

  async commit(partition: number, commit: Commit): Promise<CommitResult> {
    const { meta, inbox, sessions, timers, pending, journal, outbox, counters, tombstones } = this.#keysOf(partition);
    checkCommit(commit);
    const keys = [meta, inbox, sessions, timers, pending, journal, outbox, counters, tombstones];
    const reply = await this.#run("commit", true, keys, this.#commitArguments(commit)).catch((error: unknown) => {
      if (error instanceof Error && error.message.startsWith("GATEHOUSE "))
        throw new RangeError(error.message.slice("GATEHOUSE ".length));
      throw error;
    });
    return reply === 0 ? { status: "stale" } : { status: "committed", drained: reply === 2 };
  }

  #commitArguments(commit: Commit): (string | number)[] {
    const { records, effects, consumed } = commit;
    const written: string[] = [];
    const removed: string[] = [];
    for (const [session, snapshot] of commit.snapshots)
      if (snapshot === null) removed.push(session);
      else written.push(session, snapshot);
    const armed: (string | number)[] = [];
    const cleared: string[] = [];
    for (const [session, due] of commit.timers)
      if (due === null) cleared.push(session);
      else armed.push(due, session);
    const settled: string[] = [];
    const settledBy: string[] = [];
    for (const [session, ids] of consumed) {
      const last = ids.at(-1);
      if (last === undefined) continue;
      settled.push(session);
      settledBy.push(last);
    }
    const counts = Object.entries(commit.counters);

    let recordBytes = 0;
    for (const { body } of records) recordBytes += Buffer.byteLength(body) + RECORD_OVERHEAD_BYTES;
    const argv: (string | number)[] = [
      this.deployment.clock,
      commit.token,
      commit.nextToken,
      commit.last?.id ?? "",
      commit.last?.nonce ?? "",
      commit.clock,
      commit.state === undefined ? 0 : 1,
      commit.state ?? "",
      this.deployment.journalMaxBytes,
      records[0]?.seq ?? 0,
      records.at(-1)?.hash ?? "",
      recordBytes,
      written.length / 2,
      removed.length,
      armed.length / 2,
      cleared.length,
      settled.length,
      records.length,
      effects.length,
      counts.length,
      this.deployment.journalMaxAgeMs,
    ];
    for (const group of [written, removed, armed, cleared, settled, settledBy])
      for (const value of group) argv.push(value);
    for (const { body, hash } of records) argv.push(body, hash);
    for (const { id, body } of effects) argv.push(id, body);
    for (const [name, delta] of counts) argv.push(name, delta);
    return argv;
  }

  async peek(partition: number, session: SessionKey): Promise<Peek> {
    const { meta, inbox, sessions, pending, seen } = this.#keysOf(partition);
    const argv = [this.deployment.clock, session];
    const reply = (await this.#run("peek", false, [meta, inbox, sessions, pending], argv)) as PeekReply;
    const [now, snapshot, state, entries, lost] = reply;
    // By now it is known who answered. What is known to be lost needs no second look.
    if (lost === "") await answer("peek", false, this.#continuity.settled(partition, [meta, ...seen]));
    return {
      now,
      snapshot,
      state,
      entries: toEntries(entries).sort((a, b) => compareIds(a.id, b.id)),
      ...toLost(lost),
    };
  }

  /** Single commands, not a pipeline: a cluster client sends each to its own node. Some at a time: whoever asks meanwhile waits for all of them. */
  async survey(partitions: readonly number[]): Promise<PartitionSurvey[]> {
    const surveys: PartitionSurvey[] = [];
    for (let from = 0; from < partitions.length; from += SURVEYED_AT_ONCE) {
      const some = partitions.slice(from, from + SURVEYED_AT_ONCE);
      surveys.push(...(await Promise.all(some.map(async (partition) => this.#survey(partition)))));
    }
    return surveys;
  }

  async #survey(partition: number): Promise<PartitionSurvey> {
    const { meta, inbox, timers, outbox, sessions: stored } = this.#keysOf(partition);
    const keys = [meta, inbox, timers, outbox, stored];
    const reply = (await this.#run("survey", false, keys, [this.deployment.clock])) as SurveyReply;
    return toSurvey(partition, reply);
  }

  async counters(partition: number): Promise<Record<string, number>> {
    const stored = await answer("counters", false, this.#redis.hgetall(this.#keysOf(partition).counters));
    return Object.fromEntries(Object.entries(stored).map(([name, value]) => [name, Number(value)]));
  }

  async scan(
    partition: number,
    from: string | null,
    count: number,
  ): Promise<{ snapshots: string[]; next: string | null }> {
    const { sessions } = this.#keysOf(partition);
    const [next, pairs] = await answer("scan", false, this.#redis.hscan(sessions, from ?? "0", "COUNT", count));
    return { snapshots: pairs.filter((_, index) => index % 2 === 1), next: next === "0" ? null : next };
  }

  snapshot(partition: number, session: SessionKey): Promise<string | null> {
    return answer("snapshot", false, this.#redis.hget(this.#keysOf(partition).sessions, session));
  }

  async records(partition: number, seqs: readonly number[]): Promise<(JournalEntry | null)[]> {
    const { journal, tombstones } = this.#keysOf(partition);
    const found = new Map<number, JournalEntry>();
    await Promise.all(
      runsOf(seqs).map(async ([first, last]) => {
        const rows = await answer("records", false, this.#redis.xrange(journal, `${first}-0`, `${last}-0`));
        for (const [id, fields] of rows)
          found.set(firstOf(id), { seq: firstOf(id), body: fields[1] as string, hash: fields[3] as string });
        if (rows.length > last - first) return;
        // Asked for afterwards: what is erased in between is found as one or the other.
        const erased = await answer("records", false, this.#redis.zrangebyscore(tombstones, first, last));
        for (const text of erased) {
          const tombstone = toTombstone(text);
          found.set(tombstone.seq, tombstone);
        }
      }),
    );
    return seqs.map((seq) => found.get(seq) ?? null);
  }

  oldestRecord(partition: number): Promise<number | null> {
    const { journal, tombstones } = this.#keysOf(partition);
    return this.#recordAtEnd(
      "oldestRecord",
      this.#redis.xrange(journal, "-", "+", "COUNT", 1),
      this.#redis.zrange(tombstones, "0", "0"),
      Math.min,
    );
  }

  newestRecord(partition: number): Promise<number | null> {
    const { journal, tombstones } = this.#keysOf(partition);
    return this.#recordAtEnd(
      "newestRecord",
      this.#redis.xrevrange(journal, "+", "-", "COUNT", 1),
      this.#redis.zrange(tombstones, "-1", "-1"),
      Math.max,
    );
  }

  /** A record that was erased is the tombstone in its place. */
  async #recordAtEnd(
    call: string,
    records: Promise<[id: string, fields: string[]][]>,
    tombstones: Promise<string[]>,
    further: (...seqs: number[]) => number,
  ): Promise<number | null> {
    const [[record], [tombstone]] = await Promise.all([answer(call, false, records), answer(call, false, tombstones)]);
    const seqs = [...(record ? [firstOf(record[0])] : []), ...(tombstone ? [toTombstone(tombstone).seq] : [])];
    return seqs.length === 0 ? null : further(...seqs);
  }

  async image(partition: number): Promise<PartitionImage> {
    const { meta, sessions } = this.#keysOf(partition);
    const [seq, head, cursor, state, clock, snapshots] = (await this.#run(
      "image",
      false,
      [meta, sessions],
      [],
    )) as ImageReply;
    return {
      seq: Number(seq),
      head: head === "" ? GENESIS_HEAD : head,
      cursor,
      state,
      clock: Number(clock),
      snapshots: toMap(snapshots),
    };
  }

  async noteArchived(partition: number, note: (ArchiveNote & { readonly hash: string }) | null): Promise<boolean> {
    const { meta, journal, tombstones } = this.#keysOf(partition);
    if (note !== null) checkNote(note);
    const argv = note === null ? ["", "", 0] : [note.seq, note.hash, note.checkpoint];
    return (await this.#run("archived", true, [meta, journal, tombstones], argv)) === 1;
  }

  async search(
    partition: number,
    place: Place,
    text: string,
    position: string | null,
    count: number,
  ): Promise<{ found: Found[]; next: string | null }> {
    const key = this.#keysOf(partition)[place];
    checkSearch(text, count);
    const argv = [place === "sessions" ? "hash" : "stream", text, position ?? "", count, TEXT_FIELD[place]];
    const [next, ...pairs] = (await this.#run("search", false, [key], argv)) as string[];
    const found = [...toMap(pairs)].map(([id, body]) => ({ id, body }));
    return { found, next: next ? next : null };
  }

  async erase(partition: number, erasure: Erasure): Promise<ErasureResult> {
    const { meta, inbox, sessions, timers, pending, journal, outbox, counters, tombstones } = this.#keysOf(partition);
    checkErasure(erasure);
    const keys = [meta, inbox, sessions, timers, pending, journal, outbox, counters, tombstones, copyKey(journal)];
    const { entries, records, effects } = erasure;
    const argv: (string | number)[] = [erasure.nextToken, erasure.at, TOMBSTONE_BYTES - RECORD_OVERHEAD_BYTES];
    argv.push(erasure.sessions.size, entries.length, records.length, effects.length);
    argv.push(Object.keys(erasure.counters).length, erasure.placeholder);
    for (const [session, snapshot] of erasure.sessions) argv.push(session, snapshot === null ? 0 : 1, snapshot ?? "");
    argv.push(...entries);
    for (const { seq, bodyHash, previous } of records) argv.push(seq, bodyHash, previous ?? "");
    argv.push(...effects);
    for (const [name, delta] of Object.entries(erasure.counters)) argv.push(name, delta);
    const reply = (await this.#run("erase", true, keys, argv)) as number[];
    if (reply.length === 0) return { status: "stale" };
    const [gone, waiting, erased, undelivered] = reply as [number, number, number, number];
    return { status: "erased", sessions: gone, entries: waiting, records: erased, effects: undelivered };
  }

  async purge(partition: number): Promise<void> {
    const { meta, inbox, journal, outbox } = this.#keysOf(partition);
    const erasure = await answer("purge", false, this.#redis.hget(meta, "purge"));
    if (erasure === null) return;
    // Entries are taken off inbox and outbox one by one at any time, so these are copied at once or not at all; what is
    // too long for that is soon worked off.
    for (const stream of [inbox, outbox])
      await this.#run("stream-copy", true, [stream, copyKey(stream), meta], [COPIED_AT_ONCE, 1, ""]);
    const keys = [journal, copyKey(journal), meta];
    while ((await this.#run("stream-copy", true, keys, [COPIED_PER_CALL, 0, erasure])) === 0);
  }

  async outbox(partition: number, after: string | null, count: number): Promise<OutboxEntry[]> {
    const start = after === null ? "-" : `(${after}`;
    const { outbox } = this.#keysOf(partition);
    const rows = await answer("outbox", false, this.#redis.xrange(outbox, start, "+", "COUNT", count));
    return rows.map(toOutboxEntry);
  }

  /**
   * Ids that belong together stand together, so a few ranges find what a command for each id would. In class D2 a replica has what is
   * read: it is about to leave the house.
   */
  async effects(partition: number, ids: readonly string[]): Promise<OutboxEntry[]> {
    const { outbox } = this.#keysOf(partition);
    const ascending = [...ids].sort(compareIds);
    const found = new Map<string, OutboxEntry>();
    const last = ascending.at(-1);
    for (let next = ascending[0]; next !== undefined && last !== undefined;) {
      const from = next;
      const range = withReplica(this.#redis, outbox, (redis) => redis.xrange(outbox, from, last, "COUNT", ids.length));
      const rows = (await answer("effects", false, range)).map(toOutboxEntry);
      for (const entry of rows) found.set(entry.id, entry);
      const reached = rows.length < ids.length ? undefined : rows.at(-1)?.id;
      next = reached === undefined ? undefined : ascending.find((id) => compareIds(id, reached) > 0);
    }
    return ids.flatMap((id) => found.get(id) ?? []);
  }

  async acknowledge(partition: number, ids: readonly string[]): Promise<void> {
    const { outbox } = this.#keysOf(partition);
    if (ids.length > 0) await answer("acknowledge", true, this.#redis.xdel(outbox, ...ids));
  }

  #keysOf(partition: number): PartitionKeys {
    checkPartition(this.deployment, partition);
    return this.#keys[partition] as PartitionKeys;
  }

  #run(script: keyof typeof SCRIPTS, write: boolean, keys: readonly string[], argv: readonly (string | number)[]) {
    return answer(script, write, SCRIPTS[script].run(this.#redis, keys, argv));
  }
}

/** What a record costs in the journal beside its body: hash (64), field names and the entry's header. */
const RECORD_OVERHEAD_BYTES = 84;

/** What a tombstone costs. */
const TOMBSTONE_BYTES = 250;

/** Records that one call writes anew: a few ms of the server's time. */
const COPIED_PER_CALL = 200;

/** Surveys that are asked for in one go: a tenth of a millisecond of an idle server's time. */
const SURVEYED_AT_ONCE = 8;

/** Entries up to which a stream that loses single ones is written anew. */
const COPIED_AT_ONCE = 500;

/** Which of an entry's names and values is its text, from 1. */
const TEXT_FIELD: Readonly<Record<Place, number>> = { inbox: 8, journal: 2, outbox: 2, sessions: 0 };
