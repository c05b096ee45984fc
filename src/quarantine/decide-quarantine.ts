/**
 * Decides on a session that was set aside: lets it go on, or gives it up. The decision travels through the inbox like any event, so
 * that the worker takes it in its turn, and carries the events that were set aside, so that both come true together. It holds for the
 * session as it was looked at: if more was recorded since, it changes nothing and is made anew.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { JournalRecord } from "../../machines/outcome.js";
import { organisationEvents } from "../../machines/quarantine.js";
import { type SessionId, sessionIdParts } from "../../machines/session/session.js";
import { type QuarantineDecision, eventBody, quarantineBody } from "../ingest/inbox-body.js";
import type { Wake } from "../ingest/ingest.js";
import { readHistory } from "../sessions/history.js";
import type { Append, PartitionStore } from "../store/partition-store.js";
import { readStored } from "../store/partition-view.js";
import { ownFingerprint, sessionKey } from "../store/session-key.js";
import { NotQuarantinedError } from "./quarantine-errors.js";
import { type SetAside, readSetAside, recordsNaming } from "./set-aside.js";

/** What one decision may carry: as much as a worker folds and commits in well under a second. */
const MAX_EVENTS = 10_000;
const MAX_BYTES = 8 * 1024 * 1024;

/** How often a decision is made anew because more came in between. */
const ATTEMPTS = 5;
const POLL_MS = 25;

export interface DecideTarget {
  readonly store: PartitionStore;
  readonly wake: Wake;
}

export interface DecideOptions {
  /** How long a worker is waited for, ms. */
  readonly waitMs: number;
  /** Although the journal no longer holds the first of the events that were set aside. */
  readonly despiteLoss?: boolean;
  /** Nothing more is begun when it aborts; what was sent is carried out all the same. */
  readonly signal?: AbortSignal;
}

export type Decided =
  /** It goes on, or is given up, and so many events were taken in. */
  | { readonly status: "done"; readonly events: number; readonly state: string }
  /** Lifted, an event could not be applied again: it and what follows are set aside as before. */
  | { readonly status: "again"; readonly reason: string; readonly events: number }
  /** It was decided before, by this command or another. */
  | { readonly status: "free" }
  /** No worker has come to it yet. It stands in the inbox, or waits behind events that do. */
  | { readonly status: "waiting" }
  /** The journal no longer holds all that was set aside. Nothing was done. */
  | { readonly status: "cut" }
  /** The snapshot can't be read, so there is nothing to go on from. Nothing was done. */
  | { readonly status: "unreadable" }
  /** More than one decision may carry. Nothing was done. */
  | { readonly status: "tooMany"; readonly events: number }
  /** There is no such session. */
  | { readonly status: "unknown" };

/** @throws StoreUnavailableError, MachineVersionError; run again, it goes on */
export async function decideQuarantine(
  target: DecideTarget,
  session: SessionId,
  decision: QuarantineDecision,
  options: DecideOptions,
): Promise<Decided> {
  const endsAt = performance.now() + options.waitMs;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await readOrFree(target.store, session);
    if (found === undefined) return { status: "unknown" };
    if (found === "free") return { status: "free" };
    const hindrance = hindranceTo(decision, found, options);
    if (hindrance !== undefined) return hindrance;
    if (found.waiting > 0) {
      // What waits is recorded before the decision is taken: it would come too late for it.
      target.wake(found.partition);
      if (performance.now() >= endsAt || options.signal?.aborted === true) return { status: "waiting" };
      await delay(POLL_MS);
      attempt--;
      continue;
    }
    const sent = await send(target, decision, found);
    if (sent === undefined) return { status: "tooMany", events: found.toRedrive.length };
    const record = await committed(target.store, found, decision, endsAt);
    if (record === undefined) return { status: "waiting" };
    if (record.outcome === "stale") continue;
    if (found.kind === "unreadable") await obeyMissed(target, found, record.seq);
    return outcomeOf(target.store, found, sent);
  }
  return { status: "waiting" };
}

async function readOrFree(store: PartitionStore, session: SessionId): Promise<SetAside | "free" | undefined> {
  try {
    return await readSetAside(store, session);
  } catch (error) {
    if (error instanceof NotQuarantinedError) return "free";
    throw error;
  }
}

