/** What a step says of one event: everything that the journal keeps of it. */
import type { Effect } from "./effects/catalogue.js";
import type { SessionEvent } from "./events/catalogue.js";
import type { Rules } from "./policy/rules.js";
import type { StatePath } from "./session/context.js";
import type { Session, SessionId } from "./session/session.js";

/** Where an event came from; absent on the fold's own events. */
export interface Origin {
  /** CloudEvent `source` and `id`: together they make the event unique. */
  readonly source: string;
  readonly id: string;
  /** The producer's time, epoch ms. */
  readonly time: number;
  /** Id of the inbox entry it was accepted as. */
  readonly entry: string;
}

/** An event at its place in the session's life. */
export interface Occurrence {
  readonly event: SessionEvent;
  /** The partition's clock, epoch ms: when it was accepted, or when the deadline was due. */
  readonly at: number;
  readonly origin?: Origin | undefined;
  /** For an event about the user: the version of the user's record that it made; 0: it came too late for the record. */
  readonly userVersion?: number | undefined;
  /** It was set aside before: number of the record that told so. */
  readonly redrives?: number | undefined;
}

export type Outcome = "applied" | "ignored" | "stale" | "quarantined";

/** What happened to one event: everything that a journal record says, but its place in the journal. A field that is `undefined` is not said. */
export interface StepRecord {
  readonly session: SessionId;
  readonly at: number;
  readonly event: SessionEvent;
  readonly origin?: Origin | undefined;
  readonly userVersion?: number | undefined;
  /** It was set aside before: number of the record that told so. */
  readonly redrives?: number | undefined;
  readonly outcome: Outcome;
  /** Why it was not applied. */
  readonly reason?: string | undefined;
  /** Absent for an event of a session that does not exist. */
  readonly from?: StatePath | undefined;
  /** Absent, too, where the session was retired. */
  readonly to?: StatePath | undefined;
  readonly revision: number;
  readonly rules: string;
  /** Catalogue version that the rules come from; absent: it was not told, or there is no session. */
  readonly version?: number | undefined;
  /** Facts that changed, with their new values; `null`: no longer there. */
  readonly changed?: Readonly<Record<string, unknown>> | undefined;
  readonly effects: readonly Effect[];
  /** The session's previous record, by number; absent: this is its first. */
  readonly previous?: number | undefined;
}

export interface Step {
  /** Absent: it was retired, and there is none any more. */
  readonly session?: Session;
  readonly record: StepRecord;
}

/** The rules under which an event is applied, and the catalogue version that they come from. */
export interface InForce {
  readonly rules: Rules;
  readonly version: number | undefined;
}

/** What a step made of an event, for its record. */
interface Made {
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly to: StatePath | undefined;
  readonly revision: number;
  readonly changed?: Readonly<Record<string, unknown>> | undefined;
  readonly effects: readonly Effect[];
}

/**
 * The record of a step. One is made of every event, and with every field written out all of them have one shape: what reads them is
 * several times faster than with fields that are there or not.
 * @param session as it was
 */
export function recordOf(
  { id, state, lastRecord }: Session,
  { event, at, origin, userVersion, redrives }: Occurrence,
  { rules, version }: InForce,
  { outcome, reason, to, revision, changed, effects }: Made,
): StepRecord {
  return {
    session: id,
    at,
    event,
    origin,
    userVersion,
    redrives,
    outcome,
    reason,
    from: state,
    to,
    revision,
    rules: rules.hash,
    version,
    changed,
    effects,
    previous: lastRecord > 0 ? lastRecord : undefined,
  } satisfies { [Field in keyof Required<StepRecord>]: unknown };
}

/** The record of an event that changed nothing, with the reason. */
export function notApplied(
  session: Session,
  occurrence: Occurrence,
  inForce: InForce,
  outcome: Exclude<Outcome, "applied">,
  reason: string,
): Step {
  const { state, revision } = session;
  return {
    session: { ...session, asOf: occurrence.at },
    record: recordOf(session, occurrence, inForce, { outcome, reason, to: state, revision, effects: [] }),
  };
}

/** The record of an event for a session that does not exist, or whose snapshot can't be read. */
export function strayRecord(
  session: SessionId,
  { event, at, origin, userVersion }: Occurrence,
  outcome: "ignored" | "quarantined",
  reason: string,
): StepRecord {
  return {
    session,
    at,
    event,
    origin,
    // What is taken in later must be told like the first time.
    userVersion: outcome === "quarantined" ? userVersion : undefined,
    outcome,
    reason,
    revision: 0,
    rules: "",
    effects: [],
  };
}
