/**
 * One transition of the chart, run by XState on a session's context: where it leads, and, of the actions that it asks for, the deadlines
 * and the effects. Nothing is executed.
 */
import { EFFECTS, type Effect, type EffectType } from "./effects/catalogue.js";
import type { SessionEvent } from "./events/catalogue.js";
import { AFTER_TIMERS } from "./session/after-timers.js";
import type { ChartRunner } from "./session/chart-runner.js";
import type { sessionChart } from "./session/chart.js";
import type { SessionContext, StatePath } from "./session/context.js";
import { DEADLINES, copyOf } from "./session/deadlines.js";
import { type EffectParams, effectData } from "./session/effect-data.js";

export interface Moved {
  readonly handled: boolean;
  readonly state: StatePath;
  readonly context: SessionContext;
  /** `undefined`: as they were. */
  readonly timers: Readonly<Record<string, number>> | undefined;
  readonly effects: readonly Effect[];
}

const AFTER_BY_XSTATE_ID = new Map(AFTER_TIMERS.map((timer) => [timer.xstateId, timer]));
const AFTER_BY_EVENT = new Map<string, string>(AFTER_TIMERS.map((timer) => [timer.event.type, timer.xstateId]));

/** The event that each armed deadline raises, by the deadline's id. */
export const TIMER_EVENTS: ReadonlyMap<string, SessionEvent> = new Map([
  ...DEADLINES.map(({ id, event }) => [id, event] as const),
  ...AFTER_TIMERS.map(({ id, event }) => [id, event] as const),
]);

interface ExecutedAction {
  readonly type: string;
  readonly params: unknown;
  readonly info: { readonly context: unknown; readonly event: unknown };
}

/**
 * One inert actor scope, used again for every step: it collects the actions of a transition and runs none. XState's own
 * `transition()` builds an actor a call for the same result.
 */
const executed: ExecutedAction[] = [];
let handled: boolean | undefined;
const INERT_SCOPE = {
  self: { id: "session", sessionId: "session", _processingStatus: 1, src: "session" },
  id: "session",
  sessionId: "session",
  logger: () => {},
  defer: () => {},
  emit: () => {},
  stopChild: () => {},
  actionExecutor: (action: ExecutedAction) => {
    executed.push(action);
  },
  system: {
    /** The first microstep tells whether the state answers the event: a transition that goes nowhere and does nothing is none. */
    _sendInspectionEvent: ({ _transitions = [] }: { _transitions?: readonly Selected[] }) => {
      handled ??= _transitions.some(({ target, actions }) => target !== undefined || actions.length > 0);
    },
  },
};

interface Selected {
  readonly target: unknown;
  readonly actions: readonly unknown[];
}

type TransitionArguments = Parameters<typeof sessionChart.transition>;

/** @throws whatever a guard or an action throws */
export function move(chart: ChartRunner, state: StatePath, context: SessionContext, event: SessionEvent): Moved {
  executed.length = 0;
  handled = undefined;
  const xstateId = AFTER_BY_EVENT.get(event.type);
  const snapshot = chart.machine.transition(
    { ...chart.resting(state), context } as TransitionArguments[0],
    (xstateId === undefined ? event : { type: xstateId }) as TransitionArguments[1],
    INERT_SCOPE as never as TransitionArguments[2],
  );
  if (handled !== true) return { handled: false, state, context, timers: undefined, effects: [] };

  const effects: Effect[] = [];
  let timers: Record<string, number> | undefined;
  for (const { type, params, info } of executed) {
    if (type === "xstate.raise") {
      const { id, delay } = params as { id?: string; delay?: number };
      if (delay === undefined || id === undefined) continue;
      timers ??= copyOf(context.step.armed);
      timers[AFTER_BY_XSTATE_ID.get(id)?.id ?? id] = context.step.now + delay;
    } else if (type === "xstate.cancel") {
      const { sendId } = params as { sendId: string };
      const id = AFTER_BY_XSTATE_ID.get(sendId)?.id ?? sendId;
      if ((timers ?? context.step.armed)[id] !== undefined) timers = copyOf(timers ?? context.step.armed, id);
    } else if (type in EFFECTS) {
      collectEffect(effects, type as EffectType, info.context as SessionContext, event, (params ?? {}) as EffectParams);
    }
  }
  return {
    handled: true,
    state: statePath(snapshot.value),
    context: snapshot.context as SessionContext,
    timers,
    effects,
  };
}

function collectEffect(
  effects: Effect[],
  type: EffectType,
  context: SessionContext,
  event: SessionEvent,
  params: EffectParams,
): void {
  if (params.at !== undefined && !arrives(context, event, params.at) && !isRephrased(type, event)) return;
  const data = effectData(type, context, event, params);
  if (data === null) return;
  for (const one of Array.isArray(data) ? data : [data]) effects.push({ type, data: one } as Effect);
}

/** Arriving is coming from elsewhere, with another cause, or being shown the state again: at a sign-in, or a switch to the account. */
function arrives({ step: { rest, restCause }, cause }: SessionContext, event: SessionEvent, at: string): boolean {
  if (rest !== at && !rest.startsWith(`${at}.`)) return true;
  if (at === "noncompliant" && cause !== restCause) return true;
  return event.type === "account.signedIn" || (event.type === "account.switched" && event.role !== "from");
}

/** A prompt says what the rules ask for, so other rules ask anew. */
function isRephrased(type: EffectType, event: SessionEvent): boolean {
  return event.type === "policy.changed" && (type === "promptPinSetup" || type === "promptPin");
}

function statePath(value: unknown): StatePath {
  if (typeof value === "string") return value as StatePath;
  const [[parent, child] = []] = Object.entries(value as Record<string, string>);
  return `${parent}.${child}` as StatePath;
}
