/** The answer itself: what it says to the program that asked, and to the person. */
import { describe, expect, test } from "vitest";
import { denyWithout } from "../../../machines/decision.js";
import {
  after,
  backgrounded,
  enrolled,
  givenSession,
  licenseRevoked,
  noncompliant,
  pinVerified,
  posture,
  rules,
  shiftEnded,
  signedOut,
  tokenRevoked,
} from "../../../src/testing/index.js";
import {
  activeSession,
  checkingSession,
  lockedSession,
  MODERN_OS,
  pinlessSession,
  PLAIN,
} from "../../support/builders.js";

const textOf = ({ decision }: ReturnType<typeof activeSession>) => decision.message.text;

describe("allow", () => {
  test("holds until the earliest deadline that could end it", () => {
    const { decision, now } = activeSession(PLAIN, backgrounded());
    expect(decision).toMatchObject({ decision: "allow", reasons: ["access.granted"], validUntil: now + 30 * 60_000 });
    expect(activeSession().decision.validUntil).toBe(now + 24 * 3_600_000);
  });

  test("has no end where nothing is armed", () => {
    expect(activeSession({ offline: { blockAfterMs: null, wipeAfterMs: null } }).decision.validUntil).toBeNull();
    expect(activeSession(PLAIN, licenseRevoked()).decision).toMatchObject({ decision: "allow", validUntil: null });
  });

  test("is not shortened by a deadline that takes nothing away", () =>
    expect(
      activeSession({ policy: { pinRequiredInsteadOfBiometricTimeout: "PT1M" } }, backgrounded()).decision.validUntil,
    ).toBe(activeSession().now + 30 * 60_000));
});

describe("challenge", () => {
  test("names everything that is due", () => {
    lockedSession(PLAIN, tokenRevoked()).decides("challenge", "pin.required", "credentials.tokenRevoked");
    lockedSession(PLAIN, tokenRevoked(), pinVerified()).decides("challenge", "credentials.tokenRevoked");
  });

  test("tells the person the rules for a new PIN", () => {
    const text = textOf(
      pinlessSession({ pin: { kind: "passcode", minLength: 8, simpleBlocked: true, historyCount: 3 } }),
    );
    expect(text).toBe(
      "Choose a PIN for this app: at least 8 characters, with a letter or a symbol, no runs or repeats, not one of your last 3.",
    );
  });

  test("holds for no time: it is asked again", () => expect(lockedSession().decision.validUntil).toBeNull());
});

describe("deny", () => {
  test("tells the person what to do", () => {
    const waiting = {
      settings: { dispositions: { osVersion: "wait", mamVerdict: "wait" } },
      policy: { minimumRequiredOsVersion: "17" },
    } as const;
    expect(textOf(activeSession(waiting, posture({ osVersion: "16.7" })))).toMatch(/16\.7.* 17 or newer/);
    expect(textOf(activeSession(PLAIN, after({ days: 1 })))).toContain("Connect to the internet");
    expect(textOf(activeSession(PLAIN, noncompliant()))).toBe("Checking access. Please wait.");
    expect(textOf(activeSession(PLAIN, signedOut()))).toBe("You are signed out.");
    expect(textOf(checkingSession(MODERN_OS, enrolled({ result: "AUTHORIZATION_NEEDED" })))).toContain("Sign in");
  });

  test("names all causes, the ruling one first", () =>
    expect(
      activeSession({ policy: { appActionIfAccountIsClockedOut: "block" } }, after({ days: 1 }), shiftEnded()).decision
        .reasons,
    ).toEqual(["noncompliant.offlineGrace", "noncompliant.offShift"]));

  test("is what a session gets that nobody knows", () => givenSession(rules()).decides("deny", "session.unknown"));

  test.each(["session.unknown", "snapshot.unreadable", "store.unavailable", "session.quarantined"] as const)(
    "is what doubt gives (%s)",
    (reason) => {
      expect(denyWithout("a/b/c/d", reason, 7)).toMatchObject({
        decision: "deny",
        reasons: [reason],
        asOf: 7,
        validUntil: null,
      });
    },
  );
});

test("a decision carries the revision it follows from", () => {
  const locked = lockedSession();
  expect(locked.decision.revision).toBe(locked.session.revision);
  expect(locked.when(pinVerified()).decision.revision).toBe(locked.session.revision + 1);
});
