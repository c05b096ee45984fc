/** The matchers for vitest: they hold where they should, fail where they should, and then tell the whole story. */
import { describe, expect, test } from "vitest";
import "gatehouse/testing/vitest";
import { backgrounded, givenSession, pinRejected, pinVerified, rules, signedIn, virtualClock } from "gatehouse/testing";
import { activeSession, lockedSession, PLAIN, remediatingSession } from "../../support/builders.js";

const failure = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it held");
};

describe("a session", () => {
  test("is in a state, by the state's name or its path", () => {
    expect(remediatingSession()).toBeIn("remediating");
    expect(remediatingSession()).toBeIn("remediating.attempt");
    expect(remediatingSession()).not.toBeIn("remediating.backoff");
    expect(failure(() => expect(lockedSession()).toBeIn("active"))).toMatch(
      /^expected the session to be in active\n {2}actual {4}in locked\nwhat happened\n {2}2025-03-10 08:00:00 {2}account\.signedIn/,
    );
    expect(failure(() => expect(lockedSession()).not.toBeIn("locked"))).toContain("to be anywhere but in locked");
  });

  test("has access, is challenged or is denied, for a reason", () => {
    expect(activeSession()).toHaveAccess();
    expect(activeSession()).not.toBeDenied();
    expect(lockedSession()).not.toHaveAccess();
    expect(lockedSession()).toBeChallenged("pin.required");
    expect(lockedSession()).not.toBeDenied();
    expect(remediatingSession()).toBeDenied();
    expect(remediatingSession()).toBeDenied("noncompliant.mamVerdict");
    expect(remediatingSession()).not.toBeDenied("session.unknown");
    expect(givenSession(PLAIN)).toBeDenied("session.unknown");

    expect(failure(() => expect(lockedSession()).toHaveAccess())).toContain(
      "expected the session to have access\n  actual    challenge (pin.required)",
    );
    expect(failure(() => expect(remediatingSession()).toBeDenied("offShift"))).toContain(
      "expected the session to be denied because of offShift\n  actual    deny (remediating, noncompliant.mamVerdict)",
    );
    expect(failure(() => expect(lockedSession()).not.toBeChallenged())).toContain("not to be challenged");
  });

  test("has emitted an effect since something last happened, with all or some of its data", () => {
    const wrong = lockedSession().when(pinRejected());
    expect(wrong).toHaveEmitted("notify");
    expect(wrong).toHaveEmitted("notify", { key: "pinWrong" });
    expect(wrong).toHaveEmitted("notify", { data: { triesLeft: 4 } });
    expect(wrong).toHaveEmitted("notify", { key: expect.stringContaining("pin") });
    expect(wrong).not.toHaveEmitted("promptPin");
    expect(wrong).not.toHaveEmitted("notify", { key: "wiped" });
    expect(failure(() => expect(wrong).toHaveEmitted("wipe", { why: "pinAttempts" }))).toContain(
      'expected the session to have emitted wipe {"why":"pinAttempts"}\n  actual    notify(pinWrong)\nwhat happened',
    );
    expect(failure(() => expect(lockedSession().when(pinVerified())).not.toHaveEmitted("grantAccess"))).toContain(
      "to have emitted no grantAccess",
    );
  });

  test("can live under a virtual clock", () => {
    const clock = virtualClock();
    const phone = clock.session(PLAIN, signedIn());
    expect(phone).toBeIn("unenrolled");
    expect(phone).toHaveEmitted("enroll");
    phone.happens(backgrounded());
    expect(phone).not.toHaveEmitted("enroll");
    expect(phone).toBeDenied("enrollment.checking");
  });
});

test("a decision, as a client is given it, can be asked about access", () => {
  const { decision } = activeSession(rules({ recheckAfterMs: 60_000 }));
  expect(decision).toHaveAccess();
  expect(lockedSession().decision).toBeChallenged("pin.required");
  expect({ decision: "deny", reasons: ["store.unavailable"] }).toBeDenied("store.unavailable");
  expect(failure(() => expect(decision).toBeDenied())).toContain("actual    allow (access.granted)");
});

test("anything else is no session, and the failure says what to give", () => {
  expect(failure(() => expect(null).toBeIn("active"))).toBe(
    "toBeIn is asked of null: give it what givenSession(…).when(…) or clock.session(…) answers with",
  );
  expect(failure(() => expect("active").toHaveAccess())).toContain("answers with, or a decision");
  // @ts-expect-error a state that there is not
  expect(failure(() => expect(activeSession()).toBeIn("activ"))).toContain("to be in activ");
  // @ts-expect-error an effect that there is not
  expect(activeSession()).not.toHaveEmitted("explode");
});
