/** What stands in an inbox entry: written here on acceptance, read by whoever folds. */
import type { Occurrence } from "../../machines/step-record.js";
import type { Entry } from "../../machines/fold-batch.js";
import type { SessionEvent, SessionEventOf } from "../../machines/events/catalogue.js";
import type { SessionId } from "../../machines/session/session.js";
import { type UserRecord, userChanged } from "../../machines/users/user-record.js";
import { firstOf } from "../store/entry-id.js";
import type { InboxEntry } from "../store/partition-store.js";
import type { TraceParent } from "../tracing/trace-parent.js";
import type { AcceptedEvent, AcceptedUserEvent } from "./accept.js";

/**
 * Short names, since every event passes through: session, source, id, producer's time in epoch ms, the event, the version of
 * the user's record that an event about the user made, and where its trace goes on.
 */
interface EventBody {
  readonly s: string;
  readonly o: string;
  readonly i: string;
  readonly t: number;
  readonly e: SessionEvent;
  readonly u?: number;
  readonly p?: TraceParent;
}

/** An event that Gatehouse makes itself, outside the fold. */
interface OwnBody {
  readonly s: string;
  readonly e: SessionEventOf<"user.changed" | "session.retired" | QuarantineDecision>;
  /** Events that were set aside, as their records tell of them. */
  readonly r?: readonly Occurrence[];
}

export type QuarantineDecision = "quarantine.lifted" | "quarantine.dropped";

type Body =
  | EventBody
  | OwnBody
  | { readonly publish: { readonly tenant: string; readonly version: number } }
  | { readonly clock: true };

/** @param traceparent not part of what makes an event the same event: sent again, it may belong to another trace */
export function eventBody(
  { session, source, id, time, event }: Omit<AcceptedEvent, "traceparent">,
  traceparent?: TraceParent,
): string {
  const body = { s: session, o: source, i: id, t: time, e: event } satisfies EventBody;
  return JSON.stringify(traceparent === undefined ? body : ({ ...body, p: traceparent } satisfies EventBody));
}

/** @param version of the user's record that the event made; 0: it came too late for the record */
export function userEventBody(
  session: SessionId,
  { source, id, time, event }: Pick<AcceptedUserEvent, "source" | "id" | "time" | "event">,
  version: number,
): string {
  return JSON.stringify({ s: session, o: source, i: id, t: time, e: event, u: version } satisfies EventBody);
}

/** Brings a session up to the user's record. */
export function userChangedBody(session: SessionId, record: UserRecord): string {
  return JSON.stringify({ s: session, e: userChanged(record) } satisfies OwnBody);
}

/** Decides on a session that was set aside, and takes in again what was set aside with it. */
export function quarantineBody(
  session: SessionId,
  event: SessionEventOf<QuarantineDecision>,
  redriven: readonly Occurrence[],
): string {
  return JSON.stringify({ s: session, e: event, r: redriven } satisfies OwnBody);
}

/** Has a session forgotten. */
export function retireBody(session: SessionId, event: SessionEventOf<"session.retired">): string {
  return JSON.stringify({ s: session, e: event } satisfies OwnBody);
}

export function publishBody(tenant: string, version: number): string {
  return JSON.stringify({ publish: { tenant, version } } satisfies Body);
}

/** Moves a partition's clock on, where the clock is the events' own. */
export const CLOCK_BODY = JSON.stringify({ clock: true } satisfies Body);

/** An entry, and where its trace goes on. */
export type ReadEntry = Entry & { readonly traceparent?: TraceParent };

export function readEntry({ id, body }: InboxEntry): ReadEntry {
  const at = firstOf(id);
  const stored = JSON.parse(body) as Body;
  if ("clock" in stored) return { kind: "clock", at };
  if ("publish" in stored) return { kind: "publish", ...stored.publish, at };
  if (!("o" in stored)) {
    const { s: session, e: event, r: redriven } = stored;
    return { kind: "event", session, occurrence: { event, at }, ...(redriven && { redriven }) };
  }
  const { s: session, e: event, o: source, i, t: time, u: userVersion, p: traceparent } = stored;
  const origin = { source, id: i, time, entry: id };
  return {
    kind: "event",
    session,
    occurrence: userVersion === undefined ? { event, at, origin } : { event, at, origin, userVersion },
    ...(traceparent !== undefined && { traceparent }),
  };
}
