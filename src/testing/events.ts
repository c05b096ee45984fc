/**
 * One builder for every event there is, with a payload that is ordinary until the specification says otherwise. What only the
 * session knows, such as the attempt that runs, is filled in when the event happens.
 */
import type { SessionEvent, SessionEventOf } from "../../machines/events/catalogue.js";
import type { PinDescriptor } from "../../machines/policy/pin-descriptor.js";
import type { Posture } from "../../machines/policy/posture.js";
import type { Platform, Rules, ThreatLevel } from "../../machines/policy/rules.js";
import type { Session } from "../../machines/session/session.js";

/** What an event can look at when it happens. */
export interface Scene {
  readonly rules: Rules;
  /** Absent: nobody has signed in yet. */
  readonly session?: Session;
}

/** An event that takes its defaults from the scene. */
export type SceneEvent = (scene: Scene) => SessionEvent;

type Data<Type extends SessionEvent["type"]> = Partial<Omit<SessionEventOf<Type>, "type">>;

// account
/** Signed in on the platform of the rules. */
export const signedIn =
  (data: Data<"account.signedIn"> = {}): SceneEvent =>
  ({ rules }) => ({ type: "account.signedIn", platform: rules.platform, ...data });
export const signedOut = (data: Data<"account.signedOut"> = {}): SessionEvent => ({
  type: "account.signedOut",
  initiator: "user",
  ...data,
});
export const switchedHere = (data: Data<"account.switched"> = {}): SessionEvent => ({
  type: "account.switched",
  role: "to",
  ...data,
});
export const switchedAway = (data: Data<"account.switched"> = {}): SessionEvent => ({
  type: "account.switched",
  role: "from",
  ...data,
});
/** This session's account, unless another is named. */
export const accountRemoved = (data: Data<"account.removed"> = {}): SessionEvent => ({
  type: "account.removed",
  ...data,
});
export const accountDisabled = (data: Data<"account.disabled"> = {}): SessionEvent => ({
  type: "account.disabled",
  ...data,
});
export const accountEnabled = (data: Data<"account.enabled"> = {}): SessionEvent => ({
  type: "account.enabled",
  ...data,
});
export const accountNotAllowed = (data: Data<"account.notAllowed"> = {}): SessionEvent => ({
  type: "account.notAllowed",
  ...data,
});

// credentials
export const authSucceeded = (data: Data<"auth.succeeded"> = {}): SessionEvent => ({ type: "auth.succeeded", ...data });
export const authFailed = (data: Data<"auth.failed"> = {}): SessionEvent => ({ type: "auth.failed", ...data });
export const tokenRevoked = (data: Data<"token.revoked"> = {}): SessionEvent => ({
  type: "token.revoked",
  reason: "revoked",
  ...data,
});

// what binds the session
export const licenseGranted = (data: Data<"license.granted"> = {}): SessionEvent => ({
  type: "license.granted",
  ...data,
});
export const licenseRevoked = (data: Data<"license.revoked"> = {}): SessionEvent => ({
  type: "license.revoked",
  ...data,
});
export const membershipChanged = (data: Data<"membership.changed"> = {}): SessionEvent => ({
  type: "membership.changed",
  groups: [],
  ...data,
});
/** All that is known of the user; by default the first version of a record that says nothing. */
export const userChanged = (data: Data<"user.changed"> = {}): SessionEvent => ({
  type: "user.changed",
  version: 1,
  ...data,
});
export const policyRemoved = (data: Data<"policy.removed"> = {}): SessionEvent => ({ type: "policy.removed", ...data });

// enrollment
/** Enrolled with success; other results by `result`. */
export const enrolled = (data: Data<"enrollment.completed"> = {}): SessionEvent => ({
  type: "enrollment.completed",
  result: "ENROLLMENT_SUCCEEDED",
  ...data,
});
export const enrollmentEnded = (data: Data<"enrollment.ended"> = {}): SessionEvent => ({
  type: "enrollment.ended",
  result: "UNENROLLMENT_SUCCEEDED",
  ...data,
});
export const registrationExpired = (data: Data<"registration.expired"> = {}): SessionEvent => ({
  type: "registration.expired",
  daysSinceSync: 90,
  ...data,
});

// contact
export const checkedIn = (data: Data<"checkin.succeeded"> = {}): SessionEvent => ({
  type: "checkin.succeeded",
  ...data,
});
export const checkinFailed = (data: Data<"checkin.failed"> = {}): SessionEvent => ({
  type: "checkin.failed",
  reason: "network",
  attempt: 1,
  ...data,
});
export const connectivityLost = (): SessionEvent => ({ type: "connectivity.lost" });
export const connectivityRestored = (): SessionEvent => ({ type: "connectivity.restored" });

// PIN and proof
/** By default a PIN that fits the rules exactly. */
export const pinSet =
  (descriptor: Partial<PinDescriptor> = {}): SceneEvent =>
  ({ rules }) => ({ type: "pin.set", descriptor: { ...fittingPin(rules), ...descriptor } });
export const pinSetRejected = (data: Data<"pin.setRejected"> = {}): SessionEvent => ({
  type: "pin.setRejected",
  violations: ["tooShort"],
  ...data,
});
export const pinVerified = (data: Data<"pin.verified"> = {}): SessionEvent => ({
  type: "pin.verified",
  method: "pin",
  ...data,
});
export const biometricVerified = (): SessionEvent => pinVerified({ method: "biometric" });
/** One more wrong PIN than before. */
export const pinRejected =
  (data: Data<"pin.rejected"> = {}): SceneEvent =>
  ({ session }) => ({
    type: "pin.rejected",
    failedAttempts: (session?.facts.failedAttempts ?? 0) + 1,
    ...data,
  });
