/** Enrollment: from the sign-in until a policy is in force, and what each result leads to. */
import { describe, expect, test } from "vitest";
import {
  accountRemoved,
  after,
  authSucceeded,
  checkinFailed,
  companyPortalInstalled,
  conditionalAccessDenied,
  enrolled,
  enrollmentEnded,
  givenSession,
  launched,
  licenseGranted,
  licenseRevoked,
  membershipChanged,
  noPolicy,
  pinSet,
  policyRemoved,
  posture,
  registrationExpired,
  remediationCompleted,
  rules,
  signedIn,
  signedOut,
  switchedHere,
} from "../../../src/testing/index.js";
import { activeSession, checkingSession, PLAIN, PLAIN_ANDROID, UNCOVERED } from "../../support/builders.js";

describe("a sign-in", () => {
  test("begins a session that enrolls and checks in, and shows nothing yet", () =>
    givenSession(PLAIN)
      .when(signedIn())
      .leadsTo("unenrolled.checking")
      .givesExactly("blockAccess", "enroll", "checkIn")
      .decides("deny", "enrollment.checking"));

  test("anything before it belongs to no session", () =>
    givenSession(PLAIN).when(pinSet(), launched()).is("ignored").decides("deny", "session.unknown"));

  test("repeated while checking enrolls again", () =>
    checkingSession().when(signedIn()).leadsTo("unenrolled.checking").givesExactly("blockAccess", "enroll", "checkIn"));

  test("of an unmanaged account checks anew, because a license may be there now", () =>
    checkingSession(PLAIN, enrolled({ result: "NOT_LICENSED" }))
      .when(signedIn())
      .leadsTo("unenrolled.checking", "enroll", "checkIn")
      .decides("deny"));
});

describe("success", () => {
  test("introduces the policy once and goes on by it", () =>
    checkingSession(PLAIN_ANDROID, posture())
      .when(enrolled())
      .leadsTo("pinSetup")
      .givesExactly("notify(intro)", "blockAccess", "promptPinSetup"));

  test("on iOS also restarts the app, the first time", () =>
    checkingSession(PLAIN).when(enrolled()).givesEffects("notify(intro)", "restartApp"));

  test("comes without introduction the second time", () =>
    activeSession(PLAIN, registrationExpired())
      .leadsTo("unenrolled.checking")
      .when(enrolled())
      .leadsTo("locked")
      .givesNo("notify(intro)", "restartApp"));

  test("starts the offline limits", () =>
    checkingSession().when(enrolled()).arms("offlineGrace", { hours: 24 }).arms("offlineWipe", { days: 90 }));

  test("where no policy covers the account leaves it unmanaged", () =>
    checkingSession(UNCOVERED).when(enrolled()).leadsTo("unenrolled.unmanaged", "allowUnmanaged"));

  test("during a remediation introduces the policy just as well", () =>
    checkingSession(PLAIN, conditionalAccessDenied("compliantApplication"))
      .leadsTo("remediating")
      .when(enrolled())
      .leadsTo("remediating", "notify(intro)", "restartApp")
      .when(remediationCompleted("COMPLIANT"))
      .leadsTo("pinSetup")
      .givesNo("notify(intro)"));
});

describe("results that release the account", () => {
  test.each(["NOT_LICENSED", "NOT_TARGETED"] as const)("%s: unmanaged, tried again after 12 hours", (result) => {
    checkingSession()
      .when(enrolled({ result }))
      .leadsTo("unenrolled.unmanaged")
      .givesExactly("allowUnmanaged")
      .decides("allow", "unmanaged")
      .arms("retry", { hours: 12 })
      .when(after({ hours: 12 }))
      .leadsTo("unenrolled.unmanaged")
      .givesExactly("enroll");
  });

  test("TENANT_NOT_SET_UP: unmanaged, tried again after 24 hours", () =>
    checkingSession()
      .when(enrolled({ result: "TENANT_NOT_SET_UP" }))
      .leadsTo("unenrolled.unmanaged")
      .arms("retry", { hours: 24 }));

  test("conditional access that demands protection refuses what would be unmanaged", () =>
    checkingSession(PLAIN, enrolled({ result: "NOT_LICENSED" }))
      .when(conditionalAccessDenied("compliantApplication"))
      .leadsTo("remediating")
      .because("caProtectionPolicyRequired")
      .decides("deny"));

  test("NOT_LICENSED does not release who is managed already: licensing may just be out of reach", () =>
    activeSession()
      .when(enrolled({ result: "NOT_LICENSED" }))
      .leadsTo("active")
      .arms("offlineGrace", { hours: 24 }));
});

