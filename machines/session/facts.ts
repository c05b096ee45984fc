/**
 * How events change what a session remembers: one entry an event, nothing but facts. Where the session goes is
 * the chart's business; a fact is recorded in the same way in every state.
 */
import type { EventType, SessionEvent, SessionEventOf } from "../events/catalogue.js";
import { canonicalGroups } from "../users/user-record.js";
import type { SessionContext, SessionFacts } from "./context.js";
import { biometricTimedOut, proofIsStale } from "./ladder.js";
import { ENROLLMENT_RETRY_MS, TENANT_RETRY_MS, UNMANAGED_RETRY_MS, backoffMs } from "./retry.js";

type Change = Partial<SessionFacts>;
type Recorder<Type extends EventType> = (context: SessionContext, event: SessionEventOf<Type>) => Change;

const NOTHING: Change = {};

const NO_PROOF: Change = { pinProven: undefined, credentialsProven: undefined };
const NO_RETRY: Change = { retryAt: undefined };

const RECORDERS: { readonly [Type in EventType]?: Recorder<Type> } = {
  // account
  "account.signedIn": (context, event) => ({
    ...NO_PROOF,
    platform: event.platform,
    mdmEnrolled: event.deviceMdmEnrolled === true ? true : undefined,
    failedAttempts: undefined,
    warned: undefined,
    backgroundedAt: undefined,
    signOutReason: undefined,
    // A remediation goes on, and with it its cause.
    cause: context.remediation && context.cause,
    ...(event.interactive === true && { credentialsProven: true, authRequired: undefined, mfaProven: undefined }),
    ...(event.mfa === true && { mfaProven: true }),
    ...(isSignedInAndEnrolled(context)
      ? NOTHING
      : {
          enrollment: "checking",
          held: undefined,
          // Enrollment will tell anew.
          licensed: undefined,
          released: undefined,
          wrongUser: undefined,
          offlineWipe: undefined,
          // What was left of the last session's parting is over: its app is here again, and signed in.
          wipe: context.step.rest === "signedOut" ? undefined : context.wipe,
          ...NO_RETRY,
        }),
  }),
  "account.switched": (context, event) =>
    event.role === "from" ? { backgroundedAt: context.step.now } : endInactivity(context),
  "account.removed": (context) =>
    context.wrongUser === true ? { wrongUser: undefined, enrollment: "checking" } : NOTHING,
  "account.notAllowed": () => ({ accountNotAllowed: true }),

  // what the directory says of the user
  "account.disabled": () => ({ accountDisabled: true }),
  "account.enabled": () => ({ accountDisabled: undefined, accountNotAllowed: undefined }),
  "license.granted": grantLicense,
  "license.revoked": () => ({ licensed: false }),
  "membership.changed": (_context, event) => ({ groups: canonicalGroups(event.groups) }),
  "user.changed": (context, { version, licensed, groups, account }) => ({
    userVersion: version,
    ...(licensed === true && context.licensed !== true && grantLicense(context)),
    ...(licensed === false && { licensed: false }),
    ...(groups !== undefined && { groups: canonicalGroups(groups) }),
    // Whether the account may be in this app is the session's own fact, and stays.
    ...(account !== undefined && { accountDisabled: account === "disabled" ? true : undefined }),
  }),

  // credentials
  "auth.succeeded": (context, event) => ({
    // A token that was got silently shows nobody at the device.
    ...(event.method !== "silent" && endInactivity(context)),
    credentialsProven: true,
    ...(event.mfa === true && { mfaProven: true }),
    authRequired: context.authRequired === "conditionalAccess" && event.mfa === false ? "conditionalAccess" : undefined,
    offlineWipe: context.offlineWipe === "signIn" ? "checkIn" : context.offlineWipe,
    ...(context.enrollment === "held" && { enrollment: "checking", held: undefined, ...NO_RETRY }),
  }),
  "token.revoked": (context) => ({
    // A sign-in that conditional access awaits asks for more than one after a token was taken back.
    authRequired: context.authRequired === "conditionalAccess" ? "conditionalAccess" : "tokenRevoked",
    credentialsProven: undefined,
    mfaProven: undefined,
  }),

  // what binds the session
  "policy.removed": () => ({ released: "policyRemoved" }),
  "policy.changed": () => ({ vouched: undefined }),
  "assignment.changed": (context, event) => ({
    vouched: undefined,
    ...(event.targeted
      ? { released: undefined, ...enrollAgain(context) }
      : context.enrollment !== "enrolled" && { enrollment: "none" }),
  }),

  // enrollment
  "enrollment.completed": recordEnrollment,
  "enrollment.ended": (context, event) => ({
    ...endEnrollment(context),
    ...(event.wiped === true && { pin: undefined }),
  }),
  "registration.expired": endEnrollment,
  "companyPortal.installed": (context) =>
    context.portalRequired === true ? { portalRequired: undefined, enrollment: "checking" } : NOTHING,

  // contact
  "checkin.succeeded": (context) => ({
    lastCheckinAt: context.step.now,
    offlineWipe: context.offlineWipe === "checkIn" ? undefined : context.offlineWipe,
    ...NO_RETRY,
  }),
  "checkin.failed": (context, event) =>
    event.reason === "userInvalid"
      ? { accountDisabled: true }
      : { retryAt: context.step.now + backoffMs(event.attempt, `${context.step.user}/${context.lastCheckinAt ?? 0}`) },
  "checkin.retryDue": () => NO_RETRY,

  // PIN and proof
  "pin.set": (context, { descriptor: { setAt: _, ...descriptor } }) => ({
    pin: { ...descriptor, setAtMs: context.step.now },
    pinReset: undefined,
    failedAttempts: undefined,
    pinProven: true,
    pinOnly: undefined,
    backgroundedAt: undefined,
  }),
  "pin.verified": (context, event) => ({
    pinProven: true,
    failedAttempts: undefined,
    pinOnly: event.method === "pin" ? undefined : context.pinOnly,
    backgroundedAt: undefined,
  }),
  "pin.rejected": (context, event) => ({ failedAttempts: failedAttempts(context, event) }),
  "pin.resetRequested": () => ({ pinReset: "requested", authRequired: "pinReset", pinProven: undefined }),
  "biometrics.changed": (context) =>
    context.platform === "ios" || context.step.rules.pin?.pinAfterBiometricChange === true
      ? { pinOnly: true }
      : NOTHING,
  "biometric.timedOut": () => ({ pinOnly: true }),
  "access.recheckDue": () => NO_PROOF,

  // the app and the device
  "app.launched": (context) => ({ ...endInactivity(context), warned: undefined }),
  "app.foregrounded": endInactivity,
  "app.backgrounded": (context) => ({ backgroundedAt: context.step.now }),
  "device.rebooted": (context) =>
    context.posture?.integrity === "requestFailed" ? { ...NO_PROOF, integrity: undefined } : NO_PROOF,
  "posture.reported": (context, { type: _, ...posture }) => ({
    posture,
    vouched: undefined,
    ...(posture.integrity !== undefined &&
      posture.integrity !== "requestFailed" && { integrity: { verdict: posture.integrity, at: context.step.now } }),
  }),
  "threat.levelChanged": (_context, event) => ({ threatLevel: event.level, vouched: undefined }),
  // Told again, it gives no second grace.
  "shift.ended": (context, event) =>
    context.shiftEndedAt === undefined ? { shiftEndedAt: context.step.now, shiftGraceMs: event.graceMs } : NOTHING,
  "shift.started": () => ({ shiftEndedAt: undefined, shiftGraceMs: undefined }),

  // verdicts
  "compliance.evaluated": (_context, event) => {
    if (event.verdict === "unknown") return NOTHING;
    const isCompliant = event.verdict === "compliant";
    return event.scope === "mam"
      ? { mamNoncompliant: isCompliant ? undefined : true }
      : { deviceCompliant: isCompliant };
  },
  "ca.evaluated": recordConditionalAccess,
  "remediation.completed": (context, event) => {
    if (event.status === "COMPLIANT") {
      return {
        ...COMPLIANT_AGAIN,
        ...(context.deviceCompliant === false && { deviceCompliant: undefined }),
        ...(event.restarted === true && NO_PROOF),
      };
    }
    const { remediation } = context;
    if (remediation === undefined) return NOTHING;
    return {
      remediation: {
        ...remediation,
        attemptId: undefined,
        clientErrors: remediation.clientErrors + (event.status === "CLIENT_ERROR" ? 1 : 0),
        silent: event.status === "INTERACTION_REQUIRED" ? false : remediation.silent,
      },
    };
  },
  "remediation.requested": (_context, event) => ({
    remediation: { attempts: 0, silent: event.silent ?? true, clientErrors: 0 },
  }),

  // wipe
  "wipe.requested": ({ wipe }, event) => ({
    wipe:
      // A wipe of the user, which stands until it is cancelled, covers one of the app.
      event.scope === "app" && wipe?.scope === "user" && wipe.status !== "cancelled"
        ? { ...wipe, status: "pending" }
        : { requestId: event.requestId, scope: event.scope, status: "pending", why: "requested" },
  }),
  "wipe.cancelled": wipeBecomes("cancelled"),
  "wipe.completed": (context, event) => ({
    ...wipeBecomes("completed")(context, event),
    pin: undefined,
    pinReset: undefined,
    introduced: undefined,
  }),
  "wipe.failed": wipeBecomes("failed"),
};

