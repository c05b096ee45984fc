/** Remediation: one attempt at a time, what each answer leads to, and when it is given up. */
import { describe, expect, test } from "vitest";
import {
  accountDisabled,
  accountNotAllowed,
  after,
  backgrounded,
  companyPortalInstalled,
  compliant,
  conditionalAccessDenied,
  effect,
  foregrounded,
  licenseRevoked,
  noncompliant,
  pinSet,
  pinVerified,
  posture,
  remediationCompleted,
  remediationRequested,
  rules,
  shiftEnded,
  signedIn,
  signedOut,
  signOutForced,
  switchedHere,
  wipeRequested,
  type Scenario,
} from "../../../src/testing/index.js";
import { activeSession, MODERN_OS, PLAIN, remediatingSession } from "../../support/builders.js";

const OFF = { settings: { remediation: { enabled: false } } };
const attempts = ({ session }: Scenario) => session.facts.remediation?.attempts;
const GIVEN_UP = effect("signOut", { reason: "remediationFailed", messageKey: "signInRequired" });

describe("begins", () => {
  test("by itself, silently, for a cause whose disposition is auto", () =>
    activeSession()
      .when(noncompliant())
      .leadsTo("remediating.attempt", "blockAccess", "notify(remediating)", effect("remediate", { silent: true }))
      .because("mamVerdict")
      .arms("attempt", { minutes: 1 })
      .decides("deny", "remediating", "noncompliant.mamVerdict"));

  test("never where it is turned off: the session is signed out instead", () =>
    activeSession(OFF)
      .when(noncompliant())
      .leadsTo("signedOut", effect("signOut", { reason: "remediationDisabled", messageKey: "signInRequired" }))
      .because("mamVerdict")
      .givesNo("remediate", "wipe"));

  test("on request, for a cause that waits", () =>
    activeSession({ policy: { appActionIfAccountIsClockedOut: "block" } }, shiftEnded())
      .leadsTo("noncompliant")
      .when(remediationRequested({ silent: false }))
      .leadsTo("remediating", effect("remediate", { silent: false })));

  test("on request also where none begins by itself", () =>
    activeSession({ policy: { appActionIfAccountIsClockedOut: "block" }, ...OFF }, shiftEnded())
      .when(remediationRequested())
      .leadsTo("remediating", "remediate"));

  test("but not while one runs: it is one at a time", () =>
    remediatingSession().when(remediationRequested()).leadsTo("remediating").is("ignored").givesExactly());

  test("nor without a cause", () => activeSession().when(remediationRequested()).leadsTo("active").is("ignored"));
});

describe("COMPLIANT", () => {
  test("ends it: the session settles, and the proof still counts", () =>
    remediatingSession().when(remediationCompleted()).leadsTo("active").givesExactly("grantAccess").armsNo("attempt"));

  test("drops the proof if the app restarted on the way", () =>
    remediatingSession()
      .when(remediationCompleted("COMPLIANT", { restarted: true }))
      .leadsTo("locked", "promptPin"));

  test("vouches for the device until it reports again", () =>
    activeSession(MODERN_OS, posture({ osVersion: "16" }))
      .leadsTo("remediating")
      .because("osVersion")
      .when(remediationCompleted())
      .leadsTo("active")
      .when(posture({ osVersion: "16" }))
      .leadsTo("remediating"));

  test("vouches under no other policy than the one it was given under", () =>
    activeSession(MODERN_OS, posture({ osVersion: "16" }), remediationCompleted())
      .when(rules({ policy: { minimumRequiredOsVersion: "18" } }))
      .leadsTo("remediating")
      .because("osVersion"));

  test("lifts no cause of time: what came meanwhile is judged now", () =>
    remediatingSession({ policy: { appActionIfAccountIsClockedOut: "block" } }, shiftEnded())
      .leadsTo("remediating")
      .when(remediationCompleted())
      .leadsTo("noncompliant")
      .because("offShift"));
});

describe("INTERACTION_REQUIRED", () => {
  test("repeats at once, with the person", () => {
    const again = remediatingSession().when(remediationCompleted("INTERACTION_REQUIRED"));
    again
      .leadsTo("remediating.attempt")
      .givesExactly(effect("remediate", { silent: false }))
      .arms("attempt", { minutes: 1 });
    expect(attempts(again)).toBe(2);
  });

  test("counts as an attempt", () =>
    remediatingSession({ settings: { remediation: { maxAttempts: 1 } } })
      .when(remediationCompleted("INTERACTION_REQUIRED"))
      .leadsTo("signedOut", GIVEN_UP));
});

