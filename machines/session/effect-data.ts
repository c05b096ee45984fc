/**
 * What an effect that the chart names carries. `null` means that there is nothing to do after all: nobody need be told, no
 * data is there to remove.
 */
import { type EffectData, type EffectType, type SignOutReason } from "../effects/catalogue.js";
import type { MessageData, MessageKey } from "../effects/messages.js";
import { CAUSE_WORDS, VIOLATION_WORDS } from "../effects/words.js";
import type { SessionEvent } from "../events/catalogue.js";
import type { Cause } from "../policy/causes.js";
import type { Failure } from "../policy/conditional-launch.js";
import { type PinViolation, pinViolations } from "../policy/pin-rules.js";
import type { SessionContext } from "./context.js";
import {
  biometricCounts,
  credentialsReason,
  failures,
  isEnrolled,
  offShiftFrom,
  pinProofIsMissing,
  pinSetupReason,
  postureIsUnknown,
} from "./ladder.js";

type Notice = EffectData<"notify">;

/** Notices that the chart sends by name; which message, and whether any, depends on the session. */
export const NOTICES = {
  intro: (context) => (context.introduced === true ? null : notice("intro")),
  pinReset: (context) => {
    const why = pinSetupReason(context);
    return why === undefined || why === "missing" ? null : notice(`pinReset.${why}`);
  },
  pinInvalid: (context, event) =>
    event.type === "pin.set" && context.step.rules.pin !== null
      ? pinInvalid(pinViolations(context.step.rules.pin, event.descriptor))
      : null,
  pinWrong: (context) => notice("pinWrong", { triesLeft: triesLeft(context) }),
  blocked: (context) => blockedNotice(context),
  remediating: () => notice("remediating"),
  signedOut: ({ signOutReason }) => {
    if (signOutReason === undefined) return null;
    const key = SIGN_OUT_MESSAGES[signOutReason];
    return key === "signedOut" ? null : notice(key);
  },
  signInRequired: () => notice("signInRequired"),
  wiped: () => notice("wiped"),
  tryLater: () => notice("tryLater"),
  held: ({ held }) => (held === "failed" || held === "pending" ? notice("tryLater") : null),
  account: ({ accountDisabled, step }, event) => {
    const isTold =
      event.type === "checkin.failed"
        ? event.reason === "userInvalid"
        : event.type !== "user.changed" || (event.account === "disabled" && accountDisabled !== true);
    return isTold && step.rules.disabledAccount === "warn" ? notice("warn.account") : null;
  },
  offShift: (context) => {
    const { now, rules } = context.step;
    const begins = isEnrolled(context) ? offShiftFrom(context) : undefined;
    return begins !== undefined && begins <= now && rules.offShift?.action === "warn" ? notice("warn.offShift") : null;
  },
  /** Warnings never move the session; each is shown once a launch. */
  warnings: (context) => newWarnings(context).map((failure) => failureNotice("warn", failure)),
} satisfies Record<string, (context: SessionContext, event: SessionEvent) => Notice | readonly Notice[] | null>;
export type NoticeName = keyof typeof NOTICES;

/** What an effect's action may say in the chart. */
export interface EffectParams {
  /** Only if the session did not rest in this state before. */
  readonly at?: string;
  /** For `notify`. */
  readonly notice?: NoticeName;
}

type Builder<Type extends EffectType> = (
  context: SessionContext,
  event: SessionEvent,
  params: EffectParams,
) => EffectData<Type> | readonly EffectData<Type>[] | null;

const EMPTY = {};
const always = (): typeof EMPTY => EMPTY;

const BUILDERS: { readonly [Type in EffectType]: Builder<Type> } = {
  enroll: always,
  unregister: ({ enrollment }) => (enrollment === "none" ? null : EMPTY),
  checkIn: (context, _event, { at }) => (at === "locked" && !postureIsUnknown(context) ? null : EMPTY),
  promptPinSetup: (context) => {
    const { pin } = context.step.rules;
    const why = pinSetupReason(context);
    if (pin === null || why === undefined) return null;
    const { minLength, kind, simpleBlocked, historyCount } = pin;
    return { why, rules: { minLength, kind, simpleBlocked, historyCount } };
  },
  promptPin: (context) =>
    pinProofIsMissing(context) ? { biometricAllowed: biometricCounts(context), triesLeft: triesLeft(context) } : null,
  promptCredentials: (context, _event, { at }) => {
    // Signing in lifts no other cause.
    if (at === "noncompliant" && context.cause !== "offlineWipeDue") return null;
    if (context.offlineWipe === "signIn") return { why: "offlineWipe" };
    if (context.held === "authorization") return { why: "enrollment" };
    if (context.remediation !== undefined) return { why: "remediation" };
    const why = credentialsReason(context);
    return why === undefined ? null : { why };
  },
  grantAccess: always,
  blockAccess: (context, _event, { at }) => ({
    cause:
      at === "noncompliant" || at === "remediating" || at === "signedOut"
        ? (context.signOutReason ?? context.cause ?? at)
        : (at ?? "signedOut"),
  }),
  allowUnmanaged: always,
  removeManagement: ({ enrollment }) => (enrollment === "enrolled" ? EMPTY : null),
  remediate: ({ remediation }) =>
    remediation?.attemptId === undefined ? null : { attemptId: remediation.attemptId, silent: remediation.silent },
  wipe: ({ wipe }) => (wipe?.status === "pending" ? { requestId: wipe.requestId, why: wipe.why } : null),
  signOut: ({ signOutReason }) =>
    signOutReason === undefined ? null : { reason: signOutReason, messageKey: SIGN_OUT_MESSAGES[signOutReason] },
  notify: (context, event, { notice: name }) => (name === undefined ? null : NOTICES[name](context, event)),
  restartApp: ({ platform, introduced }) => (platform === "ios" && introduced !== true ? EMPTY : null),
  installCompanyPortal: ({ portalRequired }, _event, { at }) =>
    at !== "noncompliant" || portalRequired === true ? EMPTY : null,
  switchToUnmanaged: always,
};