export const pinCancelled = (): SessionEvent => ({ type: "pin.cancelled" });
export const pinResetRequested = (): SessionEvent => ({ type: "pin.resetRequested" });
export const biometricsChanged = (): SessionEvent => ({ type: "biometrics.changed" });

// the app and the device
export const launched = (data: Data<"app.launched"> = {}): SessionEvent => ({ type: "app.launched", ...data });
export const foregrounded = (data: Data<"app.foregrounded"> = {}): SessionEvent => ({
  type: "app.foregrounded",
  ...data,
});
export const backgrounded = (data: Data<"app.backgrounded"> = {}): SessionEvent => ({
  type: "app.backgrounded",
  ...data,
});
export const rebooted = (data: Data<"device.rebooted"> = {}): SessionEvent => ({ type: "device.rebooted", ...data });
/** A device in good order, of the platform of the rules. */
export const posture =
  (report: Partial<Posture> = {}): SceneEvent =>
  ({ rules }) => ({ type: "posture.reported", ...HEALTHY[rules.platform], ...report });
export const threatLevel = (level: ThreatLevel, partner = "defender"): SessionEvent => ({
  type: "threat.levelChanged",
  level,
  partner,
});

// working time
export const shiftEnded = (data: Data<"shift.ended"> = {}): SessionEvent => ({ type: "shift.ended", ...data });
export const shiftStarted = (data: Data<"shift.started"> = {}): SessionEvent => ({ type: "shift.started", ...data });

// verdicts of the service
export const compliant = (data: Data<"compliance.evaluated"> = {}): SessionEvent => ({
  type: "compliance.evaluated",
  verdict: "compliant",
  scope: "mam",
  ...data,
});
export const noncompliant = (data: Data<"compliance.evaluated"> = {}): SessionEvent =>
  compliant({ verdict: "noncompliant", ...data });
export const conditionalAccessGranted = (data: Data<"ca.evaluated"> = {}): SessionEvent => ({
  type: "ca.evaluated",
  result: "granted",
  enforced: true,
  ...data,
});
/** Denied for want of these controls, by their Graph names; none: outright. */
export const conditionalAccessDenied = (...unsatisfied: readonly string[]): SessionEvent => ({
  type: "ca.evaluated",
  result: "denied",
  enforced: true,
  ...(unsatisfied.length > 0 && { unsatisfied: [...unsatisfied] }),
});

// remediation
export const remediationRequested = (data: Data<"remediation.requested"> = {}): SessionEvent => ({
  type: "remediation.requested",
  ...data,
});
/** The answer to the attempt that runs, unless another is named. */
export const remediationCompleted =
  (
    status: SessionEventOf<"remediation.completed">["status"] = "COMPLIANT",
    data: Data<"remediation.completed"> = {},
  ): SceneEvent =>
  ({ session }) => ({
    type: "remediation.completed",
    status,
    attemptId: session?.facts.remediation?.attemptId ?? "none-runs",
    ...data,
  });
export const companyPortalInstalled = (data: Data<"companyPortal.installed"> = {}): SessionEvent => ({
  type: "companyPortal.installed",
  ...data,
});

// wipe
export const wipeRequested = (data: Data<"wipe.requested"> = {}): SessionEvent => ({
  type: "wipe.requested",
  requestId: "wipe-1",
  scope: "app",
  ...data,
});
const ofTheWipe =
  <Type extends "wipe.completed" | "wipe.failed" | "wipe.cancelled">(type: Type) =>
  (data: { readonly requestId?: string } = {}): SceneEvent =>
  ({ session }) => ({ type, requestId: session?.facts.wipe?.requestId ?? "none-stands", ...data });
/** The wipe that stands, unless another is named. */
export const wipeCompleted = ofTheWipe("wipe.completed");
export const wipeFailed = ofTheWipe("wipe.failed");
export const wipeCancelled = ofTheWipe("wipe.cancelled");

export const signOutForced = (data: Data<"session.signOutForced"> = {}): SessionEvent => ({
  type: "session.signOutForced",
  ...data,
});

/** A device in good order. */
export const HEALTHY: Readonly<Record<Platform, Posture>> = {
  ios: {
    osVersion: "17.4.1",
    appVersion: "5.2.0",
    sdkVersion: "19.1.0",
    model: "iPhone15,2",
    manufacturer: "Apple",
    rooted: false,
    deviceLock: "high",
  },
  android: {
    osVersion: "14",
    appVersion: "5.2.0",
    patchVersion: "2025-02-05",
    model: "Pixel 8",
    manufacturer: "Google",
    rooted: false,
    deviceLock: "high",
    portalVersion: "5.0.6300.0",
    portalAgeDays: 3,
    integrity: "strong",
    knox: "unsupported",
    appScan: true,
  },
};

function fittingPin({ pin }: Rules): PinDescriptor {
  const passcode = pin?.kind === "passcode";
  return {
    length: pin?.minLength ?? 4,
    kind: passcode ? "passcode" : "numeric",
    simple: false,
    hasDigit: true,
    hasLetter: passcode,
    hasSymbol: passcode,
    matchesHistory: 0,
  };
}