/**
 * What a remediation that succeeded says: the service's verdicts no longer stand, and the device is vouched for until it
 * reports again.
 */
const COMPLIANT_AGAIN: Change = {
  mamNoncompliant: undefined,
  conditionalAccess: undefined,
  vouched: true,
  remediation: undefined,
};

/** What the event changes; nothing for an event that carries no facts. */
export function factsOf(context: SessionContext, event: SessionEvent): Change {
  const recorder = RECORDERS[event.type] as Recorder<EventType> | undefined;
  return recorder === undefined ? NOTHING : recorder(context, event);
}

/** Wrong PINs in a row: the app's running count, but never less than what was reported here. */
export function failedAttempts(context: SessionContext, event: SessionEventOf<"pin.rejected">): number {
  return Math.max(event.failedAttempts, (context.failedAttempts ?? 0) + 1);
}

function isSignedInAndEnrolled({ enrollment, step }: SessionContext): boolean {
  return enrollment === "enrolled" && step.rest !== "signedOut" && !step.rest.startsWith("unenrolled");
}

function grantLicense(context: SessionContext): Change {
  return {
    licensed: true,
    released: undefined,
    ...(context.step.rules.policies.length > 0 && enrollAgain(context)),
  };
}

function enrollAgain({ enrollment }: SessionContext): Change {
  return enrollment === "none" ? { enrollment: "checking", ...NO_RETRY } : NOTHING;
}

