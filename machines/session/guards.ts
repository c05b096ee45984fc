/** The chart's guards, by the names that stand in it. */
import type { SessionEvent } from "../events/catalogue.js";
import { type SessionContext, isParting } from "./context.js";
import { newWarnings } from "./effect-data.js";
import { failedAttempts, isBlockedOutright, isMetBySigningIn } from "./facts.js";
import {
  accessIsBlocked,
  accessIsHeld,
  accountIsRefused,
  biometricCounts,
  isEnrolled,
  isNotEnrolled,
  isUnmanaged,
  newPinFits,
  offlineWipeIsDue,
  pinSetupReason,
  proofIsMissing,
  proofLapsed,
  protectionCannotCome,
  rulingCause,
  standingCauses,
  verdictBlocks,
  wipeIsDue,
} from "./ladder.js";

interface Asked {
  readonly context: SessionContext;
  readonly event: SessionEvent;
}

const disposition = (context: SessionContext) => {
  const cause = rulingCause(context);
  return cause === undefined ? "wait" : context.step.rules.dispositions[cause];
};

/** Where remediation was turned off meanwhile, the attempt that runs may finish and is the last. */
const attemptsAreLeft = (context: SessionContext): boolean => {
  const { enabled, maxAttempts } = context.step.rules.remediation;
  return enabled && (context.remediation?.attempts ?? 0) < maxAttempts;
};

const attemptsAreSpent = ({ context, event }: Asked): boolean => {
  const { pin } = context.step.rules;
  return pin !== null && event.type === "pin.rejected" && failedAttempts(context, event) >= pin.maxAttempts;
};

/** Facts of the account and the device. A signed-out session takes note of them too; they open nothing, but the next sign-in is judged by them. */
const LASTING_FACTS: ReadonlySet<string> = new Set<SessionEvent["type"]>([
  "account.disabled",
  "account.enabled",
  "account.notAllowed",
  "user.changed",
  "license.granted",
  "license.revoked",
  "membership.changed",
  "policy.changed",
  "assignment.changed",
  "posture.reported",
  "threat.levelChanged",
  "shift.started",
  "shift.ended",
  "compliance.evaluated",
  "ca.evaluated",
]);

/** What else a remediation does not end: it is recorded, and judged when the remediation is over. */
const FACTS_WHILE_REMEDIATING: ReadonlySet<string> = new Set<SessionEvent["type"]>([
  ...(LASTING_FACTS as ReadonlySet<SessionEvent["type"]>),
  "account.signedIn",
  "account.removed",
  "account.switched",
  "auth.succeeded",
  "token.revoked",
  "policy.removed",
  "enrollment.completed",
  "enrollment.ended",
  "registration.expired",
  "companyPortal.installed",
  "checkin.succeeded",
  "connectivity.lost",
  "connectivity.restored",
  "app.launched",
  "app.foregrounded",
  "app.backgrounded",
  "device.rebooted",
  "biometrics.changed",
  "access.recheckDue",
  "biometric.timedOut",
  "pin.expired",
  "offlineGrace.expired",
  "offlineWipe.due",
  "integrityGrace.expired",
  "shiftGrace.expired",
]);

const ownAccountRemoved = ({ context, event }: Asked): boolean =>
  event.type === "account.removed" && (event.accountId === undefined || sameId(event.accountId, context.step.user));

const wipeWaits = ({ event }: Asked): boolean => event.type === "checkin.succeeded" && event.wipePending === true;

/** A wipe that is still to be done, or that is asked for at every contact until it is cancelled. */
const wipeStands = ({ context: { wipe } }: Pick<Asked, "context">): boolean =>
  wipe !== undefined &&
  wipe.status !== "cancelled" &&
  (wipe.scope === "user" || wipe.status === "pending" || wipe.status === "failed");