/** The effect's data, several for one that is given several times, or `null` if there is nothing to do. */
export function effectData(
  type: EffectType,
  context: SessionContext,
  event: SessionEvent,
  params: EffectParams,
): EffectData<EffectType> | readonly EffectData<EffectType>[] | null {
  return BUILDERS[type](context, event, params);
}

/** Names a wipe that no administrator asked for; unique within the session. */
export function ownWipeId({ step }: SessionContext): string {
  return `own-${step.now.toString(36)}`;
}

/** Warnings of conditional launch that this launch of the app has not shown yet. */
export function newWarnings(context: SessionContext): readonly Failure[] {
  return failures(context).filter(
    (failure) => failure.action === "warn" && context.warned?.includes(warningMark(failure)) !== true,
  );
}

const warningMark = ({ property, expected }: Failure): string => `${property}=${expected}`;

/** The marks of every warning that was shown by now. */
export function shownWarnings(context: SessionContext): SessionContext["warned"] {
  const warnings = newWarnings(context);
  return warnings.length === 0 ? context.warned : [...(context.warned ?? []), ...warnings.map(warningMark)];
}

/** What the person is told when signed out for this reason. */
export const SIGN_OUT_MESSAGES: Readonly<Record<SignOutReason, MessageKey>> = {
  userInitiated: "signedOut",
  accountRemoved: "signedOut",
  adminForced: "signedOutByOrganisation",
  givenUp: "signedOutByOrganisation",
  wipeRequested: "signedOutByOrganisation",
  wiped: "wiped",
  pinAttempts: "wiped",
  offlineWipe: "wiped",
  authFailed: "signInRequired",
  remediationDisabled: "signInRequired",
  remediationFailed: "signInRequired",
  noncompliant: "signInRequired",
  caBlocked: "signInRequired",
  accountDisabled: "blocked.account",
  accountNotAllowed: "blocked.account",
};

const VERSION_CAUSES: ReadonlySet<Cause> = new Set<Cause>([
  "osVersion",
  "appVersion",
  "sdkVersion",
  "patchVersion",
  "companyPortal",
]);

const BLOCKED_MESSAGES: { readonly [C in Cause]?: MessageKey } = {
  mamVerdict: "blocked.compliance",
  caProtectionPolicyRequired: "blocked.compliance",
  caDeviceNotCompliant: "blocked.compliance",
  caBlocked: "blocked.compliance",
  offlineGrace: "blocked.offline",
  offlineWipeDue: "blocked.offlineWipe",
  offShift: "blocked.offShift",
  accountDisabled: "blocked.account",
  accountNotAllowed: "blocked.account",
  wrongUser: "wrongUser",
  companyPortalRequired: "companyPortalRequired",
};

/** What the person is told while this cause blocks the session. */
export function blockedNotice(context: SessionContext): Notice {
  const { cause } = context;
  const failure = failures(context).find((candidate) => candidate.cause === cause);
  if (failure !== undefined) return failureNotice("blocked", failure);
  return notice((cause && BLOCKED_MESSAGES[cause]) ?? "blocked.device", {
    what: (cause && CAUSE_WORDS[cause]) ?? "its state is not known",
  });
}

function failureNotice(severity: "warn" | "blocked", { cause, expected, actual }: Failure): Notice {
  const subject = VERSION_CAUSES.has(cause) ? "version" : "device";
  return notice(`${severity}.${subject}`, { what: CAUSE_WORDS[cause] ?? cause, expected, actual });
}

function pinInvalid(violations: readonly PinViolation[]): Notice {
  const words = violations.map((violation) => VIOLATION_WORDS[violation]);
  return notice("pinInvalid", { violations: words.join(", "), codes: violations.join(",") });
}

function notice(key: MessageKey, data: MessageData = {}): Notice {
  return { key, data };
}

function triesLeft({ failedAttempts, step }: SessionContext): number {
  return Math.max(0, (step.rules.pin?.maxAttempts ?? 0) - (failedAttempts ?? 0));
}
