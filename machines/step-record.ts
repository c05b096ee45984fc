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
  readonly origin?: Origin;
  /** For an event about the user: the version of the user's record that it made; 0: it came too late for the record. */
  readonly userVersion?: number;
  /** It was set aside before: number of the record that told so. */
  readonly redrives?: number;
}

export type Outcome = "applied" | "ignored" | "stale" | "quarantined";

/** What happened to one event: everything that a journal record says, but its place in the journal. */
export interface StepRecord {
  readonly session: SessionId;
  readonly at: number;
  readonly event: SessionEvent;
  readonly origin?: Origin;
  readonly userVersion?: number;
  /** It was set aside before: number of the record that told so. */
  readonly redrives?: number;
  readonly outcome: Outcome;
  /** Why it was not applied. */
  readonly reason?: string;
  /** Absent for an event of a session that does not exist. */
  readonly from?: StatePath;
  /** Absent, too, where the session was retired. */
  readonly to?: StatePath;
  readonly revision: number;
  readonly rules: string;
  /** Catalogue version that the rules come from; absent: it was not told, or there is no session. */
  readonly version?: number;
  /** Facts that changed, with their new values; `null`: no longer there. */
  readonly changed?: Readonly<Record<string, unknown>>;
  readonly effects: readonly Effect[];
  /** The session's previous record, by number; absent: this is its first. */
  readonly previous?: number;
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

/** What a record says of the event that it is about, as it came. */
export function occurred({
  event,
  at,
  origin,
  userVersion,
  redrives,
}: Occurrence): Pick<StepRecord, "at" | "event" | "origin" | "userVersion" | "redrives"> {
  return {
    at,
    event,
    ...(origin && { origin }),
    ...(userVersion !== undefined && { userVersion }),
    ...(redrives !== undefined && { redrives }),
  };
}

/** The record of an event that changed nothing, with the reason. */
export function notApplied(
  session: Session,
  occurrence: Occurrence,
  { rules, version }: InForce,
  outcome: Exclude<Outcome, "applied">,
  reason: string,
): Step {
  return {
    session: { ...session, asOf: occurrence.at },
    record: {
      session: session.id,
      ...occurred(occurrence),
      outcome,
      reason,
      from: session.state,
      to: session.state,
      revision: session.revision,
      rules: rules.hash,
      ...(version !== undefined && { version }),
      effects: [],
      ...(session.lastRecord > 0 && { previous: session.lastRecord }),
    },
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
    ...(origin && { origin }),
    // What is taken in later must be told like the first time.
    ...(outcome === "quarantined" && userVersion !== undefined && { userVersion }),
    outcome,
    reason,
    revision: 0,
    rules: "",
    effects: [],
  };
}
