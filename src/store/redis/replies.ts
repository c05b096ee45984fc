/** What the scripts and commands of the store answer, as their headers document it, and as the port has it. */
import { firstOf } from "../entry-id.js";
import type {
  AppendResult,
  InboxEntry,
  LostEvents,
  OutboxEntry,
  PartitionSurvey,
  SessionKey,
  Tombstone,
} from "../partition-store.js";

export type IngestReply = [wake: number, ...results: (string | number)[]];
export type LoadReply = [
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
export type PeekReply = [now: number, snapshot: string | null, state: string, entries: string[], lost: string];
export type ChunkReply = [
  token: string,
  seq: string,
  head: string,
  state: string,
  clock: number,
  snapshots: string[],
  next: string,
  restarted: number,
];
export type SurveyReply = [
  token: string,
  oldest: string | null,
  timer: string | null,
  now: number,
  outboxSize: number,
  outboxHead: string | null,
  sessions: number,
  state: string,
  seq: string,
  archived: string | null,
  checkpoint: string | null,
  waiting: number,
  timersDue: number,
  journalBytes: string,
  lost: string,
];
export type ImageReply = [seq: string, head: string, cursor: string, state: string, clock: string, snapshots: string[]];

/** Of the results of `ingest`. */
export const CONFLICT = 1;

export function toLost(text: string): { lost?: LostEvents } {
  if (text === "") return {};
  const [from, until] = text.split(":").map(Number) as [number, number];
  return { lost: { from, until } };
}

export function toAppendResult(result: string | number): AppendResult {
  if (typeof result === "string") return { status: "accepted", id: result };
  return { status: result === 0 ? "duplicate" : "conflict" };
}

export function toEntries(flat: readonly string[]): InboxEntry[] {
  const entries: InboxEntry[] = [];
  for (let at = 0; at < flat.length; at += 4) {
    const [id, session, nonce, body] = flat.slice(at, at + 4) as [string, string, string, string];
    entries.push({ id, session, nonce, body });
  }
  return entries;
}

/** Session key, snapshot … as pairs. */
export function toMap(flat: readonly string[]): Map<SessionKey, string> {
  const snapshots = new Map<SessionKey, string>();
  for (let at = 0; at < flat.length; at += 2) snapshots.set(flat[at] as string, flat[at + 1] as string);
  return snapshots;
}

export function toTombstone(text: string): Tombstone {
  const [seq, bodyHash = "", hash = "", erasedAt, previous = ""] = text.split(" ");
  const stone = { seq: Number(seq), bodyHash, hash, erasedAt: Number(erasedAt) };
  return previous === "" ? stone : { ...stone, previous: Number(previous) };
}

export function toSurvey(partition: number, reply: SurveyReply): PartitionSurvey {
  const [token, oldest, timer, now, outboxSize, outboxHead, sessions, state, ...journal] = reply;
  const [seq, archived, checkpoint, waiting, timersDue, journalBytes, lost] = journal;
  return {
    partition,
    token,
    behind: oldest !== null,
    waiting,
    oldestWaiting: oldest === null ? null : firstOf(oldest),
    nextTimer: timer === null ? null : Number(timer),
    timersDue,
    now,
    outboxSize,
    outboxHead,
    sessions,
    state,
    seq: Number(seq),
    journalBytes: Number(journalBytes),
    archive: archived === null ? null : { seq: Number(archived), checkpoint: Number(checkpoint) },
    ...toLost(lost),
  };
}

export function toOutboxEntry([id, fields]: [id: string, fields: string[]]): OutboxEntry {
  return { id, body: fields[1] as string };
}

export function fromPairs(flat: readonly string[]): Record<string, string> {
  const entries: [string, string][] = [];
  for (let at = 0; at < flat.length; at += 2) entries.push([flat[at] as string, flat[at + 1] as string]);
  return Object.fromEntries(entries);
}

/** Stretches of consecutive numbers, `[first, last]`: each is one range of the journal. */
export function runsOf(seqs: readonly number[]): [first: number, last: number][] {
  const runs: [number, number][] = [];
  for (const seq of seqs) {
    const run = runs.at(-1);
    if (run && seq === run[1] + 1) run[1] = seq;
    else runs.push([seq, seq]);
  }
  return runs;
}