describe.each(["SERVICE_FAILURE", "NETWORK_FAILURE", "PENDING"] as const)("%s", (status) => {
  test("repeats after a pause of at most a minute", () =>
    remediatingSession()
      .when(remediationCompleted(status))
      .leadsTo("remediating.backoff")
      .givesExactly()
      .armsNo("attempt")
      .when(after({ minutes: 1 }))
      .leadsTo("remediating.attempt")
      .givesEffects(effect("remediate", { silent: true })));

  test("of the last attempt signs out, without a wipe", () =>
    remediatingSession({ settings: { remediation: { maxAttempts: 1 } } })
      .when(remediationCompleted(status))
      .leadsTo("signedOut", "unregister", GIVEN_UP)
      .givesNo("wipe"));
});

test("three attempts is the default", () => {
  const third = remediatingSession()
    .when(remediationCompleted("NETWORK_FAILURE"), after({ minutes: 1 }))
    .when(remediationCompleted("NETWORK_FAILURE"), after({ minutes: 1 }));
  third.leadsTo("remediating");
  expect(attempts(third)).toBe(3);
  third.when(remediationCompleted("NETWORK_FAILURE")).leadsTo("signedOut", GIVEN_UP);
});

describe("no answer", () => {
  test("within the limit counts as a failure", () =>
    remediatingSession()
      .when(after({ seconds: 59, ms: 999 }))
      .leadsTo("remediating.attempt")
      .when(after({ ms: 1 }))
      .leadsTo("remediating.backoff"));

  test("to the last attempt signs out", () =>
    remediatingSession({ settings: { remediation: { maxAttempts: 1 } } })
      .when(after({ minutes: 1 }))
      .leadsTo("signedOut", "unregister", GIVEN_UP));

  test("to any of them, however long nobody looked", () =>
    remediatingSession()
      .when(after({ hours: 5 }))
      .leadsTo("signedOut", GIVEN_UP));

  test("when the cause is gone by then: the session settles", () =>
    remediatingSession(PLAIN, compliant())
      .leadsTo("remediating")
      .when(after({ minutes: 1 }))
      .leadsTo("active", "grantAccess"));
});

describe("a late answer changes nothing", () => {
  test("to an attempt that timed out", () => {
    const running = remediatingSession();
    const attemptId = running.session.facts.remediation?.attemptId ?? "";
    running
      .when(after({ minutes: 1 }))
      .leadsTo("remediating.backoff")
      .when(remediationCompleted("COMPLIANT", { attemptId }))
      .is("ignored")
      .leadsTo("remediating.backoff");
    running
      .when(after({ minutes: 2 }))
      .leadsTo("remediating.attempt")
      .when(remediationCompleted("COMPLIANT", { attemptId }))
      .is("ignored")
      .leadsTo("remediating.attempt");
  });

  test("nor one to an attempt that never was", () =>
    remediatingSession()
      .when(remediationCompleted("COMPLIANT", { attemptId: "other" }))
      .is("ignored"));

  test("nor one after the end", () =>
    remediatingSession(PLAIN, remediationCompleted())
      .leadsTo("active")
      .when(remediationCompleted("NOT_COMPLIANT", { attemptId: "m82rv280-1" }))
      .is("ignored")
      .leadsTo("active"));
});

describe("CLIENT_ERROR", () => {
  test("once asks for credentials and repeats", () =>
    remediatingSession()
      .when(remediationCompleted("CLIENT_ERROR"))
      .leadsTo("remediating.attempt")
      .givesExactly(effect("promptCredentials", { why: "remediation" }), "remediate"));

  test("twice signs out", () =>
    remediatingSession(PLAIN, remediationCompleted("CLIENT_ERROR"))
      .when(remediationCompleted("CLIENT_ERROR"))
      .leadsTo("signedOut", GIVEN_UP)
      .givesNo("wipe"));
});

describe("COMPANY_PORTAL_REQUIRED", () => {
  const waiting = () => remediatingSession(PLAIN, remediationCompleted("COMPANY_PORTAL_REQUIRED"));

  test("waits for the installation, however long, with no attempt running", () =>
    remediatingSession()
      .when(remediationCompleted("COMPANY_PORTAL_REQUIRED"))
      .leadsTo("remediating.waitingForPortal")
      .givesExactly("installCompanyPortal")
      .armsNo("attempt", "backoff")
      .when(after({ hours: 3 }))
      .leadsTo("remediating.waitingForPortal"));

  test("and repeats after it", () =>
    waiting()
      .when(companyPortalInstalled())
      .leadsTo("remediating.attempt", "remediate")
      .arms("attempt", { minutes: 1 }));

  test("but does not wait for what is needed no more", () => {
    waiting().when(compliant()).leadsTo("active", "grantAccess");
    waiting().when(licenseRevoked()).leadsTo("unenrolled.unmanaged", "allowUnmanaged");
  });
});

