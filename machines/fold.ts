/**
 * The one idea: a session is a pure fold over its events. `step` takes a session, one event and the rules, and
 * gives the next session, the record of what happened and the effects that follow. Worker, decision, replay and tests all call
 * it.
 */
import { decideQuarantine } from "./decide-quarantine.js";
import { EVENTS } from "./events/catalogue.js";
import { type Moved, move } from "./move.js";
import type { Cause } from "./policy/causes.js";
import type { Platform, Rules } from "./policy/rules.js";
import { setAside } from "./quarantine.js";
import { retire } from "./retire.js";
import { SESSION_CHART } from "./session/chart-runner.js";
import { newFacts } from "./session/context.js";
import { standingCauses } from "./session/ladder.js";
import { type Session, type SessionId, contextAt, storedFacts } from "./session/session.js";
import { type Occurrence, type Step, notApplied, recordOf } from "./step-record.js";

const OLDER_THAN_RECORD = "older than what the session knows of the user";
const TOO_LATE_FOR_RECORD = "older than the last event that restricted the user";

/** A session that begins, under the rules that it is given then: nobody has signed in yet. */
export function newSession(id: SessionId, platform: Platform, rules: (session: Session) => Rules, at: number): Session {
  const unjudged: Session = {
    id,
    state: "unenrolled.checking",
    facts: newFacts({ platform, enrollment: "none" }),
    timers: {},
    rulesHash: "",
    revision: 0,
    lastRecord: 0,
    asOf: at,
  };
  return { ...unjudged, rulesHash: rules(unjudged).hash };
}

/**
 * Applies one event to a session that was advanced to the event's time, under the rules in force then.
 * @param version of the catalogue that the rules come from, for the record
 * @param chart another one than this release's
 * Never throws: what goes wrong in a guard or an action quarantines the session.
 */
export function step(
  session: Session,
  occurrence: Occurrence,
  rules: Rules,
  version?: number,
  chart = SESSION_CHART,
): Step {
  const { event, at, origin, userVersion } = occurrence;
  const inForce = { rules, version };
  if (event.type === "quarantine.lifted" || event.type === "quarantine.dropped") {
    return decideQuarantine(session, { ...occurrence, event }, inForce, chart);
  }
  if (event.type === "session.retired") return retire(session, { ...occurrence, event }, inForce);
  if (session.quarantine !== undefined) {
    return notApplied(session, occurrence, inForce, "quarantined", session.quarantine.reason);
  }
  const knownVersion = session.facts.userVersion ?? 0;
  const toldVersion = event.type === "user.changed" ? event.version : userVersion;
  if (toldVersion !== undefined && (toldVersion < knownVersion || toldVersion === 0)) {
    return notApplied(
      session,
      occurrence,
      inForce,
      "stale",
      toldVersion === 0 ? TOO_LATE_FOR_RECORD : OLDER_THAN_RECORD,
    );
  }
  const bearing = EVENTS.get(event.type)?.bearing(event as never) ?? "neutral";
  // Of events about the user the user's record has said already which came last.
  const isOlder =
    userVersion === undefined &&
    origin !== undefined &&
    session.restrictedAt !== undefined &&
    origin.time < session.restrictedAt;
  if (isOlder && bearing === "relaxing") {
    return notApplied(session, occurrence, inForce, "stale", "older than the last restricting event");
  }

  const before = contextAt(session, rules, at);
  let next: Moved;
  let restricts = bearing === "restricting";
  let relaxes = false;
  try {
    next = move(chart, session.state, before, event);
    if (bearing === "judged" && next.handled) {
      const stood = standingCauses(before);
      const stands = standingCauses(next.context);
      restricts = stands.some((cause: Cause) => !stood.includes(cause));
      relaxes = stood.some((cause) => !stands.includes(cause));
    }
  } catch (error) {
    const reason = `${event.type} in ${session.state}: ${error instanceof Error ? error.message : String(error)}`;
    return notApplied(setAside(session, reason, at, event.type), occurrence, inForce, "quarantined", reason);
  }
  if (!next.handled) {
    return notApplied(session, occurrence, inForce, "ignored", `${session.state} does not answer ${event.type}`);
  }

  if (isOlder && relaxes) {
    return notApplied(session, occurrence, inForce, "stale", "older than the last restricting event");
  }

  // One that was missed in between leaves the session behind: it says so until it is told the whole record.
  const isNext = userVersion === knownVersion + 1;
  const { facts, changed } = storedFacts(session.facts, isNext ? { ...next.context, userVersion } : next.context);
  const timers = next.timers ?? session.timers;
  const revision = session.revision + 1;
  return {
    session: {
      id: session.id,
      state: next.state,
      facts,
      timers,
      rulesHash: rules.hash,
      revision,
      lastRecord: session.lastRecord,
      asOf: at,
      // A clock that runs ahead must not make every later event look old.
      restrictedAt:
        restricts && origin !== undefined
          ? Math.max(session.restrictedAt ?? 0, Math.min(origin.time, at))
          : session.restrictedAt,
    },
    record: recordOf(session, occurrence, inForce, {
      outcome: "applied",
      to: next.state,
      revision,
      changed,
      effects: next.effects,
    }),
  };
}
