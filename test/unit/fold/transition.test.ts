/** The fold takes a short cut through XState; it must come out where XState's own `transition()` does. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type ExecutableActionObject, assign, transition } from "xstate";
import { EFFECTS, type Effect, type EffectType } from "../../../machines/effects/catalogue.js";
import { step } from "../../../machines/fold.js";
import type { SessionEvent } from "../../../machines/events/catalogue.js";
import type { Rules } from "../../../machines/policy/rules.js";
import { factsOf } from "../../../machines/session/facts.js";
import { AFTER_TIMERS } from "../../../machines/session/after-timers.js";
import { ChartRunner } from "../../../machines/session/chart-runner.js";
import { sessionChart } from "../../../machines/session/chart.js";
import type { SessionContext } from "../../../machines/session/context.js";
import { effectData, type EffectParams } from "../../../machines/session/effect-data.js";
import { sessionIdParts, type Session } from "../../../machines/session/session.js";
import { histories, play } from "./histories.js";

/** What XState itself makes of an event: state, facts, deadlines and effects. */
function byXState(session: Session, event: SessionEvent, at: number, rules: Rules) {
  const [parent = "", child] = session.state.split(".");
  const context: SessionContext = {
    ...session.facts,
    step: {
      now: at,
      rules,
      user: sessionIdParts(session.id).user,
      rest: session.state,
      restCause: session.facts.cause,
      armed: session.timers,
    },
  };
  const resting = sessionChart.resolveState({
    value: child === undefined ? parent : { [parent]: child },
    context,
  } as never);
  const after = AFTER_TIMERS.find((timer) => timer.event.type === event.type);
  const [next, actions] = transition(
    sessionChart,
    resting,
    (after === undefined ? event : { type: after.xstateId }) as SessionEvent,
  );
  const timers: Record<string, number> = { ...session.timers };
  const effects: Effect[] = [];
  for (const action of actions as readonly ExecutableActionObject[]) {
    const params = (action.params ?? {}) as { id?: string; sendId?: string; delay?: number } & EffectParams;
    const id = params.id ?? params.sendId;
    const name = AFTER_TIMERS.find(({ xstateId }) => xstateId === id)?.id ?? id ?? "";
    if (action.type === "xstate.raise" && params.delay !== undefined) timers[name] = at + params.delay;
    else if (action.type === "xstate.cancel") delete timers[name];
    else if (action.type in EFFECTS) {
      const type = action.type as EffectType;
      const then = action.info.context as SessionContext;
      if (params.at !== undefined && !arrives(session, then, event, params.at)) continue;
      const data = effectData(type, then, event, params);
      if (data !== null) for (const one of [data].flat()) effects.push({ type, data: one } as Effect);
    }
  }
  const { value } = next;
  const state = typeof value === "string" ? value : Object.entries(value).flat().join(".");
  const { step: _, ...facts } = next.context as SessionContext & { step: unknown };
  return { state, facts, timers, effects };
}

/** An effect of arrival is given on coming from elsewhere, for another cause, or when the session is shown again. */
function arrives(from: Session, { cause }: SessionContext, event: SessionEvent, at: string): boolean {
  const rested = from.state === at || from.state.startsWith(`${at}.`);
  const shown = event.type === "account.signedIn" || (event.type === "account.switched" && event.role !== "from");
  return !rested || shown || (at === "noncompliant" && cause !== from.facts.cause);
}

test("step() gives the state, facts, deadlines and effects that XState's transition() gives", () => {
  fc.assert(
    fc.property(histories(), (history) => {
      for (const { brought, entry, rules } of play(history).steps) {
        if (brought === undefined || entry.kind !== "event" || brought.rulesHash !== rules.hash) continue;
        const { event, at } = entry.occurrence;
        const stepped = step(brought, { event, at }, rules);
        if (stepped.record.outcome === "quarantined") throw new Error(stepped.record.reason);
        const expected = byXState(brought, event, at, rules);
        const { step: _, ...facts } = (stepped.session?.facts ?? {}) as Record<string, unknown>;
        expect({
          state: stepped.session?.state,
          facts,
          timers: stepped.session?.timers,
          effects: stepped.record.effects,
        }).toEqual(expected);
      }
    }),
    { numRuns: 80 },
  );
});

/** The chart with XState's own `assign` in the place of ours. */
const ASSIGNING = new ChartRunner(
  sessionChart.provide({
    actions: {
      recordFacts: assign(({ context, event }) => factsOf(context as SessionContext, event as SessionEvent)),
    } as never,
  }),
);

test("facts are recorded as XState's own assign() records them", () => {
  fc.assert(
    fc.property(histories(), (history) => {
      for (const { brought, entry, rules } of play(history).steps) {
        if (brought === undefined || entry.kind !== "event" || brought.rulesHash !== rules.hash) continue;
        const { event, at } = entry.occurrence;
        expect(step(brought, { event, at }, rules)).toEqual(step(brought, { event, at }, rules, undefined, ASSIGNING));
      }
    }),
    { numRuns: 80 },
  );
});

test("deadlines that pass are stepped through alike", () => {
  fc.assert(
    fc.property(histories(), (history) => {
      for (const { before, records, rules } of play(history).steps) {
        const [first] = records;
        // The first deadline of a step is the only one whose session is at hand.
        const timed = first !== undefined && first.origin === undefined && !("version" in first.event);
        if (before === undefined || !timed || before.rulesHash !== rules.hash || first.rules !== rules.hash) continue;
        const passed = Object.entries(before.timers).filter(([, due]) => due === first.at);
        if (passed.length !== 1) continue;
        const [[id]] = passed as [[string, number]];
        const { [id]: _, ...timers } = before.timers;
        const expected = byXState({ ...before, timers }, first.event, first.at, rules);
        expect({ state: first.to, effects: first.effects }).toEqual({
          state: expected.state,
          effects: expected.effects,
        });
      }
    }),
    { numRuns: 80 },
  );
});
