/** The chart as a document: it opens in any XState tool, and says what the code does, no more and no less. */
import { expect, test } from "vitest";
import { EVENTS, OUTSIDE_EVENT_TYPES } from "../../../machines/events/catalogue.js";
import { AFTER_TIMERS } from "../../../machines/session/after-timers.js";
import { sessionChart } from "../../../machines/session/chart.js";
import { STATE_NAMES, STATES } from "../../../machines/session/context.js";
import { DEADLINES } from "../../../machines/session/deadlines.js";

const exported = JSON.parse(JSON.stringify(sessionChart.config)) as Record<string, unknown>;

interface Named {
  readonly guards: Set<string>;
  readonly actions: Set<string>;
  readonly delays: Set<string>;
  readonly events: Set<string>;
}

/** Every guard, action, delay and event that a part of the chart names. */
function namesIn(node: unknown, names: Named): Named {
  if (Array.isArray(node)) for (const one of node) namesIn(one, names);
  else if (typeof node === "object" && node !== null) {
    for (const [key, value] of Object.entries(node)) {
      if (key === "guard") names.guards.add(String(value));
      else if (["entry", "exit", "actions"].includes(key)) {
        for (const action of [value].flat() as (string | { type: string })[]) {
          names.actions.add(typeof action === "string" ? action : action.type);
        }
      } else if (key === "after") for (const delay of Object.keys(value as object)) names.delays.add(delay);
      else if (key === "on") for (const type of Object.keys(value as object)) names.events.add(type);
      if (key !== "params") namesIn(value, names);
    }
  }
  return names;
}

type Node = typeof sessionChart.root;

const nodesOf = (node: Node): readonly Node[] => [node, ...Object.values(node.states).flatMap(nodesOf)];

const named = namesIn(exported, { guards: new Set(), actions: new Set(), delays: new Set(), events: new Set() });

test("its states are the seven, and the ladder that is passed through", () => {
  expect(Object.keys(exported["states"] as object).sort()).toEqual([...STATE_NAMES, "settling"].sort());
});

test("a session can rest in each state that is listed, and in no other", () => {
  const resting = nodesOf(sessionChart.root)
    .filter(({ type, key }) => type === "atomic" && key !== "settling")
    .map(({ path }) => path.join("."));
  expect(resting.sort()).toEqual([...STATES].sort());
});

test.each(["guards", "actions", "delays"] as const)("its %s are those that are implemented, all of them", (kind) => {
  expect([...named[kind]].sort()).toEqual(Object.keys(sessionChart.implementations[kind]).sort());
});

test("it answers every event that can be reported, and names none that does not exist", () => {
  const byTimer = new Set(AFTER_TIMERS.map(({ event }): string => event.type));
  const answered = [...named.events].filter((type) => type !== "*");
  expect(answered.filter((type) => !EVENTS.has(type))).toEqual([]);
  expect(OUTSIDE_EVENT_TYPES.filter((type) => !named.events.has(type) && type !== "remediation.requested")).toEqual([]);
  // These are the fold's own business: after one there is no session, after the other the chart goes on with what was set aside.
  const unanswered = [...EVENTS.keys()].filter((type) => !named.events.has(type) && !byTimer.has(type));
  expect(unanswered).toEqual(["session.retired", "quarantine.lifted"]);
});

test("deadlines of a state bear the names by which XState fires them", () => {
  const armed = nodesOf(sessionChart.root).flatMap(({ after }) => after.map(({ eventType }) => eventType));
  expect(AFTER_TIMERS.map(({ xstateId }) => xstateId).sort()).toEqual([...new Set(armed)].sort());
});

test("no two deadlines share a name, and each raises an event of its own", () => {
  const ids = [...DEADLINES, ...AFTER_TIMERS].map(({ id }) => id);
  const types = [...DEADLINES, ...AFTER_TIMERS].map(({ event }) => event.type);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(types).size).toBe(types.length);
});

test("a loop inside it is cut short", () => {
  expect(exported["options"]).toEqual({ maxIterations: 100 });
});
