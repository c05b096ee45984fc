/**
 * What both stores refuse before they touch anything. A script cannot take back what it wrote, so everything that
 * could make one fail half-way is a RangeError here.
 */
import { firstOf, secondOf } from "./entry-id.js";
import {
  BROADCAST,
  MAX_APPENDS,
  MAX_ERASED,
  type Append,
  type ArchiveNote,
  type Commit,
  type Deployment,
  type Erasure,
  type LoadLimits,
} from "./partition-store.js";

/** The largest instant a Date can hold, epoch ms. */
const MAX_TIME_MS = 8_640_000_000_000_000;

function checkTime(what: string, ms: number): void {
  if (!Number.isInteger(ms) || ms < 0 || ms > MAX_TIME_MS)
    throw new RangeError(`${what} must be whole epoch milliseconds from 0 to ${MAX_TIME_MS}, not ${ms}`);
}

function checkCount(what: string, count: number, max: number): void {
  if (!Number.isInteger(count) || count < 1 || count > max)
    throw new RangeError(`${what} must be an integer from 1 to ${max}, not ${count}`);
}

export function checkPartition(deployment: Deployment, partition: number): void {
  if (!Number.isInteger(partition) || partition < 0 || partition >= deployment.partitionCount)
    throw new RangeError(`partition must be an integer from 0 to ${deployment.partitionCount - 1}, not ${partition}`);
}

export function checkAppends(appends: readonly Append[]): void {
  if (appends.length > MAX_APPENDS)
    throw new RangeError(`one ingest takes at most ${MAX_APPENDS} appends, not ${appends.length}: send them in parts`);
  for (const append of appends) {
    checkTime("an append's time", append.time);
    if (append.session === "") throw new RangeError("an append must name its session");
    if (append.fingerprint?.id === "") throw new RangeError("a fingerprint must have an id");
  }
}

export function checkLimits(limits: LoadLimits): void {
  checkCount("limits.entries", limits.entries, 10_000);
  checkCount("limits.bytes", limits.bytes, 64 * 1024 * 1024);
}

export function checkChunk(count: number): void {
  checkCount("a chunk's count", count, 1_000);
}

export function checkSearch(text: string, count: number): void {
  if (text === "") throw new RangeError("a search needs a text");
  checkCount("a search's count", count, 1_000);
}

export function checkNote({ seq, checkpoint }: ArchiveNote): void {
  if (!Number.isSafeInteger(seq) || seq < 0) throw new RangeError(`an archived record's number can't be ${seq}`);
  if (!Number.isSafeInteger(checkpoint) || checkpoint < 0 || checkpoint > seq)
    throw new RangeError(`a checkpoint at ${checkpoint} does not go with an archive up to ${seq}`);
}

export function checkErasure({ nextToken, sessions, entries, records, effects, counters, at }: Erasure): void {
  if (nextToken === "") throw new RangeError("an erasure needs a next token, fresh and random");
  checkTime("an erasure's time", at);
  for (const [what, size] of Object.entries({
    sessions: sessions.size,
    entries: entries.length,
    records: records.length,
    effects: effects.length,
  }))
    if (size > MAX_ERASED) throw new RangeError(`one erasure takes at most ${MAX_ERASED} ${what}, not ${size}`);
  for (const session of sessions.keys()) checkSession(session);
  for (const { seq, bodyHash } of records) {
    checkCount("a record's number", seq, Number.MAX_SAFE_INTEGER);
    if (!/^[0-9a-f]{64}$/.test(bodyHash)) throw new RangeError("the hash of a record's body is a SHA-256 in hex");
  }
  checkCounters(counters);
}

function checkSession(session: string): void {
  if (session === BROADCAST || session === "") throw new RangeError(`${session || "an empty key"} names no session`);
}

function checkCounters(counters: Readonly<Record<string, number>>): void {
  for (const [name, delta] of Object.entries(counters))
    if (!Number.isSafeInteger(delta)) throw new RangeError(`counter ${name} must grow by an integer, not ${delta}`);
}

export function checkCommit(commit: Commit): void {
  if (commit.nextToken === "" || commit.nextToken === commit.token)
    throw new RangeError("a commit needs a next token, fresh and random");
  checkTime("a commit's clock", commit.clock);
  for (const session of commit.snapshots.keys()) checkSession(session);
  for (const [session, due] of commit.timers) if (due !== null) checkTime(`the timer of ${session}`, due);
  checkCounters(commit.counters);
  checkNumbers(commit);
}

function checkNumbers({ records, effects }: Commit): void {
  const first = records[0]?.seq ?? 0;
  for (const [index, record] of records.entries())
    if (record.seq !== first + index)
      throw new RangeError(`record ${first + index} is missing: records of a commit are dense, found ${record.seq}`);
  let [seq, n] = [0, 0];
  for (const { id } of effects) {
    const [nextSeq, nextN] = [firstOf(id), secondOf(id)];
    if (!/^[1-9]\d*-\d+$/.test(id) || nextSeq < first || nextSeq >= first + records.length)
      throw new RangeError(`effect ${id} belongs to no record of its commit`);
    if (nextSeq < seq || (nextSeq === seq && nextN <= n))
      throw new RangeError(`effect ${id} follows ${seq}-${n}: effects of a commit ascend`);
    [seq, n] = [nextSeq, nextN];
  }
}

/** @throws RangeError unless the commit's records follow record number `seq` */
export function checkFirstRecord(commit: Commit, seq: number): void {
  const first = commit.records[0]?.seq;
  if (first !== undefined && first !== seq + 1)
    throw new RangeError(`records start at ${first} but the journal ends at ${seq}`);
}
