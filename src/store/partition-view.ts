/**
 * Between the store's opaque strings and what the fold works with: reads a loaded batch, writes an outcome. The only place that
 * knows both.
 */
import type { BatchInput, BatchOutcome, PartitionPolicies, Stored } from "../../machines/fold-batch.js";
import type { Outcome, OutgoingEffect } from "../../machines/outcome.js";
import type { Walk, WalkChunk, WalkOutcome } from "../../machines/walk.js";
import { EFFECTS } from "../../machines/effects/catalogue.js";
import type { SessionId } from "../../machines/session/session.js";
import { SnapshotError, decodeSession, encodeSession } from "../../machines/session/snapshot.js";
import { readEntry } from "../ingest/inbox-body.js";
import { GatehouseError } from "../errors.js";
import type { TraceParent } from "../tracing/trace-parent.js";
import { chainRecords } from "./journal-chain.js";
import type { Batch, Commit, EntryId, SessionChunk, SessionKey } from "./partition-store.js";
import { sessionKey } from "./session-key.js";

/** A snapshot was written by another version of the machine: this process must leave the partition to one that knows it. */
export class MachineVersionError extends GatehouseError {
  readonly code = "snapshot.version";
  readonly retryable = false;
}

/** The partition's own state, as the store keeps it for the fold. */
export interface PartitionState {
  readonly policies: PartitionPolicies;
  /** Absent: none is under way. */
  readonly walk?: Walk;
}

export function readState(state: string): PartitionState {
  return state === "" ? { policies: {} } : (JSON.parse(state) as PartitionState);
}

/** A stored snapshot as a session, or the reason why it is none. */
export function readStored(text: string): Stored {
  try {
    return decodeSession(text);
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    if (error.kind === "version") {
      throw new MachineVersionError(error.message, { fix: "Run the release that wrote it, or a newer one." });
    }
    return { unreadable: error.message };
  }
}

export interface ReadBatch extends BatchInput {
  /** Where the traces of its entries go on. */
  readonly traces: ReadonlyMap<EntryId, TraceParent>;
}

/** @throws MachineVersionError if a session was written by a machine version that is not known here */
export function readBatch(batch: Batch): ReadBatch {
  const sessions = new Map<SessionId, Stored>();
  const idOf = new Map<SessionKey, SessionId>();
  for (const [key, text] of batch.snapshots) {
    const stored = readStored(text);
    // Whose it is stands in the snapshot alone; one that can't be read goes by its key until an entry names it.
    const id = "unreadable" in stored ? key : stored.id;
    idOf.set(key, id);
    sessions.set(id, stored);
  }
  const traces = new Map<EntryId, TraceParent>();
  const entries = batch.entries.map((entry) => {
    const read = readEntry(entry);
    if (read.traceparent !== undefined) traces.set(entry.id, read.traceparent);
    if (read.kind === "event" && idOf.get(entry.session) !== read.session && idOf.has(entry.session)) {
      const stored = sessions.get(idOf.get(entry.session) as SessionId) as Stored;
      sessions.set(
        read.session,
        "unreadable" in stored ? stored : { unreadable: `the snapshot stored here is that of ${stored.id}` },
      );
    }
    return read;
  });
  return {
    policies: readState(batch.state).policies,
    horizon: batch.horizon,
    entries,
    due: batch.due.map((key) => idOf.get(key) ?? key),
    sessions,
    seq: batch.seq,
    traces,
  };
}

/** Where an effect's trace goes on, by its id in the outbox. */
export type TraceOf = (effectId: string) => TraceParent | undefined;

