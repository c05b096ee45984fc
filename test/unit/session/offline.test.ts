/** Contact with the service: check-ins, the two offline limits, and when a failed check-in is tried again. */
import { describe, expect, test } from "vitest";
import {
  after,
  authFailed,
  authSucceeded,
  checkedIn,
  checkinFailed,
  connectivityLost,
  connectivityRestored,
  effect,
  enrolled,
  launched,
  noncompliant,
  pinSet,
  remediationCompleted,
  rules,
  signedIn,
  wipeCompleted,
} from "../../../src/testing/index.js";
import { activeSession, checkingSession, lockedSession, pinlessSession, PLAIN } from "../../support/builders.js";

const HALF_A_DAY = { policy: { periodOfflineBeforeAccessCheck: "PT12H", periodOfflineBeforeWipeIsEnforced: "P30D" } };

describe("the limit to block", () => {
  test.each([
    ["active", activeSession],
    ["locked", lockedSession],
    ["pinSetup", pinlessSession],
  ] as const)("blocks from %s, at the limit and not before", (state, session) => {
    session(HALF_A_DAY)
      .arms("offlineGrace", { hours: 12 })
      .when(after({ hours: 11, minutes: 59, seconds: 59, ms: 999 }))
      .leadsTo(state)
      .when(after({ ms: 1 }))
      .leadsTo("noncompliant", "blockAccess", "notify(blocked.offline)")
      .because("offlineGrace")
      .decides("deny", "noncompliant.offlineGrace")
      .givesNo("signOut", "wipe");
  });

  test("counts from the last check-in", () =>
    activeSession(HALF_A_DAY, after({ hours: 11 }))
      .when(checkedIn())
      .arms("offlineGrace", { hours: 12 })
      .arms("offlineWipe", { days: 30 })
      .when(after({ hours: 11 }))
      .leadsTo("active"));

  test("a check-in lifts it; the proof still stands", () =>
    activeSession(HALF_A_DAY, after({ hours: 12 }))
      .when(checkedIn())
      .leadsTo("active", "grantAccess"));

  test("being online alone does not", () =>
    activeSession(HALF_A_DAY, connectivityLost(), after({ hours: 12 }))
      .when(connectivityRestored(), launched())
      .leadsTo("noncompliant"));

  test("a policy with a longer one lifts it as well", () =>
    activeSession(HALF_A_DAY, after({ hours: 12 }))
      .when(rules({ policy: { periodOfflineBeforeAccessCheck: "PT24H" } }))
      .leadsTo("active")
      .arms("offlineGrace", { hours: 12 }));

  test("a policy with a shorter one is judged from the same check-in", () =>
    activeSession(PLAIN, after({ hours: 13 }))
      .when(rules(HALF_A_DAY))
      .leadsTo("noncompliant")
      .because("offlineGrace"));

  test("none, no deadline", () =>
    activeSession({ offline: { blockAfterMs: null, wipeAfterMs: null } }).armsNo("offlineGrace", "offlineWipe"));

  test("is not counted before there is a policy to enforce", () =>
    checkingSession(HALF_A_DAY, checkedIn())
      .armsNo("offlineGrace", "offlineWipe")
      .when(after({ days: 31 }))
      .leadsTo("unenrolled.checking"));
});

