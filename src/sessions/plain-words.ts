/** Events, states and causes as a reader would say them. One entry a type, so that a new type can't be left without words. */
import type { EventType, SessionEventOf } from "../../machines/events/catalogue.js";
import type { Cause } from "../../machines/policy/causes.js";
import type { StatePath } from "../../machines/session/context.js";

type Words = { readonly [Type in EventType]: string | ((event: SessionEventOf<Type>) => string) };

const EVENT_WORDS: Words = {
  "account.signedIn": "signed in with the work account",
  "account.signedOut": ({ initiator }) => `signed out (by the ${initiator})`,
  "account.switched": ({ role }) => (role === "from" ? "switched to another account" : "switched to this account"),
  "account.removed": "an account was removed from the app",
  "account.disabled": "the directory disabled the account",
  "account.enabled": "the directory enabled the account again",
  "account.notAllowed": "the organisation does not allow this account here",
  "auth.succeeded": "entered the work credentials",
  "auth.failed": "failed to sign in with the work credentials",
  "token.revoked": ({ reason }) => `the account's tokens were revoked (${reason})`,
  "license.granted": "the user was given a license",
  "license.revoked": "the user's license was taken away",
  "membership.changed": "the user's groups changed",
  "user.changed": "what is known of the user was told",
  "session.retired": ({ why }) =>
    why === "silent"
      ? "it was not used for long, and is forgotten"
      : "its device had too many sessions; it is forgotten",
  "quarantine.lifted": "an operator lets it go on",
  "quarantine.dropped": "an operator gave the session up",
  "policy.removed": "the service took management away",
  "policy.changed": ({ version }) => `the organisation's rules changed (catalogue version ${version})`,
  "assignment.changed": ({ targeted }) =>
    targeted ? "policies began to cover this account" : "policies ceased to cover this account",
  "enrollment.completed": ({ result }) =>
    result === "ENROLLMENT_SUCCEEDED" ? "the app was enrolled and got its policy" : `enrollment ended with ${result}`,
  "enrollment.ended": "the app's registration ended",
  "registration.expired": "the registration expired",
  "checkin.succeeded": "the app checked in",
  "checkin.failed": ({ reason }) => `a check-in failed (${reason})`,
  "connectivity.lost": "the connection was lost",
  "connectivity.restored": "the connection came back",
  "pin.set": ({ descriptor: { length, kind } }) =>
    kind === "numeric" ? `chose a PIN of ${length} digits` : `chose a passcode of ${length} characters`,
  "pin.setRejected": "the app refused a new PIN",
  "pin.verified": ({ method }) => (method === "pin" ? "entered the PIN" : "unlocked with a biometric"),
  "pin.rejected": ({ failedAttempts }) => `entered a wrong PIN, ${failedAttempts} in a row`,
  "pin.cancelled": "left the PIN prompt",
  "pin.resetRequested": "asked for a new PIN",
  "biometrics.changed": "the device's biometrics changed",
  "app.launched": "started the app",
  "app.foregrounded": "opened the app",
  "app.backgrounded": "put the app away",
  "device.rebooted": "restarted the device",
  "posture.reported": ({ osVersion, rooted }) =>
    `the device reported itself: system ${osVersion}${rooted ? ", jailbroken or rooted" : ""}`,
  "threat.levelChanged": ({ level, partner }) => `${partner} rates the device's threat level ${level}`,
  "shift.ended": "the shift ended",
  "shift.started": "the shift began",
  "compliance.evaluated": ({ verdict, scope, cause }) =>
    `the service judged the ${scope === "mam" ? "account" : "device"} ${verdict}${cause === undefined ? "" : ` (${cause})`}`,
  "ca.evaluated": ({ result, unsatisfied = [] }) =>
    `conditional access ${result === "granted" ? "granted" : "denied"} a token${unsatisfied.length === 0 ? "" : ` (${unsatisfied.join(", ")})`}`,
  "remediation.requested": "a remediation was asked for",
  "remediation.completed": ({ status }) => `the remediation attempt came to ${status}`,
  "companyPortal.installed": "installed Company Portal",
  "wipe.requested": "an administrator asked to remove the organisation's data",
  "wipe.cancelled": "the wipe was called off",
  "wipe.completed": "the app removed the organisation's data",
  "wipe.failed": "the app could not remove the organisation's data",
  "session.signOutForced": "an administrator ended the session",
  "access.recheckDue": "away for so long that access is checked again",
  "pin.expired": "the PIN reached its greatest age",
  "biometric.timedOut": "away for so long that only the PIN counts",
  "offlineGrace.expired": "no check-in for longer than the organisation allows",
  "offlineWipe.due": "no check-in for so long that the person must sign in again",
  "integrityGrace.expired": "the last integrity verdict became too old",
  "shiftGrace.expired": "the grace after the shift was over",
  "checkin.retryDue": "time to try again",
  "remediation.timedOut": "the remediation attempt got no answer in time",
  "remediation.retryDue": "time for the next remediation attempt",
};

export function eventWords(event: { readonly type: EventType }): string {
  const words = EVENT_WORDS[event.type];
  // Each type's entry takes that type's event, which the compiler can't follow through the look-up.
  return typeof words === "string" ? words : words(event as never);
}

export const STATE_WORDS: Readonly<Record<StatePath, string>> = {
  "unenrolled.checking": "waits for policy",
  "unenrolled.held": "waits for enrollment",
  "unenrolled.unmanaged": "not managed",
  pinSetup: "a PIN must be chosen",
  locked: "locked",
  active: "access",
  noncompliant: "out of compliance",
  "remediating.attempt": "being remediated",
  "remediating.backoff": "pausing before the next attempt",
  "remediating.waitingForPortal": "waits for Company Portal",
  signedOut: "signed out",
};

export const CAUSE_WORDS: Readonly<Record<Cause, string>> = {
  mamVerdict: "the service's compliance verdict",
  caProtectionPolicyRequired: "conditional access (app protection)",
  caDeviceNotCompliant: "conditional access (compliant device)",
  osVersion: "the OS version",
  appVersion: "the app version",
  sdkVersion: "the SDK version",
  patchVersion: "the security patch",
  companyPortal: "Company Portal",
  rooted: "a jailbroken or rooted device",
  deviceModel: "the device's make or model",
  deviceLock: "the screen lock",
  integrity: "the device's integrity",
  threatScan: "the threat scan",
  knox: "Samsung Knox attestation",
  threatLevel: "the device's threat level",
  offlineGrace: "no check-in for too long",
  integrityStale: "an integrity verdict that is too old",
  offlineWipeDue: "no check-in for so long that data are to be removed",
  offShift: "being off shift",
  wrongUser: "another user's account",
  companyPortalRequired: "Company Portal, which is missing",
  caBlocked: "conditional access, which blocks",
  accountDisabled: "a disabled account",
  accountNotAllowed: "an account that is not allowed here",
};
