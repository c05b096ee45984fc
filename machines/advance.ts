/**
 * The one pure way through time. A session is brought up to a moment by folding, in time order, the deadlines that passed and
 * the policy changes that were published until then. So a worker that was down for an hour produces what one that
 * never stopped would have produced.
 */
import { step } from "./fold.js";
import { TIMER_EVENTS } from "./move.js";
import { setAside } from "./quarantine.js";
import type { Step, StepRecord } from "./step-record.js";
import type { Rules } from "./policy/rules.js";
import type { ChartRunner } from "./session/chart-runner.js";
import { copyOf } from "./session/deadlines.js";
import type { Session } from "./session/session.js";

/** A published catalogue version, at the time of its broadcast, which no other entry before it has. No two of a list have the same time. */
export interface Broadcast {
  readonly version: number;
  /** Epoch ms. */
  readonly at: number;
}

/** Which policy a session is under, and when it changed. */
export interface Policies {
  /** Not yet folded into every session, oldest first. */
  readonly broadcasts: readonly Broadcast[];
  /** The version in force before the first of them; 0: none was ever published. */
  readonly base: number;
  /** The rules that a version gives a session. Pure, and remembered. */
  readonly rules: (version: number, session: Session) => Rules;
  /** What sessions are folded with; absent: this release's chart. */
  readonly chart?: ChartRunner;
}

/** Deadlines of one session that may pass in one advance; beyond it the chart is at fault, and the session is quarantined. */
const MAX_FIRINGS = 1_000;

/**
 * Brings the session up to `to` (epoch ms, inclusive) and hands every record to `emit`, which answers with the record's
 * number. Does nothing if it is there already.
 */
export function advance(
  session: Session,
  to: number,
  policies: Policies,
  emit: (record: StepRecord) => number,
): Session {
  let current = session;
  let next = nextBroadcast(policies, current.asOf);
  for (let firings = 0; current.quarantine === undefined; firings++) {
    const timer = earliestDue(current, to);
    const broadcast = policies.broadcasts[next];
    const broadcastIsDue = broadcast !== undefined && broadcast.at <= to;
    if (timer === undefined && !broadcastIsDue) break;
    if (firings >= MAX_FIRINGS) {
      return setAside(current, `more than ${MAX_FIRINGS} deadlines in one advance`, to);
    }
    if (timer !== undefined && !(broadcastIsDue && broadcast.at < timer.due)) {
      current = fire(current, timer.id, timer.due, versionBefore(policies, next), policies, emit);
    } else if (broadcast !== undefined) {
      current = lift(current, broadcast.version, broadcast.at, policies, emit);
      next++;
    }
  }
  return current;
}

/** The catalogue version in force at a time. A change is in force from its own moment on. */
export function versionInForce({ broadcasts, base }: Pick<Policies, "base" | "broadcasts">, at: number): number {
  let version = base;
  for (const broadcast of broadcasts) if (broadcast.at <= at) version = broadcast.version;
  return version;
}

/**
 * Judges the session by the rules that a version gives it now, if they are not the ones it was judged by: as an event of its
 * own, at the time of the change.
 */
export function lift(
  session: Session,
  version: number,
  at: number,
  policies: Policies,
  emit: (record: StepRecord) => number,
): Session {
  const rules = policies.rules(version, session);
  if (rules.hash === session.rulesHash) return session.asOf < at ? { ...session, asOf: at } : session;
  const before = session.rulesHash;
  const targeted = rules.policies.length > 0;
  const event =
    targeted === wasTargeted(session)
      ? ({ type: "policy.changed", version, rules: rules.hash, before } as const)
      : ({ type: "assignment.changed", targeted, version, rules: rules.hash, before } as const);
  return applied(step(session, { event, at }, rules, version, policies.chart), emit);
}

/** Unmanaged for no reason of its own means that no policy covered it. */
function wasTargeted({ state, facts }: Session): boolean {
  return state !== "unenrolled.unmanaged" || facts.licensed === false || facts.released !== undefined;
}

function fire(
  session: Session,
  id: string,
  due: number,
  version: number,
  policies: Policies,
  emit: (record: StepRecord) => number,
): Session {
  const timers = copyOf(session.timers, id);
  const event = TIMER_EVENTS.get(id);
  // A deadline that this machine does not know belongs to another version of it; the version check refuses those.
  if (event === undefined) return { ...session, timers };
  const fired = applied(
    step({ ...session, timers }, { event, at: due }, policies.rules(version, session), version, policies.chart),
    emit,
  );
  // One that could not be processed passes again when the quarantine is lifted.
  return fired.quarantine === undefined ? fired : { ...fired, timers: session.timers };
}

/** The session after a step that left one, knowing the number of the record that told of it. */
export function applied({ session, record }: Step, emit: (record: StepRecord) => number): Session {
  const lastRecord = emit(record);
  const { id, state, facts, timers, rulesHash, revision, asOf, restrictedAt, quarantine } = session as Session;
  const known = { id, state, facts, timers, rulesHash, revision, lastRecord, asOf, restrictedAt, quarantine };
  return known satisfies { [Field in keyof Required<Session>]: unknown };
}

function earliestDue({ timers }: Session, to: number): { id: string; due: number } | undefined {
  let earliest: { id: string; due: number } | undefined;
  for (const id in timers) {
    const due = timers[id] as number;
    // Of two that are due at once the one whose name comes first goes first: any order will do, if it is always the same.
    if (due <= to && (earliest === undefined || due < earliest.due || (due === earliest.due && id < earliest.id))) {
      earliest = { id, due };
    }
  }
  return earliest;
}

/** Index of the first broadcast that the session may not have folded in; folding one in again changes nothing. */
function nextBroadcast({ broadcasts }: Policies, asOf: number): number {
  let index = 0;
  while (index < broadcasts.length && (broadcasts[index] as Broadcast).at < asOf) index++;
  return index;
}

/** The version in force just before the broadcast with this index. */
function versionBefore({ broadcasts, base }: Policies, index: number): number {
  return index === 0 ? base : (broadcasts[index - 1] as Broadcast).version;
}
