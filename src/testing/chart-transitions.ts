/**
 * Every transition that the chart has: from each state that a session can rest in, for each event that it answers there, each branch
 * that its guards tell apart. What settles goes where the ladder leads, so it has no state of its own to lead to.
 */
import { EVENTS, type SessionEvent } from "../../machines/events/catalogue.js";
import { AFTER_TIMERS } from "../../machines/session/after-timers.js";
import { sessionChart } from "../../machines/session/chart.js";
import { type SessionContext, STATES, type StatePath } from "../../machines/session/context.js";
import { guards } from "../../machines/session/guards.js";

export interface ChartTransition {
  readonly state: StatePath;
  readonly event: string;
  /** Name of the guard that must hold; absent: taken whenever no earlier one is. */
  readonly when?: string;
  /** A state, or `settles`: wherever the facts lead, or `stays`. */
  readonly leads: StatePath | "settles" | "stays";
}

type ChartNode = ReturnType<typeof sessionChart.getStateNodeById>;
type Definition = ReturnType<typeof sessionChart.getTransitionData>[number];

/** A transition's name: unlike its object it means the same in another process. */
export const transitionName = ({ state, event, when, leads }: ChartTransition): string =>
  [state, event, ...(when === undefined ? [] : [`[${when}]`]), "→", leads].join(" ");

const XSTATE_TYPES = new Map<string, string>(AFTER_TIMERS.map(({ event, xstateId }) => [event.type, xstateId]));

/** By name, in the order of the states and of the events' reference. */
export const CHART_TRANSITIONS: ReadonlyMap<string, ChartTransition> = new Map(
  STATES.flatMap((state) => [...EVENTS.keys()].flatMap((event) => transitionsOf(state, event))).map((one) => [
    transitionName(one),
    one,
  ]),
);

/** As XState asks: from the innermost state outwards, until one is taken whatever the facts. */
function transitionsOf(state: StatePath, event: string): readonly ChartTransition[] {
  const found: ChartTransition[] = [];
  const type = XSTATE_TYPES.get(event) ?? event;
  for (let node: ChartNode | undefined = nodeOf(state); node !== undefined; node = node.parent) {
    for (const definition of [...(node.transitions.get(type) ?? []), ...(node.transitions.get("*") ?? [])]) {
      const answer = answerByType(definition, event);
      if (answer === "never") continue;
      // One that leads nowhere and does nothing is there to swallow the event.
      if (definition.target !== undefined || definition.actions.length > 0)
        found.push(asTransition(state, event, definition));
      if (answer === "always") return found;
    }
  }
  return found;
}

function asTransition(state: StatePath, event: string, { guard, target }: Definition): ChartTransition {
  return { state, event, ...(typeof guard === "string" && { when: guard }), leads: leadsTo(target?.[0]) };
}

function leadsTo(target: ChartNode | undefined): ChartTransition["leads"] {
  if (target === undefined) return "stays";
  if (target.key === "settling") return "settles";
  const [first] = target.initial?.target ?? [];
  const path = target.path.join(".") as StatePath;
  return first === undefined || STATES.includes(path) ? path : (first.path.join(".") as StatePath);
}

/** What a guard says that looks at nothing but the event's type; of any other nothing is known. */
function answerByType({ guard }: Definition, type: string): "always" | "never" | "unknown" {
  if (typeof guard !== "string") return "always";
  const watch = (bare: object): never =>
    new Proxy(bare, {
      get: (_, key) => {
        if (key === "type") return type;
        throw new LookedFurther();
      },
    }) as never;
  // A context has no type, so whatever is read of it is a look further.
  const context = new Proxy(
    {},
    {
      get: () => {
        throw new LookedFurther();
      },
    },
  ) as SessionContext;
  try {
    return guards[guard as keyof typeof guards]({ context, event: watch({}) }) ? "always" : "never";
  } catch {
    return "unknown";
  }
}

class LookedFurther extends Error {}

function nodeOf(state: StatePath): ChartNode {
  return sessionChart.getStateNodeById(`${sessionChart.id}.${state}`);
}

/** The transition that a session in this state takes; `undefined`: it does not answer the event. */
export function takenTransition(state: StatePath, context: SessionContext, event: SessionEvent): string | undefined {
  const [parent = state, child] = state.split(".");
  const snapshot = sessionChart.resolveState({
    value: child === undefined ? parent : { [parent]: child },
    context,
  } as never);
  const xstateType = XSTATE_TYPES.get(event.type);
  const [definition] = sessionChart.getTransitionData(
    snapshot,
    (xstateType === undefined ? event : { type: xstateType }) as SessionEvent,
  );
  return definition === undefined ? undefined : transitionName(asTransition(state, event.type, definition));
}