/** What to write so that the outcome of a batch becomes true. `nextToken` is fresh and random. */
export function writeOutcome(
  batch: Batch,
  input: BatchInput,
  outcome: BatchOutcome,
  nextToken: string,
  traceOf: TraceOf = () => undefined,
): Commit {
  const consumed = new Map<SessionKey, EntryId[]>();
  for (const { session, id } of batch.entries) {
    const ids = consumed.get(session);
    if (ids === undefined) consumed.set(session, [id]);
    else ids.push(id);
  }
  const last = batch.entries.at(-1);
  const { policies } = outcome;
  return {
    ...writeChanges(batch, outcome, traceOf),
    token: batch.token,
    nextToken,
    last: last === undefined ? null : { id: last.id, nonce: last.nonce },
    clock: batch.horizon,
    ...(policies !== input.policies && {
      state: JSON.stringify({ ...readState(batch.state), policies } satisfies PartitionState),
    }),
    consumed,
  };
}

/** A chunk as the walk folds it. `walk` is as far as this process has come: it may be ahead of what is stored. */
export function readChunk(chunk: SessionChunk, walk: Walk): WalkChunk {
  return {
    policies: readState(chunk.state).policies,
    // Another server scans in another order, so every session has to be visited anew.
    walk: chunk.restarted ? { ...walk, seen: 0 } : walk,
    sessions: [...chunk.snapshots.values()].map(readStored),
    next: chunk.next,
    clock: chunk.clock,
    seq: chunk.seq,
  };
}

/** What to write so that the outcome of a walk's chunk becomes true. */
export function writeWalk(chunk: SessionChunk, outcome: WalkOutcome, nextToken: string): Commit {
  const { policies, walk } = outcome;
  return {
    ...writeChanges(chunk, outcome),
    token: chunk.token,
    nextToken,
    last: null,
    clock: chunk.clock,
    state: JSON.stringify({ policies, ...(walk && { walk }) } satisfies PartitionState),
    consumed: new Map(),
  };
}

function writeChanges(
  { head, seq }: Pick<Batch, "head" | "seq">,
  outcome: Outcome,
  traceOf: TraceOf = () => undefined,
): Pick<Commit, "snapshots" | "timers" | "records" | "effects" | "counters"> {
  const snapshots = new Map<SessionKey, string | null>();
  const timers = new Map<SessionKey, number | null>();
  for (const [id, session] of outcome.sessions) snapshots.set(sessionKey(id), encodeSession(session));
  for (const id of outcome.retired) snapshots.set(sessionKey(id), null);
  const isNamed = (id: SessionId): boolean => outcome.sessions.has(id) || outcome.retired.has(id);
  for (const [id, due] of outcome.timers) timers.set(isNamed(id) ? sessionKey(id) : id, due);
  return {
    snapshots,
    timers,
    records: chainRecords(
      head,
      seq + 1,
      outcome.records.map((record) => JSON.stringify(record)),
    ),
    effects: outcome.effects.map((effect) => ({ id: effect.id, body: effectBody(effect, traceOf(effect.id)) })),
    counters: outcome.counters,
  };
}

/** An effect as it stands in the outbox and as a receiver gets it. */
export interface EffectMessage {
  /** `<partition>-<seq>-<n>-<digest>`, as effect-id.ts has it: the same at every attempt. */
  readonly id: string;
  readonly session: SessionId;
  readonly revision: number;
  /** Partition's clock, epoch ms. */
  readonly at: number;
  readonly kind: "state" | "command";
  readonly type: string;
  readonly data: unknown;
  /** Where the trace of the event that it follows from goes on. */
  readonly traceparent?: TraceParent;
}

export function effectBody(
  { session, revision, at, effect }: OutgoingEffect,
  traceparent: TraceParent | undefined,
): string {
  return JSON.stringify({
    session,
    revision,
    at,
    kind: EFFECTS[effect.type].kind,
    type: effect.type,
    data: effect.data,
    ...(traceparent !== undefined && { traceparent }),
  } satisfies Omit<EffectMessage, "id">);
}

/** @param id the effect's name outside its partition */
export function readEffect(id: string, body: string): EffectMessage {
  return { id, ...(JSON.parse(body) as Omit<EffectMessage, "id">) };
}
