/** Events by chance: all of them are accepted, all types come up, and whatever they do, the invariants hold. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  eventOf,
  eventStream,
  type ReportedEvent,
  type ReportedType,
  reported,
  sessionEvents,
  sessionHistory,
} from "gatehouse/testing/fast-check";
import {
  brokenInvariants,
  givenSession,
  INVARIANTS,
  noPolicy,
  type Rules,
  rules,
  type Scenario,
} from "gatehouse/testing";
import type { GatehouseEvent } from "gatehouse/client";
import { OUTSIDE_EVENT_TYPES } from "../../../machines/events/catalogue.js";
import { STATE_NAMES, stateName } from "../../../machines/session/context.js";
import { acceptEvent } from "../../../src/ingest/accept.js";
import { fromJsonSchema } from "../../../src/testing/from-json-schema.js";
import { PLAIN } from "../../support/builders.js";
import { histories, play } from "../fold/histories.js";

const refusal = (event: ReportedEvent) => {
  const accepted = acceptEvent(structuredClone(event), "contoso");
  return "refusal" in accepted ? { ...accepted.refusal, event } : undefined;
};

describe("a generated event", () => {
  test.each(OUTSIDE_EVENT_TYPES as ReportedType[])("%s is accepted when it is reported", (type) =>
    fc.assert(
      fc.property(eventOf(type), (event) => {
        expect(event.type).toBe(type);
        expect(refusal(reported(event))).toBeUndefined();
      }),
    ),
  );

  test("is of every type that is reported, and of no other", () => {
    const types = fc.sample(sessionEvents(), { numRuns: 3_000, seed: 1 }).map(({ type }) => type);
    expect([...new Set(types)].sort()).toEqual([...OUTSIDE_EVENT_TYPES].sort());
    expect(() => eventOf("pin.expired" as never)).toThrow('nobody reports "pin.expired"; types: account.signedIn');
  });

  test("has the fields that its schema leaves out sometimes, and sometimes not", () => {
    const given = fc.sample(eventOf("posture.reported"), { numRuns: 200, seed: 1 });
    expect(new Set(given.map(({ knox }) => knox))).toEqual(new Set(["passed", "failed", "unsupported", undefined]));
    expect(given.every(({ osVersion }) => osVersion.length > 0)).toBe(true);
  });

  test("shrinks to the simplest that its schema allows", () => {
    const result = fc.check(
      fc.property(eventOf("pin.rejected"), () => false),
      { seed: 1 },
    );
    expect(result.counterexample).toEqual([{ type: "pin.rejected", failedAttempts: 1 }]);
  });

  test("of a shape that is not known yet is refused by its place", () =>
    expect(() => fromJsonSchema({ type: "object", properties: { when: { type: "null" } } })).toThrow(
      "/when is of type null",
    ));
});

describe("a generated stream", () => {
  test("is accepted event by event; ids are unique, times ascend, and each session signs in first", () =>
    fc.assert(
      fc.property(eventStream({ sessions: 3, length: { min: 1, max: 20 } }), (stream) => {
        for (const event of stream) expect(refusal(event)).toBeUndefined();
        expect(new Set(stream.map(({ id }) => id)).size).toBe(stream.length);
        expect(stream.map(({ time }) => time)).toEqual(stream.map(({ time }) => time).sort());
        const subjects = [...new Set(stream.map(({ subject }) => subject))];
        for (const of of subjects) {
          expect(stream.find(({ subject }) => subject === of)?.type).toBe("account.signedIn");
        }
        expect(subjects.length).toBeLessThanOrEqual(3);
        expect(stream.length).toBeGreaterThanOrEqual(1);
        expect(stream.length).toBeLessThanOrEqual(20);
      }),
      { numRuns: 60 },
    ));

  test("is what a client emits", () => {
    const emit = (events: readonly GatehouseEvent[]): number => events.length;
    const [stream = []] = fc.sample(eventStream({ length: { min: 5, max: 5 } }), { numRuns: 1, seed: 1 });
    expect(emit(stream)).toBe(5);
  });

  test("of no session is refused", () => expect(() => eventStream({ sessions: 0 })).toThrow("at least one session"));
});

const RULES: readonly Rules[] = [
  rules(),
  rules({ policy: { minimumRequiredOsVersion: "17.0", minimumWipeOsVersion: "12" }, disabledAccount: "wipe" }),
  rules({
    platform: "android",
    policy: { maximumAllowedDeviceThreatLevel: "low" },
    pin: { whenAttemptsSpent: "wipe" },
  }),
  rules({ pin: null, credentialsRequired: true, settings: { remediation: { enabled: false } } }),
  noPolicy(),
];

describe("the invariants", () => {
  test.each(INVARIANTS)("$name", ({ brokenBy }) =>
    fc.assert(
      fc.property(fc.constantFrom(...RULES), sessionHistory(), (under, history) => {
        expect(brokenBy(givenSession(under, ...history))).toBeUndefined();
      }),
      { numRuns: 60 },
    ),
  );

  test("hold for histories that get far, too", () =>
    fc.assert(
      fc.property(histories(), (history) => {
        const records = play(history).steps.flatMap((step) => step.records);
        const scenario = { history: records, decision: { decision: "deny" } } as unknown as Scenario;
        expect(brokenInvariants(scenario)).toEqual([]);
      }),
      { numRuns: 200 },
    ));

  test.each([
    ["open in `active`", { decision: { decision: "allow", state: "locked" }, session: { facts: {} } }],
    [
      "never asked for a PIN",
      {
        decision: { decision: "challenge", state: "locked" },
        rules: { policies: [{}] },
        session: { facts: { licensed: false } },
      },
    ],
    [
      "by a sign-in alone",
      { history: [{ seq: 7, event: { type: "auth.succeeded" }, from: "signedOut", to: "active" }] },
    ],
    ["never wipe", { history: [{ seq: 7, event: { type: "license.revoked" }, effects: [{ type: "wipe" }] }] }],
    [
      "at most one remediation",
      {
        history: [
          {
            seq: 7,
            event: { type: "remediation.completed", attemptId: "old" },
            from: "remediating.attempt",
            to: "active",
          },
        ],
      },
    ],
    ["told why", { history: [{ seq: 7, event: { type: "auth.failed" }, from: "locked", to: "signedOut" }] }],
    [
      "not applied",
      { history: [{ seq: 7, event: { type: "auth.failed" }, outcome: "stale", from: "locked", to: "active" }] },
    ],
    ["is told: entering", { history: [{ seq: 7, event: { type: "auth.failed" }, from: "active", to: "locked" }] }],
    [
      "time never goes back",
      {
        history: [
          { seq: 6, event: {}, at: 9 },
          { seq: 7, event: { type: "a" }, at: 8 },
        ],
      },
    ],
  ] as [string, Partial<Record<"decision" | "rules" | "session", object>> & { history?: object[] }][])(
    "%s: is told when it is broken",
    (name, { decision = { decision: "deny" }, history = [], rules: under = PLAIN, session }) => {
      const records = history.map((one) => ({ outcome: "applied", effects: [], at: 1e12, ...one }));
      const broken = brokenInvariants({ decision, history: records, rules: under, session } as unknown as Scenario);
      expect(broken.some((text) => text.includes(name) && /record 7|in locked/.test(text))).toBe(true);
    },
  );

  test("are asked of histories that are worth it: they reach every state", () => {
    const states = fc
      .sample(fc.tuple(fc.constantFrom(...RULES), sessionHistory()), { numRuns: 1_500, seed: 1 })
      .flatMap(([under, history]) =>
        givenSession(under, ...history).history.flatMap(({ to }) => (to === undefined ? [] : [stateName(to)])),
      );
    expect([...new Set(states)].sort()).toEqual([...STATE_NAMES].sort());
  });
});
