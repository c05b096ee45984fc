/** The events that a session is said to answer are those that the fold applies. */
import { describe, expect, test } from "vitest";
import { OUTSIDE_EVENT_TYPES, type SessionEvent } from "../../../machines/events/catalogue.js";
import { step } from "../../../machines/fold.js";
import * as kit from "../../../src/testing/index.js";
import type { Scenario, SceneEvent } from "../../../src/testing/index.js";
import { nextEvents } from "../../../src/sessions/next-events.js";
import {
  PLAIN,
  activeSession,
  checkingSession,
  lockedSession,
  pinlessSession,
  remediatingSession,
} from "../../support/builders.js";

const rules = PLAIN;
const SESSIONS: readonly [string, Scenario][] = [
  ["unenrolled.checking", checkingSession()],
  ["pinSetup", pinlessSession()],
  ["locked", lockedSession()],
  ["active", activeSession()],
  ["remediating.attempt", remediatingSession()],
  ["noncompliant", checkingSession(PLAIN, kit.enrolled({ result: "WRONG_USER" }))],
  ["signedOut", activeSession(PLAIN, kit.signedOut())],
];

/** An ordinary event of every type that comes from outside. */
function ordinaryEvents(scenario: Scenario): SessionEvent[] {
  const events = new Map<string, SessionEvent>();
  for (const builder of Object.values(kit) as unknown[]) {
    if (typeof builder !== "function" || builder.length > 1) continue;
    try {
      const built = (builder as () => SessionEvent | SceneEvent)();
      const event = typeof built === "function" ? built({ rules, session: scenario.session }) : built;
      if (OUTSIDE_EVENT_TYPES.includes(event.type)) events.set(event.type, event);
    } catch {
      // Not a builder of events, or an event that can't happen here.
    }
  }
  expect(events.size).toBeGreaterThan(30);
  return [...events.values()];
}

describe.each(SESSIONS)("%s", (state, scenario) => {
  const { session } = scenario;
  const answered = nextEvents(session, rules, session.asOf);
  const outcomes = ordinaryEvents(scenario).map((event) => ({
    type: event.type,
    outcome: step(session, { event, at: session.asOf }, rules).record.outcome,
  }));
  const types = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type);

  test("is where the session rests", () => {
    expect(session.state).toBe(state);
  });

  test("every event that the fold applies is listed", () => {
    const applied = types(outcomes.filter(({ outcome }) => outcome === "applied"));
    expect(applied.length).toBeGreaterThan(0);
    expect(types(answered)).toEqual(expect.arrayContaining(applied));
  });

  test("no event that the fold ignores is listed as certain", () => {
    const certain = types(answered.filter(({ conditional }) => !conditional));
    const ignored = types(outcomes.filter(({ outcome }) => outcome === "ignored"));
    expect(certain.filter((type) => ignored.includes(type))).toEqual([]);
  });
});

test("a quarantined session answers nothing", () => {
  const { session } = activeSession();
  expect(nextEvents({ ...session, quarantine: { reason: "", at: 0 } }, rules, session.asOf)).toEqual([]);
});