describe("the limit to wipe", () => {
  const due = () => activeSession(HALF_A_DAY, after({ days: 29 })).when(after({ days: 1 }));

  test("never wipes by itself: it asks to sign in, or be wiped", () =>
    due()
      .leadsTo("noncompliant", "notify(blocked.offlineWipe)", effect("promptCredentials", { why: "offlineWipe" }))
      .because("offlineWipeDue")
      .givesNo("wipe", "signOut")
      .decides("deny", "noncompliant.offlineWipeDue", "noncompliant.offlineGrace"));

  test("a sign-in is followed by a check-in, and the session goes on", () =>
    due()
      .when(authSucceeded())
      .leadsTo("noncompliant")
      .givesExactly("checkIn")
      .when(checkedIn())
      .leadsTo("active", "grantAccess")
      .arms("offlineWipe", { days: 30 }));

  test("a check-in without the sign-in does not lift it", () =>
    due().when(checkedIn()).leadsTo("noncompliant").because("offlineWipeDue"));

  test("is judged by new rules at once, from the same check-in", () =>
    activeSession({ offline: { blockAfterMs: null, wipeAfterMs: null } }, after({ days: 10 }))
      .when(rules({ offline: { blockAfterMs: null, wipeAfterMs: 7 * 86_400_000 } }))
      .leadsTo("noncompliant", effect("promptCredentials", { why: "offlineWipe" }))
      .because("offlineWipeDue")
      .when(authFailed())
      .leadsTo("signedOut", "wipe"));

  test("a sign-in that fails wipes", () =>
    due()
      .when(authFailed())
      .leadsTo("signedOut")
      .givesExactly(
        effect("wipe", { why: "offlineWipe" }),
        "blockAccess",
        effect("signOut", { reason: "offlineWipe", messageKey: "wiped" }),
        "notify(wiped)",
      ));

  test("what was wiped begins anew with the next sign-in", () =>
    due()
      .when(authFailed(), wipeCompleted(), signedIn(), enrolled())
      .leadsTo("pinSetup")
      .when(pinSet())
      .leadsTo("active"));

  test("a check-in during a remediation moves it: the old deadline means nothing any more", () =>
    activeSession({ policy: { periodOfflineBeforeAccessCheck: "PT0S", periodOfflineBeforeWipeIsEnforced: "PT1H" } })
      .when(after({ minutes: 59, seconds: 30 }), noncompliant(), after({ seconds: 20 }), checkedIn())
      .arms("offlineWipe", { hours: 1 })
      .when(after({ seconds: 20 }), remediationCompleted("COMPLIANT"))
      .leadsTo("active"));
});

describe("a check-in that fails", () => {
  test("for technical reasons leaves the session alone and is tried again", () => {
    const waiting = activeSession().when(checkinFailed()).leadsTo("active").givesExactly();
    const retryIn = (waiting.session.timers["retry"] ?? 0) - waiting.now;
    expect(retryIn).toBeGreaterThanOrEqual(1_000);
    expect(retryIn).toBeLessThanOrEqual(60_000);
    waiting
      .when(after({ minutes: 1 }))
      .leadsTo("active")
      .givesExactly("checkIn")
      .armsNo("retry");
  });

  test.each([
    [2, 2],
    [3, 4],
    [6, 32],
    [7, 60],
    [40, 60],
  ])("for the %i. time waits at most %i minutes", (attempt, atMostMinutes) => {
    const waiting = activeSession({ offline: { blockAfterMs: null, wipeAfterMs: null } }).when(
      checkinFailed({ attempt }),
    );
    const retryIn = (waiting.session.timers["retry"] ?? 0) - waiting.now;
    expect(retryIn).toBeLessThanOrEqual(atMostMinutes * 60_000);
    expect(retryIn).toBeGreaterThanOrEqual(1_000);
  });

  test("is not tried again once one succeeded", () =>
    activeSession(PLAIN, checkinFailed()).when(checkedIn()).armsNo("retry"));

  test("leaves a locked session locked", () =>
    lockedSession()
      .when(checkinFailed({ reason: "tokenMissing" }))
      .leadsTo("locked")
      .givesExactly());

  test.each([
    ["block", "signedOut"],
    ["warn", "active"],
    [null, "active"],
  ] as const)("because the user is not valid counts as a disabled account (%s)", (action, state) => {
    const told = activeSession({ disabledAccount: action })
      .when(checkinFailed({ reason: "userInvalid" }))
      .leadsTo(state);
    if (action === "warn") told.givesExactly("notify(warn.account)");
  });

  test("for technical reasons warns of no account", () =>
    activeSession({ disabledAccount: "warn" }).when(checkinFailed()).givesExactly());
});

describe("a check-in that brings a wipe", () => {
  test("is obeyed at once", () =>
    activeSession()
      .when(checkedIn({ wipePending: true }))
      .leadsTo("signedOut")
      .givesExactly(
        effect("wipe", { why: "requested" }),
        "blockAccess",
        effect("signOut", { reason: "wipeRequested" }),
        "notify(signedOutByOrganisation)",
      ));

  test("during a remediation too", () =>
    activeSession(PLAIN, noncompliant())
      .leadsTo("remediating")
      .when(checkedIn({ wipePending: true }))
      .leadsTo("signedOut", "wipe"));
});