/** Where nothing was enrolled, nothing ends. */
function endEnrollment({ enrollment }: SessionContext): Change {
  return enrollment === "none" ? NOTHING : { enrollment: "checking", ...NO_PROOF };
}

/** Inactivity ends, and leaves behind what it led to. */
function endInactivity(context: SessionContext): Change {
  return {
    backgroundedAt: undefined,
    ...(proofIsStale(context) && NO_PROOF),
    ...(biometricTimedOut(context) && { pinOnly: true }),
  };
}

function recordEnrollment(context: SessionContext, event: SessionEventOf<"enrollment.completed">): Change {
  const { now } = context.step;
  const wasEnrolled = context.enrollment === "enrolled";
  switch (event.result) {
    case "ENROLLMENT_SUCCEEDED":
      return {
        enrollment: "enrolled",
        held: undefined,
        licensed: true,
        released: undefined,
        wrongUser: undefined,
        portalRequired: undefined,
        introduced: true,
        lastCheckinAt: now,
        ...NO_RETRY,
      };
    // Also the answer when licensing can't be reached: whoever is managed already keeps the last policy.
    case "NOT_LICENSED":
      return wasEnrolled ? NOTHING : { enrollment: "none", licensed: false, retryAt: now + UNMANAGED_RETRY_MS };
    case "NOT_TARGETED":
      return { enrollment: "none", released: "notTargeted", retryAt: now + UNMANAGED_RETRY_MS };
    case "TENANT_NOT_SET_UP":
      return { enrollment: "none", released: "tenantNotSetUp", retryAt: now + TENANT_RETRY_MS };
    case "AUTHORIZATION_NEEDED":
      return wasEnrolled ? NOTHING : { enrollment: "held", held: "authorization", ...NO_RETRY };
    case "ENROLLMENT_FAILED":
      return wasEnrolled ? NOTHING : { enrollment: "held", held: "failed", retryAt: now + ENROLLMENT_RETRY_MS };
    case "PENDING":
      return wasEnrolled
        ? NOTHING
        : { enrollment: "held", held: "pending", retryAt: now + backoffMs(1, context.step.user) };
    case "WRONG_USER":
      return { wrongUser: true, enrollment: "none" };
    case "COMPANY_PORTAL_REQUIRED":
      return { portalRequired: true, enrollment: "none" };
  }
}