function hindranceTo(
  decision: QuarantineDecision,
  { kind, isCut }: SetAside,
  { despiteLoss = false }: DecideOptions,
): Decided | undefined {
  if (decision === "quarantine.dropped") return undefined;
  if (kind === "unreadable") return { status: "unreadable" };
  return isCut && !despiteLoss ? { status: "cut" } : undefined;
}

/** @returns how many events it carries; `undefined`: too many */
async function send(
  { store, wake }: DecideTarget,
  decision: QuarantineDecision,
  found: SetAside,
): Promise<number | undefined> {
  const { session, partition, kind, lastRecord: upTo, now } = found;
  const redriven = decision === "quarantine.lifted" ? found.toRedrive : found.toObey;
  if (redriven.length > MAX_EVENTS) return undefined;
  const last = kind === "unreadable" ? lastKnown(found.records) : undefined;
  const events = redriven.length;
  const body = quarantineBody(
    session,
    decision === "quarantine.lifted"
      ? { type: decision, upTo, events }
      : { type: decision, upTo, events, ...(last && { last }) },
    redriven,
  );
  if (Buffer.byteLength(body) > MAX_BYTES) return undefined;
  // The same decision on the same records is one, however often it is sent.
  const fingerprint = ownFingerprint(sessionIdParts(session).tenant, `${decision} ${session} ${upTo}`, body);
  await store.ingest(partition, [{ session: sessionKey(session), body, time: now, fingerprint }]);
  wake(partition);
  return events;
}

/**
 * A session that can't be read does not tell how far it was looked at, so a decision on it is never stale. What the organisation said between
 * the look and the decision was recorded, and is not among what the decision carries: it is sent once more, to the session that can be read.
 */
async function obeyMissed({ store, wake }: DecideTarget, found: SetAside, decidedAt: number): Promise<void> {
  const { session, partition, lastRecord } = found;
  const { tenant, device } = sessionIdParts(session);
  const between = (await recordsNaming(store, partition, session)).filter(
    ({ seq, outcome }) => seq > lastRecord && seq < decidedAt && outcome === "quarantined",
  );
  const missed = organisationEvents(between).flatMap(({ event, origin }): Append[] => {
    if (origin === undefined) return [];
    const { source, id, time } = origin;
    const body = eventBody({ session, device, source, id, time, event });
    const own = ownFingerprint(tenant, `obeyed ${session} ${decidedAt} ${source} ${id}`, body);
    return [{ session: sessionKey(session), body, time: found.now, fingerprint: own }];
  });
  if (missed.length === 0) return;
  await store.ingest(partition, missed);
  wake(partition);
}

function lastKnown(records: readonly JournalRecord[]) {
  const told = records.findLast(({ to }) => to !== undefined);
  const begun = records.findLast(({ event }) => event.type === "account.signedIn");
  if (told?.to === undefined) return undefined;
  const platform = begun?.event.type === "account.signedIn" ? begun.event.platform : "ios";
  return { state: told.to, revision: told.revision, platform } as const;
}

/** The record of the decision, once a worker has committed it. */
async function committed(
  store: PartitionStore,
  { session, partition, lastRecord: upTo }: SetAside,
  decision: QuarantineDecision,
  endsAt: number,
): Promise<JournalRecord | undefined> {
  for (;;) {
    const now = await lastRecordOf(store, partition, session);
    if (now !== undefined && now > upTo) {
      const { records } = await readHistory(store, partition, now, { after: upTo });
      const record = records.find(({ event }) => event.type === decision && event.upTo === upTo);
      if (record !== undefined) return record;
    }
    if (performance.now() >= endsAt) return undefined;
    await delay(POLL_MS);
  }
}

async function lastRecordOf(store: PartitionStore, partition: number, session: SessionId): Promise<number | undefined> {
  const text = await store.snapshot(partition, sessionKey(session));
  const stored = text === null ? undefined : readStored(text);
  return stored === undefined || "unreadable" in stored ? undefined : stored.lastRecord;
}

async function outcomeOf(store: PartitionStore, { session, partition }: SetAside, events: number): Promise<Decided> {
  const text = await store.snapshot(partition, sessionKey(session));
  const stored = text === null ? undefined : readStored(text);
  if (stored === undefined || "unreadable" in stored) return { status: "unknown" };
  return stored.quarantine === undefined
    ? { status: "done", events, state: stored.state }
    : { status: "again", reason: stored.quarantine.reason, events };
}
