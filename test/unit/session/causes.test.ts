/** Every cause of noncompliance: what brings it, what follows from it, and what lifts it. */
import { describe, expect, test } from "vitest";
import { CAUSES, DEFAULT_DISPOSITIONS, type Cause } from "../../../machines/policy/causes.js";
import {
  accountDisabled,
  accountNotAllowed,
  accountRemoved,
  after,
  checkedIn,
  companyPortalInstalled,
  compliant,
  conditionalAccessDenied,
  conditionalAccessGranted,
  effect,
  enrolled,
  noncompliant,
  pinSet,
  posture,
  shiftEnded,
  shiftStarted,
  switchedAway,
  switchedHere,
  threatLevel,
  type Happening,
  type RulesSpec,
} from "../../../src/testing/index.js";
import { activeSession, checkingSession } from "../../support/builders.js";

interface Case {
  readonly rules: RulesSpec;
  /** Takes an active session there. */
  readonly brings: readonly Happening[];
  /** Takes the cause away; absent: nothing short of signing in again does. */
  readonly lifts?: readonly Happening[];
}

const ios = (policy: Record<string, unknown>): RulesSpec => ({ policy });
const android = (policy: Record<string, unknown>): RulesSpec => ({ platform: "android", policy });
const clean = [posture()];

const CASES: Readonly<Record<Cause, Case>> = {
  mamVerdict: { rules: {}, brings: [noncompliant()], lifts: [compliant()] },
  caProtectionPolicyRequired: {
    rules: {},
    brings: [conditionalAccessDenied("compliantApplication")],
    lifts: [conditionalAccessGranted()],
  },
  caDeviceNotCompliant: {
    rules: {},
    brings: [conditionalAccessDenied("compliantDevice")],
    lifts: [conditionalAccessGranted()],
  },
  osVersion: { rules: ios({ minimumRequiredOsVersion: "17" }), brings: [posture({ osVersion: "16" })], lifts: clean },
  appVersion: { rules: ios({ minimumRequiredAppVersion: "5" }), brings: [posture({ appVersion: "4" })], lifts: clean },
  sdkVersion: {
    rules: ios({ minimumRequiredSdkVersion: "19" }),
    brings: [posture({ sdkVersion: "18" })],
    lifts: clean,
  },
  patchVersion: {
    rules: android({ minimumRequiredPatchVersion: "2025-01-01" }),
    brings: [posture({ patchVersion: "2024-12-31" })],
    lifts: clean,
  },
  companyPortal: {
    rules: android({ minimumRequiredCompanyPortalVersion: "5.0.6000" }),
    brings: [posture({ portalVersion: "4" })],
    lifts: clean,
  },
  rooted: { rules: ios({ deviceComplianceRequired: true }), brings: [posture({ rooted: true })], lifts: clean },
  deviceModel: {
    rules: ios({ allowedIosDeviceModels: "iPhone15,2" }),
    brings: [posture({ model: "iPad1,1" })],
    lifts: clean,
  },
  deviceLock: { rules: android({ deviceLockRequired: true }), brings: [posture({ deviceLock: "none" })], lifts: clean },
  integrity: {
    rules: android({ requiredAndroidSafetyNetDeviceAttestationType: "basicIntegrity" }),
    brings: [posture({ integrity: "none" })],
    lifts: clean,
  },
  threatScan: {
    rules: android({ requiredAndroidSafetyNetAppsVerificationType: "enabled" }),
    brings: [posture({ appScan: false })],
    lifts: clean,
  },
  knox: {
    rules: android({ appActionIfSamsungKnoxAttestationRequired: "blockWhenSettingIsSupported" }),
    brings: [posture({ knox: "failed" })],
    lifts: clean,
  },
  threatLevel: {
    rules: { policy: { maximumAllowedDeviceThreatLevel: "high" } },
    brings: [threatLevel("unknown")],
    lifts: [threatLevel("low")],
  },
  offlineGrace: { rules: {}, brings: [after({ hours: 24 })], lifts: [checkedIn()] },
  integrityStale: {
    rules: android({
      requiredAndroidSafetyNetDeviceAttestationType: "basicIntegrity",
      periodOfflineBeforeAccessCheck: "P90D",
    }),
    brings: [posture({ integrity: "requestFailed" }), after({ hours: 24 })],
    lifts: [posture({ integrity: "basic" })],
  },
  offlineWipeDue: { rules: {}, brings: [after({ days: 90 })] },
  offShift: {
    rules: ios({ appActionIfAccountIsClockedOut: "block" }),
    brings: [shiftEnded()],
    lifts: [shiftStarted()],
  },
  wrongUser: {
    rules: {},
    brings: [enrolled({ result: "WRONG_USER" })],
    lifts: [accountRemoved({ accountId: "somebody-else" }), enrolled()],
  },
  companyPortalRequired: {
    rules: { platform: "android" },
    brings: [enrolled({ result: "COMPANY_PORTAL_REQUIRED" })],
    lifts: [companyPortalInstalled(), enrolled()],
  },
  caBlocked: { rules: {}, brings: [conditionalAccessDenied("block")] },
  accountDisabled: { rules: ios({ appActionIfUnableToAuthenticateUser: "block" }), brings: [accountDisabled()] },
  accountNotAllowed: { rules: {}, brings: [accountNotAllowed()] },
};

