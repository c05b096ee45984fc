/**
 * The settle ladder's questions. After anything that may change the verdict, the chart asks them from the top; the first "yes"
 * is where the session rests. All are pure functions of the facts, the rules and the clock.
 */
import type { Cause, Disposition } from "../policy/causes.js";
import { failingConditions, judgesPosture, type Failure } from "../policy/conditional-launch.js";
import { pinViolations, storedPinViolations } from "../policy/pin-rules.js";
import type { CredentialsReason, PinSetupReason } from "../effects/catalogue.js";
import { type AccessProofs, type UnmetDemand, unmetDemands } from "../policy/conditional-access.js";
import type { PinDescriptor } from "../policy/pin-descriptor.js";
import type { SessionContext } from "./context.js";

/** An integrity verdict counts for this long while new requests fail. */
export const INTEGRITY_VERDICT_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** A policy covers the session and nothing released it: only then do rules bind. */
export function isManaged(context: SessionContext): boolean {
  return context.step.rules.policies.length > 0 && context.licensed !== false && context.released === undefined;
}

/**
 * Rung 3. Whom no policy covers is unmanaged once enrollment has given an answer, and not before: until then no data is shown,
 * whatever else happens.
 */
export function isUnmanaged(context: SessionContext): boolean {
  const { licensed, released, enrollment, step } = context;
  const { policies, membershipUnknown } = step.rules;
  return (
    licensed === false ||
    released !== undefined ||
    (policies.length === 0 && !membershipUnknown && enrollment !== "checking")
  );
}

/** Managed, and the app has the policy. */
export function isEnrolled(context: SessionContext): boolean {
  return isManaged(context) && context.enrollment === "enrolled";
}

/** Rung 4: the app does not have the policy yet, or nobody can tell yet whether there is one. */
export function isNotEnrolled({ enrollment, step }: SessionContext): boolean {
  return enrollment !== "enrolled" || step.rules.membershipUnknown;
}

/** What enforced conditional access asks for in vain, policy by policy. */
export function unmetAccess(context: SessionContext): readonly UnmetDemand[] {
  return context.step.rules.conditionalAccess.length === 0 ? NONE : judge(context).unmetAccess;
}

/** Before rung 3: no policy binds the account, but conditional access asks for more before it may in. */
export function accessIsHeld(context: SessionContext): boolean {
  return (
    isUnmanaged(context) &&
    (context.authRequired === "conditionalAccess" ||
      unmetAccess(context).some(({ remedy }) => remedy === "signIn" || remedy === "wait"))
  );
}

/** Conditional access refuses outright: nothing that app or person could do would help. */
export function accessIsBlocked(context: SessionContext): boolean {
  return unmetAccess(context).some(({ remedy }) => remedy === "none");
}

/** Conditional access demands app protection of an account that no policy protects: remediation can't succeed. */
export function protectionCannotCome(context: SessionContext): boolean {
  return isUnmanaged(context) && unmetAccess(context).some(({ remedy }) => remedy === "application");
}

/** Conditional access demands a compliant device, and the service has not judged this one. */
export function deviceVerdictIsAwaited(context: SessionContext): boolean {
  return unmetAccess(context).some(({ remedy }) => remedy === "wait");
}

/** Conditions of conditional launch that fail, worst action first. */
export function failures(context: SessionContext): readonly Failure[] {
  return judge(context).failures;
}

/** Every cause that stands, of which the worst disposition rules; in the order of the ladder. */
export function standingCauses(context: SessionContext): readonly Cause[] {
  return judge(context).causes;
}

/**
 * The cause that names the verdict: of those that stand, the one whose disposition is the most final (none before auto
 * before wait), and of those the first.
 */
export function rulingCause(context: SessionContext): Cause | undefined {
  const { dispositions } = context.step.rules;
  let ruling: Cause | undefined;
  for (const cause of standingCauses(context)) {
    if (ruling === undefined || FINALITY[dispositions[cause]] > FINALITY[dispositions[ruling]]) ruling = cause;
  }
  return ruling;
}

const FINALITY: Readonly<Record<Disposition, number>> = { none: 2, auto: 1, wait: 0 };

/** Rung 1. */
export function wipeIsDue(context: SessionContext): boolean {
  return context.wipe?.status === "pending" || (isEnrolled(context) && wipeCause(context) !== undefined);
}

