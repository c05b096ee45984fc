/** Everything about one session as it stands now, as one document. */
import { decide } from "../../machines/decision.js";
import { TIMER_EVENTS } from "../../machines/move.js";
import type { Rules } from "../../machines/policy/rules.js";
import type { Session } from "../../machines/session/session.js";
import type { Look } from "./look.js";
import { nextEvents } from "./next-events.js";

/** A session that can be read, and what is known of it. */
export interface FoundSession extends Look {
  readonly session: Session;
  readonly rules: Rules;
}

export interface Timer {
  readonly id: string;
  readonly due: number;
  /** What the fold makes of it when it passes. */
  readonly event: string;
}

export const timersOf = ({ timers }: Session): Timer[] =>
  Object.entries(timers)
    .map(([id, due]) => ({ id, due, event: TIMER_EVENTS.get(id)?.type ?? "" }))
    .sort((one, other) => one.due - other.due);

export const factsOf = ({ facts }: Session): [string, unknown][] =>
  Object.entries(facts).filter(([name, value]) => name !== "step" && value !== undefined);

export function sessionDocument(found: FoundSession) {
  const { session, rules, now, waiting, partition } = found;
  return {
    session: session.id,
    partition,
    state: session.state,
    revision: session.revision,
    asOf: session.asOf,
    now,
    waiting,
    decision: decide(session, rules, now),
    timers: timersOf(session),
    facts: Object.fromEntries(factsOf(session)),
    rules,
    ...(session.restrictedAt !== undefined && { restrictedAt: session.restrictedAt }),
    ...(session.quarantine !== undefined && { quarantine: session.quarantine }),
    nextEvents: nextEvents(session, rules, now),
  };
}
