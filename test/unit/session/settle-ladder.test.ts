/** The settle ladder, rung by rung: each rung wins over every one below it. */
import { describe, test } from "vitest";
import {
  accountDisabled,
  accountNotAllowed,
  after,
  authSucceeded,
  conditionalAccessDenied,
  enrolled,
  givenSession,
  launched,
  licenseRevoked,
  noncompliant,
  noPolicy,
  pinSet,
  pinVerified,
  posture,
  rules,
  shiftEnded,
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

const WIPES_OLD_OS = { policy: { minimumWipeOsVersion: "15.0", minimumRequiredOsVersion: "17.0" } };

describe("rung 1: a wipe that is due", () => {
  test("a failing condition with action wipe ends the session with a wipe", () =>
    activeSession(WIPES_OLD_OS)
      .when(posture({ osVersion: "14.8" }))
      .leadsTo("signedOut", "wipe", "signOut", "notify(wiped)")
      .because("osVersion"));

  test("wins over a refusal of the account", () =>
    checkingSession(
      { ...WIPES_OLD_OS, settings: { dispositions: { caProtectionPolicyRequired: "wait" } } },
      conditionalAccessDenied("compliantApplication"),
      posture({ osVersion: "14.8" }),
    )
      .leadsTo("noncompliant")
      .when(enrolled())
      .leadsTo("signedOut", "wipe")
      .because("osVersion"));

  test("binds managed accounts alone: before enrollment nothing is wiped", () =>
    checkingSession(WIPES_OLD_OS)
      .when(posture({ osVersion: "14.8" }))
      .leadsTo("unenrolled.checking")
      .givesNo("wipe"));

  test("nor after the license was lost", () =>
    activeSession(WIPES_OLD_OS, licenseRevoked())
      .when(posture({ osVersion: "14.8" }))
      .leadsTo("unenrolled.unmanaged")
      .givesNo("wipe"));
});

describe("rung 2: refusals of the account", () => {
  test("hold without a policy", () =>
    givenSession(UNCOVERED, signedIn(), enrolled())
      .when(conditionalAccessDenied("compliantApplication"))
      .leadsTo("remediating")
      .because("caProtectionPolicyRequired"));

  test("hold without a license", () =>
    activeSession(PLAIN, licenseRevoked())
      .when(conditionalAccessDenied("compliantDevice"))
      .leadsTo("remediating")
      .because("caDeviceNotCompliant"));

  test("win over the verdicts of the policy", () =>
    activeSession({ settings: { dispositions: { mamVerdict: "wait", caDeviceNotCompliant: "wait" } } }, noncompliant())
      .when(conditionalAccessDenied("compliantDevice"))
      .leadsTo("noncompliant")
      .because("caDeviceNotCompliant"));

  test("an account that is not allowed is signed out even before it enrolled", () =>
    checkingSession().when(accountNotAllowed()).leadsTo("signedOut").because("accountNotAllowed"));
});

describe("rung 3: no policy binds", () => {
  test("an account that no policy covers is unmanaged, and allowed", () =>
    givenSession(UNCOVERED, signedIn())
      .when(enrolled({ result: "NOT_TARGETED" }))
      .leadsTo("unenrolled.unmanaged", "allowUnmanaged")
      .decides("allow", "unmanaged"));

  test("but not before enrollment has answered, whatever else is reported", () =>
    givenSession(UNCOVERED, signedIn())
      .when(posture(), launched(), accountDisabled())
      .leadsTo("unenrolled.checking")
      .decides("deny", "enrollment.checking"));

  test("wins over verdicts that stand", () =>
    activeSession({ settings: { dispositions: { mamVerdict: "wait" } } }, noncompliant())
      .when(licenseRevoked())
      .leadsTo("unenrolled.unmanaged")
      .decides("allow"));

  test("whoever is released while a wipe condition fails is not wiped", () =>
    pinlessSession(PLAIN, posture({ osVersion: "14" }))
      .when(noPolicy())
      .leadsTo("unenrolled.unmanaged", "removeManagement")
      .givesNo("wipe", "signOut"));
});

describe("rung 4: covered, and not enrolled", () => {
  test("is checked first: no corporate data before the policy is there", () =>
    checkingSession().leadsTo("unenrolled.checking").decides("deny", "enrollment.checking"));

  test("wins over the verdicts of the policy", () =>
    checkingSession().when(noncompliant()).leadsTo("unenrolled.checking"));

  test("a held enrollment stays held, whatever is reported meanwhile", () =>
    checkingSession(PLAIN, enrolled({ result: "ENROLLMENT_FAILED" }))
      .when(posture(), launched())
      .leadsTo("unenrolled.held")
      .decides("deny", "enrollment.held"));
});

describe("rung 5: verdicts that block", () => {
  test("win over a PIN that is missing", () =>
    pinlessSession({ policy: { minimumRequiredOsVersion: "17" } })
      .when(posture({ osVersion: "16" }))
      .leadsTo("remediating")
      .because("osVersion"));

  test("win over proof that is missing", () =>
    lockedSession({ policy: { appActionIfAccountIsClockedOut: "block" } })
      .when(shiftEnded())
      .leadsTo("noncompliant")
      .because("offShift"));
});

describe("rung 6: a PIN that will do", () => {
  test("a missing PIN is asked for before any proof", () =>
    checkingSession({ credentialsRequired: true }, posture())
      .when(enrolled())
      .leadsTo("pinSetup", "promptPinSetup")
      .decides("challenge", "pin.setup.missing", "credentials.policy"));

  test("no PIN is asked for where the rules ask for none", () =>
    checkingSession({ pin: null }, posture()).when(enrolled()).leadsTo("active"));
});

describe("rung 7: proof", () => {
  test("a PIN without proof locks", () => lockedSession().leadsTo("locked").decides("challenge", "pin.required"));

  test("credentials that are due lock although the PIN is proven", () =>
    pinlessSession({ credentialsRequired: true })
      .when(pinSet())
      .leadsTo("locked", "promptCredentials")
      .decides("challenge", "credentials.policy"));

  test("both are needed where both are asked for", () =>
    lockedSession({ credentialsRequired: true }, authSucceeded())
      .leadsTo("locked")
      .when(pinVerified())
      .leadsTo("active"));
});

describe("rung 8: nothing is left to ask", () => {
  test("access is granted once every question is answered", () =>
    lockedSession().when(pinVerified()).leadsTo("active", "grantAccess").decides("allow", "access.granted"));

  test("settling where the session already rests gives no effect again", () =>
    activeSession().when(launched(), posture()).leadsTo("active").givesExactly());

  test("it holds from event to event while nothing speaks against it", () =>
    activeSession({ policy: { appActionIfUnableToAuthenticateUser: "warn" } })
      .when(after({ minutes: 1 }), accountDisabled())
      .leadsTo("active", "notify(warn.account)"));

  test("a policy that comes into force is judged at once", () =>
    activeSession()
      .when(rules({ pin: { minLength: 8 } }))
      .leadsTo("pinSetup", "notify(pinReset.rules)"));
});