export const guards = {
  // the settle ladder, from the top
  somethingLapsed: ({ context }: Asked) => proofLapsed(context) || offlineWipeIsDue(context),
  warningsAreNew: ({ context }: Asked) => newWarnings(context).length > 0,
  wipeIsDue: ({ context }: Asked) => wipeIsDue(context),
  accountIsRefused: ({ context }: Asked) => accountIsRefused(context),
  isUnmanaged: ({ context }: Asked) => isUnmanaged(context),
  accessIsHeld: ({ context }: Asked) => accessIsHeld(context),
  enrollmentIsHeld: ({ context }: Asked) => context.enrollment === "held",
  isNotEnrolled: ({ context }: Asked) => isNotEnrolled(context),
  verdictBlocks: ({ context }: Asked) => verdictBlocks(context),
  pinIsUnfit: ({ context }: Asked) => pinSetupReason(context) !== undefined,
  proofIsMissing: ({ context }: Asked) => proofIsMissing(context),

  // account
  ownAccountRemoved,
  switchedAway: ({ event }: Asked) => event.type === "account.switched" && event.role === "from",
  switchedHere: ({ event }: Asked) => event.type === "account.switched" && event.role !== "from",
  enrollmentSucceeded: ({ event }: Asked) =>
    event.type === "enrollment.completed" && event.result === "ENROLLMENT_SUCCEEDED",
  isAndroid: ({ context }: Asked) => context.platform === "android",
  wipeWaits,
  signInIsDemanded: ({ event }: Asked) =>
    event.type === "ca.evaluated" && event.result === "denied" && event.enforced && isMetBySigningIn(event),

  // PIN
  signInComesFirst: ({ context }: Asked) => context.authRequired !== undefined,
  pinFits: ({ context, event }: Asked) => event.type === "pin.set" && newPinFits(context, event.descriptor),
  methodCounts: ({ context, event }: Asked) =>
    event.type === "pin.verified" && (event.method === "pin" || biometricCounts(context)),
  attemptsSpentWipe: (asked: Asked) =>
    attemptsAreSpent(asked) && asked.context.step.rules.pin?.whenAttemptsSpent === "wipe",
  attemptsSpent: attemptsAreSpent,
  tokenWasRevoked: ({ context }: Asked) => context.authRequired === "tokenRevoked",

  // noncompliance
  endsSession: ({ context }: Asked) => disposition(context) === "none",
  isRemediable: ({ context }: Asked) => disposition(context) === "auto" && context.step.rules.remediation.enabled,
  remediationIsOff: ({ context }: Asked) => disposition(context) === "auto" && !context.step.rules.remediation.enabled,
  remediationMayStart: ({ context }: Asked) => disposition(context) !== "none",
  signInAwaited: ({ context }: Asked) => context.offlineWipe === "signIn",

  // remediation
  answersAnotherAttempt: ({ context, event }: Asked) =>
    event.type === "remediation.completed" && event.attemptId !== context.remediation?.attemptId,
  isCompliantAgain: ({ context, event }: Asked) =>
    event.type === "remediation.completed" && event.status === "COMPLIANT" && !protectionCannotCome(context),
  interactionCanFollow: ({ context, event }: Asked) =>
    event.type === "remediation.completed" && event.status === "INTERACTION_REQUIRED" && attemptsAreLeft(context),
  attemptCanFollow: ({ context, event }: Asked) =>
    event.type === "remediation.completed" &&
    (event.status === "SERVICE_FAILURE" || event.status === "NETWORK_FAILURE" || event.status === "PENDING") &&
    attemptsAreLeft(context),
  isFirstClientError: ({ context, event }: Asked) =>
    event.type === "remediation.completed" &&
    event.status === "CLIENT_ERROR" &&
    context.remediation?.clientErrors === 0 &&
    attemptsAreLeft(context),
  portalIsMissing: ({ event }: Asked) =>
    event.type === "remediation.completed" && event.status === "COMPANY_PORTAL_REQUIRED",
  isNotCompliant: ({ event }: Asked) => event.type === "remediation.completed" && event.status === "NOT_COMPLIANT",
  nothingStands: ({ context }: Asked) => standingCauses(context).length === 0,
  attemptsAreLeft: ({ context }: Asked) => attemptsAreLeft(context),
  furtherAttemptsAreOff: ({ context }: Asked) => !context.step.rules.remediation.enabled,
  endsRemediation: ({ context, event }: Asked) =>
    (event.type === "ca.evaluated" && isBlockedOutright(event)) ||
    ((event.type === "account.disabled" ||
      (event.type === "user.changed" && event.account === "disabled") ||
      (event.type === "checkin.failed" && event.reason === "userInvalid")) &&
      // Where nothing is enrolled there is nothing to wipe, and the remediation goes on.
      (context.step.rules.disabledAccount === "block" ||
        (context.step.rules.disabledAccount === "wipe" && isEnrolled(context)))),

  accessIsBlocked: ({ context, event }: Asked) =>
    FACTS_WHILE_REMEDIATING.has(event.type) &&
    accessIsBlocked(context) &&
    context.step.rules.dispositions.caBlocked === "none",
  canWait: (asked: Asked) =>
    FACTS_WHILE_REMEDIATING.has(asked.event.type) && !ownAccountRemoved(asked) && !wipeWaits(asked),

  // signed out
  wipeStands,
  wipeForbidsSignIn: ({ context }: Asked) =>
    wipeStands({ context }) && context.wipe !== undefined && !isParting(context.wipe),
  wipeIsKnown: ({ context, event }: Asked) =>
    (event.type === "wipe.completed" || event.type === "wipe.failed" || event.type === "wipe.cancelled") &&
    event.requestId === context.wipe?.requestId,
  carriesFacts: ({ event }: Asked) => LASTING_FACTS.has(event.type),
} as const;

function sameId(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