describe("other answers sign out", () => {
  test.each(["USER_CANCELLED", "UNKNOWN"] as const)("%s, without a wipe", (status) => {
    remediatingSession()
      .when(remediationCompleted(status))
      .leadsTo("signedOut", "unregister", GIVEN_UP, "notify(signInRequired)")
      .givesNo("wipe");
  });

  test("NOT_COMPLIANT also wipes what is managed", () =>
    remediatingSession()
      .when(remediationCompleted("NOT_COMPLIANT"))
      .leadsTo("signedOut", effect("wipe", { why: "notCompliant" }), GIVEN_UP)
      .because("mamVerdict"));

  test("and has nothing to wipe where nothing is managed", () =>
    activeSession(PLAIN, licenseRevoked(), conditionalAccessDenied("compliantDevice"))
      .when(remediationCompleted("NOT_COMPLIANT"))
      .leadsTo("signedOut")
      .givesNo("wipe"));
});

describe("remediation that is turned off while an attempt runs", () => {
  const turnedOff = () => remediatingSession(PLAIN, rules(OFF)).leadsTo("remediating.attempt");

  test("lets it finish", () => turnedOff().when(remediationCompleted()).leadsTo("active"));

  test.each(["NETWORK_FAILURE", "INTERACTION_REQUIRED", "CLIENT_ERROR"] as const)(
    "begins no other after %s",
    (status) => {
      turnedOff().when(remediationCompleted(status)).leadsTo("signedOut").givesNo("remediate");
    },
  );

  test("begins no other after a time-out, nor after a pause", () => {
    turnedOff()
      .when(after({ minutes: 1 }))
      .leadsTo("signedOut")
      .givesNo("remediate");
    remediatingSession(PLAIN, remediationCompleted("PENDING"), rules(OFF))
      .when(after({ minutes: 1 }))
      .leadsTo("signedOut", effect("signOut", { reason: "remediationDisabled" }))
      .givesNo("remediate");
  });
});

describe("what happens meanwhile", () => {
  test("is remembered, and judged at the end", () =>
    remediatingSession(MODERN_OS, posture({ osVersion: "16" }))
      .leadsTo("remediating")
      .because("mamVerdict")
      .when(compliant(), after({ minutes: 1 }))
      .leadsTo("remediating.backoff")
      .when(after({ minutes: 1 }))
      .leadsTo("remediating.attempt"));

  test("a license that is lost ends it with the attempt", () =>
    remediatingSession(PLAIN, licenseRevoked())
      .leadsTo("remediating")
      .when(after({ minutes: 1 }))
      .leadsTo("unenrolled.unmanaged"));

  test("a disabled account that has nothing left to wipe does not end it", () =>
    remediatingSession({ disabledAccount: "wipe" }, licenseRevoked())
      .when(accountDisabled())
      .leadsTo("remediating")
      .givesNo("wipe"));

  test("a sign-in drops the proof, but not the attempt", () =>
    remediatingSession(PLAIN, signedIn())
      .leadsTo("remediating.attempt")
      .because("mamVerdict")
      .decides("deny", "noncompliant.mamVerdict")
      .when(remediationCompleted())
      .leadsTo("locked", "promptPin"));

  test("inactivity counts, and ends when the app is used", () =>
    remediatingSession({ recheckAfterMs: 30_000 }, backgrounded(), after({ seconds: 10 }), foregrounded())
      .armsNo("recheck")
      .when(after({ seconds: 40 }), remediationCompleted())
      .leadsTo("active"));

  test("inactivity for the recheck interval drops the proof", () =>
    remediatingSession({ recheckAfterMs: 30_000 }, backgrounded(), after({ seconds: 30 }))
      .leadsTo("remediating")
      .when(remediationCompleted())
      .leadsTo("locked"));

  test("a PIN is neither chosen nor proven", () =>
    remediatingSession().when(pinVerified(), pinSet()).leadsTo("remediating").is("ignored"));

  test("a switch to the account finds it in remediation", () =>
    remediatingSession().when(switchedHere()).leadsTo("remediating"));

  test.each([
    ["a wipe", wipeRequested(), "wipeRequested"],
    ["a sign-out", signedOut(), "userInitiated"],
    ["a forced sign-out", signOutForced(), "adminForced"],
    ["a block by conditional access", conditionalAccessDenied("block"), "caBlocked"],
    ["a denial for a control that nobody knows", conditionalAccessDenied("somethingNew"), "caBlocked"],
    ["an account that is not allowed", accountNotAllowed(), "accountNotAllowed"],
  ] as const)("%s is obeyed at once", (_what, event, reason) => {
    remediatingSession()
      .when(event)
      .leadsTo("signedOut", effect("signOut", { reason }))
      .armsNo("attempt", "backoff", "offlineGrace");
  });

  test.each([
    ["block", "signedOut"],
    ["wipe", "signedOut"],
    ["warn", "remediating"],
    [null, "remediating"],
  ] as const)("a disabled account is obeyed as the policy says (%s)", (action, state) => {
    remediatingSession({ disabledAccount: action }).when(accountDisabled()).leadsTo(state);
  });
});
