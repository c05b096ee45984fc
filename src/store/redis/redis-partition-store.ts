/**
 * The store on Redis. What must be atomic is one Lua script each (see scripts/); this file turns the port's values into
 * their arguments and the replies back into values, and nothing else.
 */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { checkAppends, checkChunk, checkCommit, checkLimits, checkPartition } from "../check.js";
import { joinDeployment, newDeployment, type DeploymentRequest } from "../deployment.js";
import { compareIds, firstOf } from "../entry-id.js";
import { GENESIS_HEAD } from "../journal-chain.js";
import { DEFAULT_PREFIX, deploymentKey, partitionKeys, type PartitionKeys } from "../keys.js";
import type {
  Append,
  Appended,
  AppendResult,
  Batch,
  Commit,
  CommitResult,
  Deployment,
  InboxEntry,
  LoadLimits,
  OutboxEntry,
  PartitionStore,
  PartitionSurvey,
  Peek,
  SessionChunk,
  SessionKey,
  StoredRecord,
} from "../partition-store.js";
import { Script } from "./script.js";
import { toUnavailable } from "./unavailable.js";

const SCRIPTS = {
  chunk: new Script("chunk"),
  commit: new Script("commit"),
  deployment: new Script("deployment"),
  ingest: new Script("ingest"),
  load: new Script("load"),
  peek: new Script("peek"),
  survey: new Script("survey"),
};

// The replies, as the scripts' headers document them.
type IngestReply = [wake: number, ...results: (string | number)[]];
type LoadReply = [
  token: string,
  cursor: string,
  seq: string,
  head: string,
  state: string,
  now: number,
  horizon: number,
  entries: string[],
  due: string[],
  snapshots: string[],
];
type PeekReply = [now: number, snapshot: string | null, state: string, entries: string[]];
type ChunkReply = [
  token: string,
  seq: string,
  head: string,
  state: string,
  clock: number,
  snapshots: string[],
  next: string,
  restarted: number,
];
type SurveyReply = [
  token: string,
  oldest: string | null,
  timer: string | null,
  now: number,
  outboxSize: number,
  outboxHead: string | null,
  sessions: number,
  state: string,
];

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
export async function openRedisPartitionStore(redis: Redis, options: RedisStoreOptions = {}): Promise<PartitionStore> {
  const { prefix = DEFAULT_PREFIX, deployment: request = {} } = options;
  const key = deploymentKey(prefix);
  const created = Object.entries(newDeployment(request)).flat();
  const stored = await answer("open", true, SCRIPTS.deployment.run(redis, [key], created));
  return new RedisPartitionStore(redis, prefix, joinDeployment(key, fromPairs(stored as string[]), request));
}

async function answer<Reply>(call: string, write: boolean, reply: Promise<Reply>): Promise<Reply> {
  try {
    return await reply;
  } catch (error) {
    throw toUnavailable(error, call, write);
  }
}

class RedisPartitionStore implements PartitionStore {
  readonly deployment: Deployment;
  readonly #redis: Redis;
  readonly #keys: readonly PartitionKeys[];

  constructor(redis: Redis, prefix: string, deployment: Deployment) {
    this.#redis = redis;
    this.deployment = deployment;
    this.#keys = Array.from({ length: deployment.partitionCount }, (_, partition) => partitionKeys(prefix, partition));
  }

  async ingest(partition: number, appends: readonly Append[]): Promise<Appended> {
    const { meta, inbox, pending, seen } = this.#keysOf(partition);
    checkAppends(appends);
    if (appends.length === 0) return { results: [], wake: false };
    const { clock, dedupeWindowMs, dedupeLimit } = this.deployment;
    const argv: (string | number)[] = [clock, dedupeWindowMs, dedupeLimit, nonce(), appends.length];
    for (const append of appends) argv.push(append.session);
    for (const append of appends) argv.push(append.body);
    for (const append of appends) argv.push(append.fingerprint?.id ?? "");
    for (const append of appends) argv.push(append.fingerprint?.body ?? "");
    if (clock === "event") for (const append of appends) argv.push(append.time);
    const keys = [meta, inbox, pending, ...seen];
    const [wake, ...results] = (await this.#run("ingest", true, keys, argv)) as IngestReply;
    return { wake: wake === 1, results: results.map(toAppendResult) };
  }

  async load(partition: number, limits: LoadLimits): Promise<Batch> {
    const { meta, inbox, sessions, timers } = this.#keysOf(partition);
    checkLimits(limits);
    const argv = [this.deployment.clock, limits.entries, limits.bytes, nonce()];
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
    const reply = await this.#run("chunk", false, [meta, sessions], [position ?? "", count, nonce()]);
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
    const { meta, inbox, sessions, timers, pending, journal, outbox, counters } = this.#keysOf(partition);
    checkCommit(commit);
    const keys = [meta, inbox, sessions, timers, pending, journal, outbox, counters];
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
    ];
    for (const group of [written, removed, armed, cleared, settled, settledBy])
      for (const value of group) argv.push(value);
    for (const { body, hash } of records) argv.push(body, hash);
    for (const { id, body } of effects) argv.push(id, body);
    for (const [name, delta] of counts) argv.push(name, delta);
    return argv;
  }

