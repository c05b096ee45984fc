/**
 * What a session remembers. Facts only: what stands, what is due and what may be shown is always worked out from them,
 * so that nothing derived can contradict what it was derived from.
 */
import type { CredentialsReason, SignOutReason } from "../effects/catalogue.js";
import type { Cause } from "../policy/causes.js";
import type { PinDescriptor } from "../policy/pin-descriptor.js";
import type { IntegrityVerdict, Posture } from "../policy/posture.js";
import type { Platform, Rules, ThreatLevel } from "../policy/rules.js";

/** The seven states and their children, as paths. `settling` is passed through and never rested in. */
export const STATES = [
  "unenrolled.checking",
  "unenrolled.held",
  "unenrolled.unmanaged",
  "pinSetup",
  "locked",
  "active",
  "noncompliant",
  "remediating.attempt",
  "remediating.backoff",
  "remediating.waitingForPortal",
  "signedOut",
] as const;
export type StatePath = (typeof STATES)[number];

/** The seven states. */
export const STATE_NAMES = [
  "unenrolled",
  "pinSetup",
  "locked",
  "active",
  "noncompliant",
  "remediating",
  "signedOut",
] as const;
export type StateName = (typeof STATE_NAMES)[number];

export const stateName = (path: StatePath): StateName => path.split(".", 1)[0] as StateName;

/** Why a session that ends takes its data along, without anybody asking for a wipe. */
const PARTING_WIPES = ["signedOut", "notCompliant"] as const;
export type PartingWipe = (typeof PARTING_WIPES)[number];

/** A wipe that was asked for. A `user` wipe stands after it was done, until it is cancelled. */
export interface Wipe {
  readonly requestId: string;
  readonly scope: "app" | "user";
  readonly status: "pending" | "completed" | "failed" | "cancelled";
  readonly why: string;
}

/** A parting wipe gives way to any that is asked for, and to the next sign-in. */
export function isParting({ why }: Wipe): boolean {
  return (PARTING_WIPES as readonly string[]).includes(why);
}

/** The remediation that runs. Without an `attemptId` no attempt is open: late answers change nothing. */
export interface Remediation {
  /** Attempts begun, from 1. */
  readonly attempts: number;
  readonly attemptId?: string | undefined;
  readonly silent: boolean;
  readonly clientErrors: number;
}

/** Facts that are stored. Times are epoch ms by the partition's clock; absent means false, none or not known. */
export interface SessionFacts {
  platform: Platform;
  mdmEnrolled?: true | undefined;

  /** Absent: not known, and taken as licensed until enrollment says otherwise. */
  licensed?: boolean | undefined;
  groups?: readonly string[] | undefined;
  /** Version of the user's record that all of the user's facts here come up to. */
  userVersion?: number | undefined;
  /** Management ended, or never began, for a reason that the service gave. */
  released?: "policyRemoved" | "notTargeted" | "tenantNotSetUp" | undefined;

  enrollment: "none" | "checking" | "held" | "enrolled";
  held?: "authorization" | "failed" | "pending" | undefined;
  /** The person has seen the introduction; the first policy has been there. */
  introduced?: true | undefined;
  wrongUser?: true | undefined;
  portalRequired?: true | undefined;

  posture?: Posture | undefined;
  /** A remediation found the device compliant after the last report: its conditions are not judged until the next. */
  vouched?: true | undefined;
  /** The last integrity verdict that was really given, and when. */
  integrity?: { readonly verdict: Exclude<IntegrityVerdict, "requestFailed">; readonly at: number } | undefined;
  threatLevel?: ThreatLevel | undefined;

  shiftEndedAt?: number | undefined;
  shiftGraceMs?: number | undefined;

  /** Verdicts of the service that stand against the session. */
  mamNoncompliant?: true | undefined;
  /** The service's verdict on the whole device; absent: none yet, or none that stands. */
  deviceCompliant?: boolean | undefined;
  conditionalAccess?: Extract<Cause, "caBlocked" | "caProtectionPolicyRequired" | "caDeviceNotCompliant"> | undefined;
  accountDisabled?: true | undefined;
  accountNotAllowed?: true | undefined;

  /** The PIN by its descriptor, and when it was set by the partition's clock. */
  pin?: (Omit<PinDescriptor, "setAt"> & { readonly setAtMs: number }) | undefined;
  pinReset?: "attempts" | "requested" | undefined;
  failedAttempts?: number | undefined;
  pinProven?: true | undefined;
  credentialsProven?: true | undefined;
  /** The last sign-in was made with a second factor. */
  mfaProven?: true | undefined;
  /** The next prompt takes the PIN alone. */
  pinOnly?: true | undefined;
  /** Work credentials are due, and why. */
  authRequired?: CredentialsReason | undefined;