/** Controls that a person meets by signing in; the session is not noncompliant for want of them. */
const MET_BY_SIGNING_IN: ReadonlySet<string> = new Set(["mfa", "termsOfUse", "passwordChange"]);

/** All that is missing can be met by signing in. */
export function isMetBySigningIn({ unsatisfied = [] }: SessionEventOf<"ca.evaluated">): boolean {
  return unsatisfied.length > 0 && unsatisfied.every((control) => MET_BY_SIGNING_IN.has(control));
}

function recordConditionalAccess(_context: SessionContext, event: SessionEventOf<"ca.evaluated">): Change {
  if (event.result === "granted") return { conditionalAccess: undefined };
  if (!event.enforced) return NOTHING;
  return isMetBySigningIn(event) ? { authRequired: "conditionalAccess" } : { conditionalAccess: denialCause(event) };
}

/** Whether a denial leaves nothing to remediate. */
export function isBlockedOutright(event: SessionEventOf<"ca.evaluated">): boolean {
  return event.result === "denied" && event.enforced && !isMetBySigningIn(event) && denialCause(event) === "caBlocked";
}

function denialCause({ unsatisfied = [] }: SessionEventOf<"ca.evaluated">) {
  const [first, ...others] = unsatisfied.filter((control) => !MET_BY_SIGNING_IN.has(control));
  const remediable = first !== undefined && [first, ...others].every((control) => Object.hasOwn(CA_CAUSES, control));
  // `block`, a control that we do not know, or a denial without a reason: nothing that remediation could meet.
  return remediable ? CA_CAUSES[first as keyof typeof CA_CAUSES] : "caBlocked";
}

const CA_CAUSES = {
  compliantApplication: "caProtectionPolicyRequired",
  approvedApplication: "caProtectionPolicyRequired",
  compliantDevice: "caDeviceNotCompliant",
  domainJoinedDevice: "caDeviceNotCompliant",
} as const;

function wipeBecomes(status: "completed" | "failed" | "cancelled") {
  return ({ wipe }: SessionContext, event: { readonly requestId: string }): Change =>
    wipe !== undefined && wipe.requestId === event.requestId ? { wipe: { ...wipe, status } } : NOTHING;
}
