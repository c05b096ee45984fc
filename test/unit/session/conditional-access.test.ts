/** Verdicts of the service: compliance and conditional access. Either alone takes access away. */
import { describe, expect, test } from "vitest";
import {
  authFailed,
  authSucceeded,
  compliant,
  conditionalAccessDenied,
  conditionalAccessGranted,
  effect,
  enrolled,
  givenSession,
  launched,
  noncompliant,
  pinSet,
  pinVerified,
  remediationCompleted,
  signedIn,
} from "../../../src/testing/index.js";
import {
  activeSession,
  checkingSession,
  lockedSession,
  pinlessSession,
  PLAIN,
  UNCOVERED,
} from "../../support/builders.js";

const WAITING = {
  settings: {
    dispositions: { mamVerdict: "wait", caDeviceNotCompliant: "wait", caProtectionPolicyRequired: "wait" },
  },
} as const;

describe("compliance", () => {
  test.each(["mam", "device"] as const)("a verdict on the %s takes access away, and gives it back", (scope) => {
    activeSession(WAITING)
      .when(noncompliant({ scope }))
      .leadsTo("noncompliant", "notify(blocked.compliance)")
      .because("mamVerdict")
      .when(compliant({ scope }))
      .leadsTo("active", "grantAccess");
  });

  test("a good verdict on the one does not lift a bad one on the other", () =>
    activeSession(WAITING, noncompliant({ scope: "device" }))
      .when(compliant({ scope: "mam" }))
      .leadsTo("noncompliant"));

  test("an unknown verdict changes nothing", () => {
    activeSession()
      .when(compliant({ verdict: "unknown" }))
      .leadsTo("active")
      .givesExactly();
    activeSession(WAITING, noncompliant())
      .when(compliant({ verdict: "unknown" }))
      .leadsTo("noncompliant");
  });

  test("means nothing to an account that no policy binds", () =>
    givenSession(UNCOVERED, signedIn(), enrolled())
      .when(noncompliant())
      .leadsTo("unenrolled.unmanaged")
      .decides("allow"));
});

describe("conditional access that denies", () => {
  test("outright signs out", () =>
    activeSession()
      .when(conditionalAccessDenied("block"))
      .leadsTo("signedOut", effect("signOut", { reason: "caBlocked" }), "notify(signInRequired)")
      .because("caBlocked"));

  test.each([
    ["without saying why", []],
    ["for a control that nobody knows", ["somethingNew"]],
    ["for a known control and one that nobody knows", ["compliantDevice", "somethingNew"]],
    ["for a control and the lot", ["compliantDevice", "block"]],
  ])("%s signs out likewise", (_what, controls) => {
    activeSession()
      .when(conditionalAccessDenied(...controls))
      .leadsTo("signedOut")
      .because("caBlocked");
  });

  test.each([
    ["compliantApplication", "caProtectionPolicyRequired"],
    ["approvedApplication", "caProtectionPolicyRequired"],
    ["compliantDevice", "caDeviceNotCompliant"],
    ["domainJoinedDevice", "caDeviceNotCompliant"],
  ] as const)("for want of %s is remediated", (control, cause) => {
    activeSession().when(conditionalAccessDenied(control)).leadsTo("remediating").because(cause);
    activeSession().when(conditionalAccessDenied("mfa", control)).leadsTo("remediating").because(cause);
  });

  test("in report-only mode is recorded, and that is all", () => {
    const reported = activeSession().when({
      type: "ca.evaluated",
      result: "denied",
      enforced: false,
      unsatisfied: ["block"],
    });
    reported.leadsTo("active").is("applied").givesExactly();
    expect(reported.session.facts.conditionalAccess).toBeUndefined();
  });

  test("is lifted when it grants", () =>
    activeSession(WAITING, conditionalAccessDenied("compliantDevice"))
      .leadsTo("noncompliant")
      .when(conditionalAccessGranted())
      .leadsTo("active"));

  test("is lifted by a remediation that succeeded", () =>
    activeSession(PLAIN, conditionalAccessDenied("compliantApplication"))
      .when(remediationCompleted())
      .leadsTo("active"));

  test("stands by its own: being compliant lifts nothing of it", () =>
    activeSession(WAITING, conditionalAccessDenied("compliantDevice")).when(compliant()).leadsTo("noncompliant"));

  test("keeps who signs in again out, until it grants", () => {
    const out = activeSession(PLAIN, conditionalAccessDenied("block"));
    out.when(signedIn(), enrolled()).leadsTo("signedOut").because("caBlocked");
    out.when(conditionalAccessGranted(), signedIn(), enrolled()).leadsTo("locked");
  });
});

describe("conditional access for want of a sign-in alone", () => {
  test.each([["mfa"], ["termsOfUse"], ["passwordChange"]])("%s locks an active session and asks once", (control) => {
    activeSession()
      .when(conditionalAccessDenied(control))
      .leadsTo("locked")
      .givesExactly("blockAccess", effect("promptCredentials", { why: "conditionalAccess" }))
      .decides("challenge", "credentials.conditionalAccess");
  });

  test("asks in addition where a PIN is due already", () => {
    lockedSession()
      .when(conditionalAccessDenied("mfa"))
      .leadsTo("locked")
      .givesExactly(effect("promptCredentials", { why: "conditionalAccess" }))
      .when(pinVerified())
      .leadsTo("locked")
      .when(authSucceeded({ mfa: true }))
      .leadsTo("active");
    pinlessSession().when(conditionalAccessDenied("mfa")).leadsTo("pinSetup").givesExactly("promptCredentials");
  });

  test("the sign-in comes before a new PIN", () =>
    pinlessSession(PLAIN, conditionalAccessDenied("mfa"))
      .when(pinSet())
      .leadsTo("pinSetup")
      .givesExactly("promptCredentials"));

  test("holds an unmanaged account until the sign-in", () =>
    givenSession(UNCOVERED, signedIn(), enrolled())
      .when(conditionalAccessDenied("mfa"))
      .leadsTo("unenrolled.held")
      .givesExactly("blockAccess", "promptCredentials")
      .decides("challenge", "credentials.conditionalAccess")
      .when(authSucceeded({ mfa: true }))
      .leadsTo("unenrolled.unmanaged", "allowUnmanaged")
      .decides("allow"));

  test("one that is still enrolling is asked as well", () =>
    checkingSession().when(conditionalAccessDenied("mfa")).leadsTo("unenrolled.checking", "promptCredentials"));

  test("a sign-in without the second factor does not do", () =>
    activeSession(PLAIN, conditionalAccessDenied("mfa"))
      .when(authSucceeded({ mfa: false }))
      .leadsTo("locked")
      .when(authSucceeded({ mfa: true }))
      .leadsTo("active"));

  test("one that fails ends nothing", () =>
    activeSession(PLAIN, conditionalAccessDenied("mfa")).when(authFailed(), launched()).leadsTo("locked"));
});