const withDisposition = (cause: Cause, disposition: "auto" | "wait" | "none"): RulesSpec => ({
  ...CASES[cause].rules,
  settings: { dispositions: { offlineGrace: "wait", [cause]: disposition } },
});

const reaching = (cause: Cause, rules: RulesSpec = CASES[cause].rules) =>
  // A threat level has to be known before a device can pass a limit on it.
  checkingSession(rules, threatLevel("secured"), ...clean, enrolled(), pinSet())
    .leadsTo("active")
    .when(...CASES[cause].brings);

describe.each(CAUSES.map((cause) => [cause, DEFAULT_DISPOSITIONS[cause]] as const))("%s (%s)", (cause, disposition) => {
  test("takes access away", () => reaching(cause).decides("deny").because(cause).givesEffects("blockAccess"));

  test("is followed by what its disposition says", () => {
    const reached = reaching(cause);
    if (disposition === "auto") reached.leadsTo("remediating", "remediate").givesNo("signOut");
    if (disposition === "wait") {
      reached.leadsTo("noncompliant").givesNo("signOut", "remediate").decides("deny", `noncompliant.${cause}`);
    }
    if (disposition === "none") reached.leadsTo("signedOut", "signOut").givesNo("remediate", "wipe");
  });

  test("does so too when a tenant chose another disposition for it", () => {
    reaching(cause, withDisposition(cause, "wait")).leadsTo("noncompliant").because(cause);
    reaching(cause, withDisposition(cause, "none")).leadsTo("signedOut").because(cause).givesNo("wipe");
    reaching(cause, withDisposition(cause, "auto")).leadsTo("remediating").because(cause);
  });
});

const LIFTED = CAUSES.flatMap((cause) => {
  const { lifts } = CASES[cause];
  return lifts === undefined ? [] : [[cause, lifts] as const];
});

test.each(LIFTED)("%s is lifted, while it waits", (cause, lifts) => {
  reaching(cause, withDisposition(cause, "wait"))
    .when(...lifts)
    .leadsTo("active", "grantAccess")
    .because(undefined);
});

describe("several causes", () => {
  const waiting = {
    settings: { dispositions: { mamVerdict: "wait" } },
    policy: { appActionIfAccountIsClockedOut: "block" },
  } as const;

  test("the session stays blocked until the last is gone", () =>
    activeSession(waiting, noncompliant(), shiftEnded())
      .leadsTo("noncompliant")
      .decides("deny", "noncompliant.mamVerdict", "noncompliant.offShift")
      .when(compliant())
      .leadsTo("noncompliant", "notify(blocked.offShift)")
      .because("offShift")
      .when(shiftStarted())
      .leadsTo("active"));

  test("the most final disposition rules: one that is remediated over one that waits", () =>
    activeSession({ policy: { appActionIfAccountIsClockedOut: "block" } }, shiftEnded())
      .leadsTo("noncompliant")
      .when(noncompliant())
      .leadsTo("remediating")
      .because("mamVerdict"));

  test("one that ends the session over all", () =>
    activeSession(waiting, noncompliant())
      .when(conditionalAccessDenied("block"))
      .leadsTo("signedOut", effect("signOut", { reason: "caBlocked", messageKey: "signInRequired" }))
      .because("caBlocked"));

  test("a second one that waits tells nothing anew", () =>
    activeSession(waiting, noncompliant())
      .when(shiftEnded())
      .leadsTo("noncompliant")
      .because("mamVerdict")
      .givesExactly());
});

test("each cause that waits tells the person what to do", () => {
  const messages = CAUSES.map((cause) => reaching(cause, withDisposition(cause, "wait")).decision.message);
  for (const { text } of messages) expect(text).not.toContain("{");
});

describe("an account that is shown again while it is out of compliance", () => {
  test("is signed out and told to sign in again", () =>
    activeSession({ policy: { appActionIfAccountIsClockedOut: "block" } }, shiftEnded())
      .leadsTo("noncompliant")
      .when(switchedHere())
      .leadsTo(
        "signedOut",
        effect("signOut", { reason: "noncompliant", messageKey: "signInRequired" }),
        "notify(signInRequired)",
      )
      .because("offShift")
      .givesNo("wipe"));

  test("left, it just waits on", () =>
    activeSession({ policy: { appActionIfAccountIsClockedOut: "block" } }, shiftEnded())
      .when(switchedAway())
      .leadsTo("noncompliant"));
});