/** What asks for a wipe by the rules alone: a failing condition or a disabled account whose action is `wipe`. */
export function wipeCause(context: SessionContext): Cause | undefined {
  if (context.accountDisabled === true && context.step.rules.disabledAccount === "wipe") return "accountDisabled";
  const [worst] = failures(context);
  return worst?.action === "wipe" ? worst.cause : undefined;
}

/** Rung 2: refusals of the account that hold with or without a policy. */
export function accountIsRefused(context: SessionContext): boolean {
  return accountCauses(context, unmetAccess(context)).length > 0;
}

/** Rung 5. */
export function verdictBlocks(context: SessionContext): boolean {
  return standingCauses(context).length > 0;
}

export function pinIsRequired(context: SessionContext): boolean {
  const { pin } = context.step.rules;
  if (pin === null) return false;
  const deviceIsLocked = context.posture !== undefined && context.posture.deviceLock !== "none";
  return !(pin.exemptWithDeviceLock && context.mdmEnrolled === true && deviceIsLocked);
}

/** Rung 6: why a new PIN is needed; `undefined`: it is not. */
export function pinSetupReason(context: SessionContext): PinSetupReason | undefined {
  if (!pinIsRequired(context)) return undefined;
  const { pin: rules } = context.step.rules;
  const { pin } = context;
  if (context.pinReset !== undefined) return context.pinReset;
  if (pin === undefined || rules === null) return "missing";
  if (rules.maxAgeMs !== null && context.step.now >= pin.setAtMs + rules.maxAgeMs) return "expired";
  return storedPinViolations(rules, pin).length > 0 ? "rules" : undefined;
}

/** Whether a PIN that is being set fits the rules, history included. */
export function newPinFits(context: SessionContext, descriptor: PinDescriptor): boolean {
  const { pin } = context.step.rules;
  return pin === null || pinViolations(pin, descriptor).length === 0;
}

/** Rung 7. */
export function proofIsMissing(context: SessionContext): boolean {
  return (
    pinProofIsMissing(context) ||
    credentialsAreDue(context) ||
    postureIsUnknown(context) ||
    deviceVerdictIsAwaited(context)
  );
}

export function pinProofIsMissing(context: SessionContext): boolean {
  return pinIsRequired(context) && context.pinProven !== true;
}

export function credentialsAreDue(context: SessionContext): boolean {
  return credentialsReason(context) !== undefined;
}

/** Why a sign-in is due; `undefined`: it is not. */
export function credentialsReason(context: SessionContext): CredentialsReason | undefined {
  if (context.authRequired !== undefined) return context.authRequired;
  if (unmetAccess(context).some(({ remedy }) => remedy === "signIn")) return "conditionalAccess";
  return context.step.rules.credentialsRequired && context.credentialsProven !== true ? "policy" : undefined;
}

/**
 * The rules judge the device, and the device has not said anything of itself. Without a report nothing can be called
 * compliant, so the session waits in `locked`: doubt about access is deny.
 */
export function postureIsUnknown(context: SessionContext): boolean {
  return context.posture === undefined && context.vouched !== true && judgesPosture(context.step.rules);
}

/** The app was out of the foreground for the recheck interval, or longer. */
export function proofIsStale(context: SessionContext): boolean {
  const { backgroundedAt, step } = context;
  return backgroundedAt !== undefined && step.now >= backgroundedAt + step.rules.recheckAfterMs;
}

/** There is proof, and it is stale. */
export function proofLapsed(context: SessionContext): boolean {
  return (context.pinProven === true || context.credentialsProven === true) && proofIsStale(context);
}

export function biometricCounts(context: SessionContext): boolean {
  return context.step.rules.pin?.biometricAllowed === true && context.pinOnly !== true && !biometricTimedOut(context);
}

/** The app was out of the foreground for so long that the PIN alone counts. */
export function biometricTimedOut({ backgroundedAt, step }: SessionContext): boolean {
  const timeoutMs = step.rules.pin?.biometricTimeoutMs ?? null;
  return backgroundedAt !== undefined && timeoutMs !== null && step.now >= backgroundedAt + timeoutMs;
}

/** Without a check-in for so long that a sign-in is due, and none is awaited yet. */
export function offlineWipeIsDue(context: SessionContext): boolean {
  const { wipeAfterMs } = context.step.rules.offline;
  return (
    context.offlineWipe === undefined &&
    wipeAfterMs !== null &&
    context.lastCheckinAt !== undefined &&
    context.step.now >= context.lastCheckinAt + wipeAfterMs &&
    isEnrolled(context)
  );
}

interface Judgement {
  readonly unmetAccess: readonly UnmetDemand[];
  readonly failures: readonly Failure[];
  readonly causes: readonly Cause[];
}