  /** The app is out of the foreground since then. */
  backgroundedAt?: number | undefined;
  lastCheckinAt?: number | undefined;
  /** The offline wipe is due: a sign-in is awaited, then a check-in. */
  offlineWipe?: "signIn" | "checkIn" | undefined;
  /** When a failed enrollment or check-in is tried again. */
  retryAt?: number | undefined;

  remediation?: Remediation | undefined;
  wipe?: Wipe | undefined;
  signOutReason?: SignOutReason | undefined;
  /** The cause that rules while `noncompliant` or `remediating`, and the last one after `signedOut`. */
  cause?: Cause | undefined;
  /** Warnings already shown since the app was launched. */
  warned?: readonly string[] | undefined;
}

/**
 * What the fold puts in before each step and takes out after it: the clock, the rules, and where the session rested. None of it
 * is stored.
 */
export interface StepInput {
  /** The partition's clock, epoch ms: the time of the event's acceptance or of the deadline that passed. */
  readonly now: number;
  readonly rules: Rules;
  readonly user: string;
  readonly rest: StatePath;
  readonly restCause: Cause | undefined;
  /** Deadlines that are armed, by id. */
  readonly armed: Readonly<Record<string, number>>;
}

export type SessionContext = Readonly<SessionFacts> & { readonly step: StepInput };

/** Facts that stand against a session, and outlast its being given up. */
export const KEPT_WHEN_GIVEN_UP = [
  "threatLevel",
  "shiftEndedAt",
  "shiftGraceMs",
  "mamNoncompliant",
  "deviceCompliant",
  "conditionalAccess",
  "accountDisabled",
  "accountNotAllowed",
  "authRequired",
  "wipe",
] as const satisfies readonly (keyof SessionFacts)[];

/**
 * A copy of a session's facts, with or without what only the step knows, in the one shape that all of them have. Copying them is what the
 * fold does most. What is spread from several places has as many shapes, which makes every look at a fact slow; what one literal writes
 * has one.
 */
export function inOneShape(facts: Readonly<SessionFacts>, step: StepInput): SessionContext;
export function inOneShape(facts: Readonly<SessionFacts>, step: undefined): Readonly<SessionFacts>;
export function inOneShape(facts: Readonly<SessionFacts>, step: StepInput | undefined): Readonly<SessionFacts> {
  return {
    platform: facts.platform,
    mdmEnrolled: facts.mdmEnrolled,
    licensed: facts.licensed,
    groups: facts.groups,
    userVersion: facts.userVersion,
    released: facts.released,
    enrollment: facts.enrollment,
    held: facts.held,
    introduced: facts.introduced,
    wrongUser: facts.wrongUser,
    portalRequired: facts.portalRequired,
    posture: facts.posture,
    vouched: facts.vouched,
    integrity: facts.integrity,
    threatLevel: facts.threatLevel,
    shiftEndedAt: facts.shiftEndedAt,
    shiftGraceMs: facts.shiftGraceMs,
    mamNoncompliant: facts.mamNoncompliant,
    deviceCompliant: facts.deviceCompliant,
    conditionalAccess: facts.conditionalAccess,
    accountDisabled: facts.accountDisabled,
    accountNotAllowed: facts.accountNotAllowed,
    pin: facts.pin,
    pinReset: facts.pinReset,
    failedAttempts: facts.failedAttempts,
    pinProven: facts.pinProven,
    credentialsProven: facts.credentialsProven,
    mfaProven: facts.mfaProven,
    pinOnly: facts.pinOnly,
    authRequired: facts.authRequired,
    backgroundedAt: facts.backgroundedAt,
    lastCheckinAt: facts.lastCheckinAt,
    offlineWipe: facts.offlineWipe,
    retryAt: facts.retryAt,
    remediation: facts.remediation,
    wipe: facts.wipe,
    signOutReason: facts.signOutReason,
    cause: facts.cause,
    warned: facts.warned,
    step,
  } satisfies { [Field in keyof Required<SessionFacts> | "step"]: unknown } as SessionFacts;
}

const NOTHING = inOneShape({} as SessionFacts, undefined);

/** Facts of which the others are absent. */
export function newFacts(known: Partial<SessionFacts>): SessionFacts {
  return Object.assign(inOneShape(NOTHING, undefined), known);
}

/** Their names, in one order. */
export const FACTS = Object.keys(NOTHING).filter((name) => name !== "step") as readonly (keyof SessionFacts)[];
