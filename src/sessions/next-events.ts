/** Which events a session would answer now, as its chart says. */
import { EVENTS, OUTSIDE_EVENT_TYPES } from "../../machines/events/catalogue.js";
import type { Rules } from "../../machines/policy/rules.js";
import { sessionChart } from "../../machines/session/chart.js";
import { guards } from "../../machines/session/guards.js";
import type { SessionContext } from "../../machines/session/context.js";
import { type Session, contextAt } from "../../machines/session/session.js";

export interface NextEvent {
  readonly type: string;
  readonly meaning: string;
  /** Answered only if its payload says so: the same attempt, an enforced denial … */
  readonly conditional: boolean;
}

/** Of the events that are reported from outside, those that would not be ignored; in the order of the reference. */
export function nextEvents(session: Session, rules: Rules, now: number): NextEvent[] {
  const context = contextAt(session, rules, now);
  return OUTSIDE_EVENT_TYPES.flatMap((type) => {
    const answer = session.quarantine === undefined ? answerTo(type, session, context) : "no";
    const meaning = EVENTS.get(type)?.meaning ?? "";
    return answer === "no" ? [] : [{ type, meaning, conditional: answer === "perhaps" }];
  });
}

type Verdict = "yes" | "no" | "perhaps";

/** Asks as XState does: from the innermost state outwards, and in each the transitions in their order. */
function answerTo(type: string, session: Session, context: SessionContext): Verdict {
  let perhapsAnswered = false;
  let perhapsSwallowed = false;
  for (let node = nodeOf(session.state); node !== undefined; node = node.parent) {
    for (const { guard, target, actions } of node.transitions.get(type) ?? node.transitions.get("*") ?? []) {
      const passes = typeof guard === "string" ? ask(guard as keyof typeof guards, type, context) : "yes";
      // One that leads nowhere and does nothing is there to swallow the event.
      const answers = target !== undefined || actions.length > 0;
      if (passes === "yes" && answers) return perhapsSwallowed ? "perhaps" : "yes";
      if (passes === "yes") return perhapsAnswered ? "perhaps" : "no";
      if (passes === "perhaps" && answers) perhapsAnswered = true;
      if (passes === "perhaps" && !answers) perhapsSwallowed = true;
    }
  }
  return perhapsAnswered ? "perhaps" : "no";
}

type ChartNode = ReturnType<typeof sessionChart.getStateNodeById>;

function nodeOf(state: string): ChartNode | undefined {
  return sessionChart.getStateNodeById(`${sessionChart.id}.${state}`);
}

/** A guard that looks at nothing of the event but its type has an answer; of any other it depends on the payload. */
function ask(guard: keyof typeof guards, type: string, context: SessionContext): Verdict {
  let looked = false;
  const event = new Proxy(
    { type },
    {
      get: (bare, key) => {
        if (key === "type") return bare.type;
        looked = true;
        return undefined;
      },
    },
  );
  try {
    const passes = guards[guard]({ context, event: event as never });
    return looked ? "perhaps" : passes ? "yes" : "no";
  } catch {
    return "perhaps";
  }
}