/**
 * The ladder asks several times, one after the other, of one and the same context, which never changes once it is made. So the last
 * one judged is remembered; a map from every context would cost the collector more than judging anew.
 */
let judged: { readonly context: SessionContext; readonly judgement: Judgement } | undefined;

function judge(context: SessionContext): Judgement {
  if (judged?.context === context) return judged.judgement;
  const found = isEnrolled(context) ? conditionFailures(context) : NONE;
  const { conditionalAccess: demands } = context.step.rules;
  const unmet = demands.length === 0 ? NONE : unmetDemands(demands, accessProofs(context));
  const refusals = accountCauses(context, unmet);
  const verdicts = verdictCauses(context, found);
  const judgement = {
    unmetAccess: unmet,
    failures: found,
    causes: refusals.length === 0 ? verdicts : [...refusals, ...verdicts],
  };
  judged = { context, judgement };
  return judgement;
}

/** One empty list for all: most sessions have nothing against them. */
const NONE: readonly never[] = [];

function conditionFailures(context: SessionContext): readonly Failure[] {
  if (context.vouched === true) return NONE;
  const { posture, threatLevel, integrity, step } = context;
  return failingConditions(step.rules, {
    posture,
    threatLevel,
    integrity,
    integrityIsStale: integrityIsStale(context),
  });
}

function integrityIsStale({ posture, integrity, step }: SessionContext): boolean {
  return (
    posture?.integrity === "requestFailed" &&
    integrity !== undefined &&
    step.now >= integrity.at + INTEGRITY_VERDICT_LIFETIME_MS
  );
}

function accessProofs(context: SessionContext): AccessProofs {
  const { mfaProven, deviceCompliant } = context;
  return {
    mfa: mfaProven === true,
    device: deviceCompliant === undefined ? "unknown" : deviceCompliant ? "compliant" : "noncompliant",
    appProtection: isEnrolled(context) ? "applied" : isUnmanaged(context) ? "missing" : "pending",
  };
}

/** What a demand that is not met leads to; the others are met by signing in, or by waiting. */
const ACCESS_CAUSES: { readonly [R in UnmetDemand["remedy"]]?: Cause } = {
  none: "caBlocked",
  application: "caProtectionPolicyRequired",
  device: "caDeviceNotCompliant",
};

function accountCauses(context: SessionContext, unmet: readonly UnmetDemand[]): readonly Cause[] {
  const { conditionalAccess, wrongUser, portalRequired, accountDisabled, accountNotAllowed } = context;
  const causes: Cause[] = [];
  if (conditionalAccess !== undefined) causes.push(conditionalAccess);
  for (const { remedy } of unmet) {
    const cause = ACCESS_CAUSES[remedy];
    if (cause !== undefined && !causes.includes(cause)) causes.push(cause);
  }
  if (wrongUser === true) causes.push("wrongUser");
  if (portalRequired === true) causes.push("companyPortalRequired");
  if (accountDisabled === true && context.step.rules.disabledAccount === "block") causes.push("accountDisabled");
  if (accountNotAllowed === true) causes.push("accountNotAllowed");
  return causes.length === 0 ? NONE : causes;
}

function verdictCauses(context: SessionContext, found: readonly Failure[]): readonly Cause[] {
  if (!isEnrolled(context)) return NONE;
  const causes: Cause[] = [];
  if (context.mamNoncompliant === true || context.deviceCompliant === false) causes.push("mamVerdict");
  for (const failure of found) {
    if (failure.action !== "warn" && !causes.includes(failure.cause)) causes.push(failure.cause);
  }
  if (context.offlineWipe !== undefined) causes.push("offlineWipeDue");
  const { now, rules } = context.step;
  const { blockAfterMs } = rules.offline;
  if (blockAfterMs !== null && context.lastCheckinAt !== undefined && now >= context.lastCheckinAt + blockAfterMs) {
    causes.push("offlineGrace");
  }
  const shiftEnd = offShiftFrom(context);
  if (shiftEnd !== undefined && now >= shiftEnd && rules.offShift?.action === "block") causes.push("offShift");
  return causes;
}

/** When the end of the shift takes effect, epoch ms; `undefined`: not at all. */
export function offShiftFrom({ shiftEndedAt, shiftGraceMs, step }: SessionContext): number | undefined {
  if (shiftEndedAt === undefined || step.rules.offShift === null) return undefined;
  return shiftEndedAt + (shiftGraceMs ?? step.rules.offShift.graceMs);
}