describe("results that hold the account", () => {
  test("AUTHORIZATION_NEEDED asks for work credentials", () =>
    checkingSession()
      .when(enrolled({ result: "AUTHORIZATION_NEEDED" }))
      .leadsTo("unenrolled.held")
      .givesExactly("blockAccess", "promptCredentials")
      .decides("deny", "enrollment.held"));

  test("and enrolls, once, when they are given", () =>
    checkingSession(PLAIN, enrolled({ result: "AUTHORIZATION_NEEDED" }))
      .when(authSucceeded())
      .leadsTo("unenrolled.checking")
      .givesExactly("blockAccess", "enroll", "checkIn")
      .when(launched(), posture())
      .leadsTo("unenrolled.checking")
      .givesNo("promptCredentials"));

  test.each([
    ["ENROLLMENT_FAILED", { hours: 12 }],
    ["PENDING", undefined],
  ] as const)("%s: told to try later, and tried again", (result, retry) => {
    const held = checkingSession()
      .when(enrolled({ result }))
      .leadsTo("unenrolled.held")
      .givesExactly("blockAccess", "notify(tryLater)")
      .decides("deny", "enrollment.held");
    if (retry !== undefined) held.arms("retry", retry);
    held.when(after({ hours: 12 })).leadsTo("unenrolled.held", "enroll");
  });

  test.each(["AUTHORIZATION_NEEDED", "ENROLLMENT_FAILED", "PENDING"] as const)(
    "%s during a background retry leaves a managed session alone",
    (result) => {
      activeSession().when(enrolled({ result })).leadsTo("active");
    },
  );

  test("a check-in that can't reach the service is tried again by enrolling", () =>
    checkingSession(PLAIN, checkinFailed())
      .leadsTo("unenrolled.checking")
      .when(after({ minutes: 1 }))
      .leadsTo("unenrolled.checking", "enroll"));
});

describe("results that refuse the account", () => {
  test("WRONG_USER waits until the other account is removed, then enrolls", () =>
    checkingSession()
      .when(enrolled({ result: "WRONG_USER" }))
      .leadsTo("noncompliant", "notify(wrongUser)")
      .because("wrongUser")
      .decides("deny", "noncompliant.wrongUser")
      .when(accountRemoved({ accountId: "somebody-else" }))
      .leadsTo("unenrolled.checking", "enroll"));

  test("COMPANY_PORTAL_REQUIRED sends the person to install it, waits, then enrolls", () =>
    checkingSession(PLAIN_ANDROID)
      .when(enrolled({ result: "COMPANY_PORTAL_REQUIRED" }))
      .leadsTo("noncompliant", "installCompanyPortal", "notify(companyPortalRequired)")
      .because("companyPortalRequired")
      .when(companyPortalInstalled())
      .leadsTo("unenrolled.checking", "enroll"));

  test("who declines signs out", () =>
    checkingSession(PLAIN_ANDROID, enrolled({ result: "COMPANY_PORTAL_REQUIRED" }))
      .when(signedOut())
      .leadsTo("signedOut")
      .givesNo("wipe"));
});

describe("license and targeting", () => {
  test.each([
    ["a license that is revoked", licenseRevoked()],
    ["a policy that the service removed", policyRemoved()],
    ["a catalogue that no longer covers the account", noPolicy()],
  ] as const)("%s ends management: no wipe, no sign-out, no deadline of the policy", (_what, end) => {
    activeSession()
      .when(end)
      .leadsTo("unenrolled.unmanaged")
      .givesExactly("removeManagement", "allowUnmanaged")
      .decides("allow", "unmanaged")
      .armsNo("recheck", "biometric", "pinExpiry", "offlineGrace", "offlineWipe", "integrityGrace", "shiftGrace");
  });

  test("a license that comes enrolls without a new sign-in", () =>
    checkingSession(PLAIN, enrolled({ result: "NOT_LICENSED" }))
      .when(licenseGranted())
      .leadsTo("unenrolled.checking")
      .givesExactly("blockAccess", "enroll", "checkIn")
      .armsNo("retry"));

  test("a license without a policy changes nothing", () =>
    checkingSession(UNCOVERED, enrolled({ result: "NOT_LICENSED" }))
      .when(licenseGranted())
      .leadsTo("unenrolled.unmanaged")
      .decides("allow"));

  test("a policy that comes to cover the account enrolls it", () => {
    const covered = checkingSession(UNCOVERED, enrolled()).when(rules());
    covered.leadsTo("unenrolled.checking").givesExactly("blockAccess", "enroll", "checkIn");
    expect(covered.records.at(-1)?.event).toMatchObject({ type: "assignment.changed", targeted: true });
  });

  test("a policy without a license changes nothing", () =>
    checkingSession(UNCOVERED, licenseRevoked(), enrolled({ result: "NOT_LICENSED" }))
      .when(rules())
      .leadsTo("unenrolled.unmanaged"));

  test("groups are remembered", () => {
    expect(activeSession().when(membershipChanged({ groups: ["sales"] })).session.facts.groups).toEqual(["sales"]);
  });

  test("license lost and found again: enrolls anew and asks for the PIN that is still there", () =>
    activeSession(PLAIN, licenseRevoked(), licenseGranted())
      .leadsTo("unenrolled.checking")
      .when(enrolled())
      .leadsTo("locked", "promptPin"));
});

describe("an enrollment that ends", () => {
  test("a registration that expired is made anew before any access", () =>
    activeSession()
      .when(registrationExpired())
      .leadsTo("unenrolled.checking", "blockAccess", "enroll")
      .decides("deny", "enrollment.checking"));

  test("so is one that was taken back; the PIN goes with the data", () =>
    activeSession(PLAIN, enrollmentEnded({ wiped: true }))
      .leadsTo("unenrolled.checking")
      .when(enrolled())
      .leadsTo("pinSetup"));

  test("shown again, the app is told again to enroll", () =>
    activeSession(PLAIN, registrationExpired()).when(switchedHere()).leadsTo("unenrolled.checking", "enroll"));
});
