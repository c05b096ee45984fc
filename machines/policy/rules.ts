/**
 * Rules: the effective policy of one session, and the only form of policy that the chart ever sees. Graph
 * documents are resolved into rules once per catalogue version and platform; a session keeps only their hash.
 */
import type { Cause, Dispositions } from "./causes.js";

export type Platform = "ios" | "android";

/** What a failing condition does: tell the person, take access away, or remove the account's data. */
export type Action = "warn" | "block" | "wipe";

/** A policy that the rules were made from. */
export interface PolicyRef {
  readonly id: string;
  readonly name: string;
}

export type PinKind = "numeric" | "passcode";

/** What an app PIN must be, and for how long it counts. */
export interface PinRules {
  /** Shortest PIN allowed, in characters, 4–16. */
  readonly minLength: number;
  readonly kind: PinKind;
  /** Runs and repeats of three (`123`, `aaa`) are refused. */
  readonly simpleBlocked: boolean;
  /** The wrong entry with this number spends the attempts, 1–20. */
  readonly maxAttempts: number;
  /** What spent attempts lead to: a new PIN after signing in again, or a selective wipe. */
  readonly whenAttemptsSpent: "reset" | "wipe";
  /** Age at which a PIN must be replaced, in ms; `null`: never. */
  readonly maxAgeMs: number | null;
  /** A new PIN differs from this many earlier ones, 0–24. */
  readonly historyCount: number;
  /** Biometrics may stand in for the PIN. */
  readonly biometricAllowed: boolean;
  /** After this inactivity, in ms, only the PIN counts; `null`: biometrics never time out. */
  readonly biometricTimeoutMs: number | null;
  /** A change of the enrolled biometrics makes the next prompt PIN-only. */
  readonly pinAfterBiometricChange: boolean;
  /** An MDM-enrolled device with its own lock needs no app PIN. */
  readonly exemptWithDeviceLock: boolean;
}

/** Shared by every condition of conditional launch. */
interface ConditionBase {
  readonly cause: Cause;
  readonly action: Action;
  /** The Graph property that asks for it, e.g. `minimumRequiredOsVersion`. */
  readonly property: string;
}

/** Screen locks from weakest to strongest, as the device reports them. */
export const DEVICE_LOCKS = ["none", "low", "medium", "high"] as const;
export type DeviceLock = (typeof DEVICE_LOCKS)[number];

/** Threat levels from safest to worst; `unknown` is worse than all of them. */
export const THREAT_LEVELS = ["secured", "low", "medium", "high", "unknown"] as const;
export type ThreatLevel = (typeof THREAT_LEVELS)[number];

/** One condition that a device must meet at launch, resume and account switch. */
export type Condition =
  | (ConditionBase & {
      readonly kind: "osVersion" | "appVersion" | "sdkVersion" | "companyPortalVersion";
      /** `min`: fails below the value. `max`: fails above it. */
      readonly bound: "min" | "max";
      readonly value: string;
      /** The bound itself fails too (tenant option `wipeComparison: "lte"`). */
      readonly orEqual: boolean;
    })
  /** `value` is a date, `YYYY-MM-DD`; an earlier patch fails, and with `orEqual` that very date too. */
  | (ConditionBase & { readonly kind: "patchVersion"; readonly value: string; readonly orEqual: boolean })
  /** Fails once Company Portal is this many days behind, 1–365. */
  | (ConditionBase & { readonly kind: "companyPortalAge"; readonly days: number })
  | (ConditionBase & { readonly kind: "rooted" })
  /** Lower-cased names; a device not listed fails. */
  | (ConditionBase & { readonly kind: "deviceModel" | "manufacturer"; readonly allowed: readonly string[] })
  /** Weakest lock tolerated; `low` also stands for "any lock". */
  | (ConditionBase & { readonly kind: "deviceLock"; readonly atLeast: Exclude<DeviceLock, "none"> })
  | (ConditionBase & { readonly kind: "integrity"; readonly level: "basic" | "device" | "strong" })
  | (ConditionBase & { readonly kind: "threatScan" })
  /** `whenSupported`: devices that cannot attest pass. */
  | (ConditionBase & { readonly kind: "knox"; readonly whenSupported: boolean })
  /** Worst level tolerated. */
  | (ConditionBase & { readonly kind: "threatLevel"; readonly atMost: Exclude<ThreatLevel, "unknown"> });

/** Limits of a remediation; attempts 1–10, times in ms. */
export interface RemediationRules {
  /** Off: whoever would be remediated is signed out instead. */
  readonly enabled: boolean;
  readonly maxAttempts: number;
  readonly attemptTimeoutMs: number;
}

/** One enforced conditional-access policy that applies to a session. */
export interface AccessDemand {
  readonly policy: PolicyRef;
  readonly operator: "AND" | "OR";
  /** Graph's names of the grant controls, at least one; one that is not known can't be satisfied. */
  readonly controls: readonly string[];
  /** Those that the session's app does not support, so that they can't be satisfied in it; left out: none. */
  readonly unsupported?: readonly string[];
}

export interface Rules {
  /** Content hash of everything below: equal rules, equal hash, in every process and release. */
  readonly hash: string;
  readonly platform: Platform;
  /** The policies these rules were made from. Empty: no policy covers the session, and it is unmanaged. */
  readonly policies: readonly PolicyRef[];
  /** `null`: no app PIN is asked for. */
  readonly pin: PinRules | null;
  /** Work credentials are asked for at each access check, in addition to the PIN. */
  readonly credentialsRequired: boolean;
  /** Inactivity, in ms, after which access is checked again. */
  readonly recheckAfterMs: number;
  /** Time without a check-in, in ms, until block and until wipe; `null`: no limit. */
  readonly offline: { readonly blockAfterMs: number | null; readonly wipeAfterMs: number | null };
  /** What a disabled or deleted account means; `null`: nothing. */
  readonly disabledAccount: Action | null;
  /** What the end of a shift means and how much later, in ms; `null`: nothing. */
  readonly offShift: { readonly action: "warn" | "block"; readonly graceMs: number } | null;
  /** In reporting order: of several that fail with the same action, the first is the cause. */
  readonly conditions: readonly Condition[];
  /** Enforced conditional access that applies to the session: all of it must be met. Sorted by policy id. */
  readonly conditionalAccess: readonly AccessDemand[];
  /** Whether a policy covers the session can't be told before its user's groups are known. */
  readonly membershipUnknown: boolean;
  readonly remediation: RemediationRules;
  readonly dispositions: Dispositions;
  /** Signing out or removing a managed account also removes its data (tenant option, on by default). */
  readonly wipeOnSignOut: boolean;
}