  async peek(partition: number, session: SessionKey): Promise<Peek> {
    const { meta, inbox, sessions, pending } = this.#keysOf(partition);
    const argv = [this.deployment.clock, session];
    const reply = (await this.#run("peek", false, [meta, inbox, sessions, pending], argv)) as PeekReply;
    const [now, snapshot, state, entries] = reply;
    return { now, snapshot, state, entries: toEntries(entries).sort((a, b) => compareIds(a.id, b.id)) };
  }

  /** Single commands, not a pipeline: a cluster client sends each to its own node. */
  survey(partitions: readonly number[]): Promise<PartitionSurvey[]> {
    return Promise.all(
      partitions.map(async (partition) => {
        const { meta, inbox, timers, outbox, sessions: stored } = this.#keysOf(partition);
        const keys = [meta, inbox, timers, outbox, stored];
        const reply = (await this.#run("survey", false, keys, [this.deployment.clock])) as SurveyReply;
        const [token, oldest, timer, now, outboxSize, outboxHead, sessions, state] = reply;
        return {
          partition,
          token,
          behind: oldest !== null,
          oldestWaiting: oldest === null ? null : firstOf(oldest),
          nextTimer: timer === null ? null : Number(timer),
          now,
          outboxSize,
          outboxHead,
          sessions,
          state,
        };
      }),
    );
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

  async records(partition: number, seqs: readonly number[]): Promise<(StoredRecord | null)[]> {
    const { journal } = this.#keysOf(partition);
    const found = new Map<number, StoredRecord>();
    await Promise.all(
      runsOf(seqs).map(async ([first, last]) => {
        const rows = await answer("records", false, this.#redis.xrange(journal, `${first}-0`, `${last}-0`));
        for (const [id, fields] of rows)
          found.set(firstOf(id), { seq: firstOf(id), body: fields[1] as string, hash: fields[3] as string });
      }),
    );
    return seqs.map((seq) => found.get(seq) ?? null);
  }

  async outbox(partition: number, after: string | null, count: number): Promise<OutboxEntry[]> {
    const start = after === null ? "-" : `(${after}`;
    const { outbox } = this.#keysOf(partition);
    const rows = await answer("outbox", false, this.#redis.xrange(outbox, start, "+", "COUNT", count));
    return rows.map(toOutboxEntry);
  }

  /** Ids that belong together stand together, so a few ranges find what a command for each id would. */
  async effects(partition: number, ids: readonly string[]): Promise<OutboxEntry[]> {
    const { outbox } = this.#keysOf(partition);
    const ascending = [...ids].sort(compareIds);
    const found = new Map<string, OutboxEntry>();
    const last = ascending.at(-1);
    for (let next = ascending[0]; next !== undefined && last !== undefined;) {
      const range = this.#redis.xrange(outbox, next, last, "COUNT", ids.length);
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

/** 96 random bits: a nonce, or the first token of a partition. */
function nonce(): string {
  return randomBytes(12).toString("base64url");
}

function toAppendResult(result: string | number): AppendResult {
  if (typeof result === "string") return { status: "accepted", id: result };
  return { status: result === 0 ? "duplicate" : "conflict" };
}

function toEntries(flat: readonly string[]): InboxEntry[] {
  const entries: InboxEntry[] = [];
  for (let at = 0; at < flat.length; at += 4) {
    const [id, session, nonce, body] = flat.slice(at, at + 4) as [string, string, string, string];
    entries.push({ id, session, nonce, body });
  }
  return entries;
}

/** Session key, snapshot … as pairs. */
function toMap(flat: readonly string[]): Map<SessionKey, string> {
  const snapshots = new Map<SessionKey, string>();
  for (let at = 0; at < flat.length; at += 2) snapshots.set(flat[at] as string, flat[at + 1] as string);
  return snapshots;
}

function toOutboxEntry([id, fields]: [id: string, fields: string[]]): OutboxEntry {
  return { id, body: fields[1] as string };
}

function fromPairs(flat: readonly string[]): Record<string, string> {
  const entries: [string, string][] = [];
  for (let at = 0; at < flat.length; at += 2) entries.push([flat[at] as string, flat[at + 1] as string]);
  return Object.fromEntries(entries);
}

/** Stretches of consecutive numbers, `[first, last]`: each is one range of the journal. */
function runsOf(seqs: readonly number[]): [first: number, last: number][] {
  const runs: [number, number][] = [];
  for (const seq of seqs) {
    const run = runs.at(-1);
    if (run && seq === run[1] + 1) run[1] = seq;
    else runs.push([seq, seq]);
  }
  return runs;
}
