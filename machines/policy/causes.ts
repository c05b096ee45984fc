/**
 * Why access was taken away, and what follows from it. A cause belongs to a `noncompliant` session;
 * its disposition says whether the app tries to remediate, the session waits, or it ends at once.
 */

export const CAUSES = [
  // the service's own verdicts
  "mamVerdict",
  "caProtectionPolicyRequired",
  "caDeviceNotCompliant",
  // posture: what the device reported breaks a condition of the policy
  "osVersion",
  "appVersion",
  "sdkVersion",
  "patchVersion",
  "companyPortal",
  "rooted",
  "deviceModel",
  "deviceLock",
  "integrity",
  "threatScan",
  "knox",
  "threatLevel",
  // time and connection
  "offlineGrace",
  "integrityStale",
  "offlineWipeDue",
  "offShift",
  // the account
  "wrongUser",
  "companyPortalRequired",
  "caBlocked",
  "accountDisabled",
  "accountNotAllowed",
] as const;
export type Cause = (typeof CAUSES)[number];

/**
 * What a noncompliant session does next.
 * - `auto`: one remediation attempt after another, if the tenant has remediation on; otherwise sign-out
 * - `wait`: rests, blocked, until the cause goes away
 * - `none`: signed out at once
 */
export type Disposition = "auto" | "wait" | "none";
export type Dispositions = Readonly<Record<Cause, Disposition>>;

export const DEFAULT_DISPOSITIONS: Dispositions = {
  mamVerdict: "auto",
  caProtectionPolicyRequired: "auto",
  caDeviceNotCompliant: "auto",
  osVersion: "auto",
  appVersion: "auto",
  sdkVersion: "auto",
  patchVersion: "auto",
  companyPortal: "auto",
  rooted: "auto",
  deviceModel: "auto",
  deviceLock: "auto",
  integrity: "auto",
  threatScan: "auto",
  knox: "auto",
  threatLevel: "auto",
  offlineGrace: "wait",
  integrityStale: "wait",
  offlineWipeDue: "wait",
  offShift: "wait",
  wrongUser: "wait",
  companyPortalRequired: "wait",
  caBlocked: "none",
  accountDisabled: "none",
  accountNotAllowed: "none",
};
