/** Coverage of the chart: what the specifications took is counted where they took it, and what they never took is told. */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import {
  accountRemoved,
  backgrounded,
  collectCoverage,
  compliant,
  connectivityLost,
  noncompliant,
  pinRejected,
  pinVerified,
  policyRemoved,
  remediationCompleted,
  rules,
  signedIn,
  type TransitionCoverage,
  virtualClock,
} from "gatehouse/testing";
import { CHART_TRANSITIONS, transitionName } from "../../../src/testing/chart-transitions.js";
import { EVENTS } from "../../../machines/events/catalogue.js";
import { STATES } from "../../../machines/session/context.js";
import { histories, play } from "../fold/histories.js";
import { activeSession, lockedSession, PLAIN, remediatingSession } from "../../support/builders.js";
import { onFold } from "../../../src/testing/moment.js";

let coverage: TransitionCoverage | undefined;
const collecting = (): TransitionCoverage => (coverage = collectCoverage());
afterEach(() => coverage?.stop());

const taken = (of: TransitionCoverage): Record<string, unknown> =>
  Object.fromEntries(
    of
      .report()
      .transitions.filter(({ times }) => times > 0)
      .map((one) => [transitionName(one), one.reached]),
  );

describe("coverage", () => {
  test("counts each branch that was taken, with where the session came to rest", () => {
    const locked = lockedSession({ pin: { maxAttempts: 2 } });
    const collected = collecting();
    locked.when(pinRejected(), pinRejected());
    locked.when(pinVerified(), connectivityLost());
    locked.when(pinVerified());
    expect(taken(collected)).toEqual({
      "locked pin.rejected → stays": { locked: 1 },
      "locked pin.rejected [attemptsSpent] → settles": { pinSetup: 1 },
      "locked pin.verified [methodCounts] → settles": { active: 2 },
      "active connectivity.lost → stays": { active: 1 },
    });
  });

  test("counts deadlines, published rules and the chart's own delays", () => {
    const clock = virtualClock();
    const phone = clock.session(PLAIN, signedIn());
    const remediating = remediatingSession();
    const away = activeSession({}, backgrounded());
    const collected = collecting();
    phone.happens(rules({ pin: { minLength: 8 } }));
    remediating.when({ pauseMs: 60_000 });
    away.when({ pauseMs: 1_800_000 });
    expect(taken(collected)).toEqual({
      "unenrolled.checking policy.changed → settles": { "unenrolled.checking": 1 },
      "remediating.attempt remediation.timedOut [attemptsAreLeft] → remediating.backoff": { "remediating.backoff": 1 },
      "active access.recheckDue → settles": { locked: 1 },
      "active biometric.timedOut → stays": { active: 1 },
    });
  });

  test("counts nothing that was ignored, and nothing after it was stopped", () => {
    const active = activeSession();
    const collected = collecting();
    active.when(remediationCompleted());
    expect(collected.report().taken).toBe(0);
    collected.stop();
    active.when(noncompliant());
    expect(collected.report().taken).toBe(0);
  });

  test("tells as a table what was never taken, or all", () => {
    const collected = collecting();
    lockedSession().when(pinVerified());
    const scope = { states: ["locked"], events: ["pin.verified", "pin.cancelled"] };
    expect(collected.table(scope)).toBe(
      [
        "1 of 3 transitions were taken (33 %); never:",
        "",
        "state   event          when  leads to",
        "locked  pin.verified         stays",
        "locked  pin.cancelled        stays",
      ].join("\n"),
    );
    expect(collected.table({ ...scope, show: "all" })).toContain(
      "locked  pin.verified   methodCounts  settles   1      active (1)",
    );
    expect(collected.table({ ...scope, events: [] })).toBe("0 of 0 transitions were taken (100 %)");
  });

  test("is required up to a share, in a scope", () => {
    const collected = collecting();
    lockedSession().when(pinVerified());
    const scope = { states: ["locked"], events: ["pin.verified"] };
    collected.requireAtLeast(0.5, scope);
    expect(() => collected.requireAtLeast(0.6, scope)).toThrow(
      /^fewer than 60 % of the transitions were taken: specify some of these, or lower the share\n1 of 2[^]*locked {2}pin.verified/,
    );
    expect(() => collected.requireAtLeast(60)).toThrow("a share of 60: give one from 0 to 1");
  });

  test("of several processes is put together from their JSON", () => {
    const one = collecting();
    activeSession().when(policyRemoved());
    one.stop();
    const json = JSON.parse(JSON.stringify(one)) as ReturnType<typeof one.report>;
    const other = collecting();
    activeSession().when(policyRemoved(), signedIn());
    const alone = other.report();
    other.add(json);
    expect(other.report().taken).toBe(alone.taken);
    expect(taken(other)["active policy.removed → settles"]).toEqual({ "unenrolled.unmanaged": 2 });
    other.add({ transitions: [{ ...json.transitions[0]!, event: "gone.sinceThen", reached: { active: 1 } }] });
    expect(other.report().taken).toBe(alone.taken);
  });
});

describe("the chart's transitions", () => {
  test("are told apart by their names, and name states and events that there are", () => {
    const all = [...CHART_TRANSITIONS.values()];
    expect(new Set(all.map(({ state }) => state))).toEqual(new Set(STATES));
    for (const { event, leads } of all) {
      expect(EVENTS.has(event)).toBe(true);
      expect(["settles", "stays", ...STATES]).toContain(leads);
    }
    expect(all.filter(({ state, event }) => state === "locked" && event === "pin.rejected")).toEqual([
      { state: "locked", event: "pin.rejected", when: "attemptsSpentWipe", leads: "signedOut" },
      { state: "locked", event: "pin.rejected", when: "attemptsSpent", leads: "settles" },
      { state: "locked", event: "pin.rejected", leads: "stays" },
    ]);
  });

  test("leave out what a state swallows, and what an earlier branch always takes", () => {
    const has = (state: string, event: string) =>
      [...CHART_TRANSITIONS.values()].some((one) => one.state === state && one.event === event);
    expect(has("signedOut", "pin.verified")).toBe(false);
    expect(has("signedOut", "license.revoked")).toBe(true);
    expect(has("active", "pin.set")).toBe(false);
    expect(has("remediating.attempt", "compliance.evaluated")).toBe(true);
  });

  test("are all that any history takes: whatever happens is one of them, and leads where it says", () =>
    fc.assert(
      fc.property(histories(), (history) => {
        const played = play(history);
        const moments = played.steps.flatMap(({ records }) => records).filter(({ outcome }) => outcome === "applied");
        for (const { from, to, event } of moments) {
          if (from === undefined) continue;
          const ways = [...CHART_TRANSITIONS.values()].filter((one) => one.state === from && one.event === event.type);
          expect({ from, to, event: event.type, ways: ways.length > 0 }).toMatchObject({ ways: true });
        }
      }),
      { numRuns: 100 },
    ));
});

test("a listener hears of folds only until it is taken away", () => {
  let heard = 0;
  const stop = onFold(() => heard++);
  activeSession().when(compliant(), accountRemoved({ accountId: "somebody" }));
  const before = heard;
  stop();
  activeSession();
  expect(before).toBeGreaterThan(5);
  expect(heard).toBe(before);
});
