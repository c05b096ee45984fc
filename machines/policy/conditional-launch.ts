/**
 * Conditional launch: which conditions of the rules a device fails. Judged at every step of every session, so conditions are
 * prepared once per rules object, and a device that meets them all costs no list.
 */
import type { Cause } from "./causes.js";
import { parsePatchDate } from "./patch-date.js";
import type { IntegrityVerdict, Posture } from "./posture.js";
import { DEVICE_LOCKS, THREAT_LEVELS, type Action, type Condition, type Rules, type ThreatLevel } from "./rules.js";
import { compareVersions, parseVersion, type Version } from "./version.js";

/** What is known of a device. */
export interface DeviceFacts {
  /** Without a report only a threat level that is known is judged. */
  readonly posture?: Posture | undefined;
  /** Never rated: fails every limit, once there is a posture. */
  readonly threatLevel?: ThreatLevel | undefined;
  /** The last integrity verdict that was really given. */
  readonly integrity?: { readonly verdict: Exclude<IntegrityVerdict, "requestFailed"> } | undefined;
  /** That verdict is too old to stand in for a request that failed. */
  readonly integrityIsStale?: boolean | undefined;
}

/** A condition that is not met. `expected` and `actual` are words for the person. */
export interface Failure {
  readonly cause: Cause;
  readonly action: Action;
  /** The Graph property that asks for it. */
  readonly property: string;
  readonly expected: string;
  readonly actual: string;
}

/**
 * Conditions that fail: wipe before block before warn, and within one action in the order of `rules.conditions`. Of one kind only
 * the worst is named: who is blocked below 11.0 is not also warned below 11.1. What a condition asks for and the device
 * did not report, or reported as something unreadable, fails; only an integrity verdict may still be on its way. Such doubt takes
 * access away and never data: where the action is wipe, it blocks.
 */
export function failingConditions(rules: Rules, facts: DeviceFacts): readonly Failure[] {
  let failures: Failure[] | undefined;
  for (const kind of prepared(rules).kinds) {
    for (const judge of kind) {
      const failure = judge(facts);
      if (failure !== undefined) {
        (failures ??= []).push(failure);
        break;
      }
    }
  }
  if (failures === undefined) return NONE;
  return failures.sort((a, b) => SEVERITY[b.action] - SEVERITY[a.action]);
}

/** Whether these rules can take access away for what a device reports: then, without a report, nobody can be called compliant. */
export function judgesPosture(rules: Rules): boolean {
  return prepared(rules).judgesPosture;
}

const NONE: readonly Failure[] = [];
const SEVERITY: Readonly<Record<Action, number>> = { warn: 0, block: 1, wipe: 2 };

type Judge = (facts: DeviceFacts) => Failure | undefined;

interface Prepared {
  /** One list for each kind of condition, the worst action first. */
  readonly kinds: readonly (readonly Judge[])[];
  readonly judgesPosture: boolean;
}

const preparedRules = new WeakMap<Rules, Prepared>();

function prepared(rules: Rules): Prepared {
  let result = preparedRules.get(rules);
  if (result === undefined) {
    result = prepare(rules.conditions);
    preparedRules.set(rules, result);
  }
  return result;
}

function prepare(conditions: readonly Condition[]): Prepared {
  const kinds = new Map<Condition["kind"], Condition[]>();
  for (const condition of conditions) {
    const ofKind = kinds.get(condition.kind);
    if (ofKind === undefined) kinds.set(condition.kind, [condition]);
    else ofKind.push(condition);
  }
  return {
    kinds: [...kinds.values()].map((ofKind) =>
      ofKind.sort((a, b) => SEVERITY[b.action] - SEVERITY[a.action]).map(judgeOf),
    ),
    // Without Google Play Services even a check that only warns takes access away.
    judgesPosture: conditions.some(
      ({ action, kind }) => action !== "warn" || kind === "integrity" || kind === "threatScan",
    ),
  };
}

function judgeOf(condition: Condition): Judge {
  switch (condition.kind) {
    case "osVersion":
      return versionJudge(condition, ({ osVersion }) => osVersion);
    case "appVersion":
      return versionJudge(condition, ({ appVersion }) => appVersion);
    case "sdkVersion":
      return versionJudge(condition, ({ sdkVersion }) => sdkVersion);
    case "companyPortalVersion":
      return versionJudge(condition, ({ portalVersion }) => portalVersion);
    case "patchVersion":
      return patchJudge(condition);
    case "companyPortalAge":
      return postureJudge(condition, `less than ${condition.days} days behind`, ({ portalAgeDays }) =>
        portalAgeDays === undefined
          ? NOT_REPORTED
          : portalAgeDays < condition.days
            ? MET
            : `${portalAgeDays} days behind`,
      );
    case "rooted":
      return postureJudge(condition, "not jailbroken or rooted", ({ rooted }) =>
        rooted ? "jailbroken or rooted" : MET,
      );
    case "deviceModel":
      return listJudge(condition, ({ model }) => model);
    case "manufacturer":
      return listJudge(condition, ({ manufacturer }) => manufacturer);
    case "deviceLock":
      return deviceLockJudge(condition);
    case "integrity":
      return integrityJudge(condition);
    case "threatScan":
      return threatScanJudge(condition);
    case "knox":
      return postureJudge(condition, "passed", ({ knox }) =>
        knox === "passed" || (knox === "unsupported" && condition.whenSupported) ? MET : (knox ?? NOT_REPORTED),
      );
    case "threatLevel":
      return threatLevelJudge(condition);
  }
}

type Of<Kind extends Condition["kind"]> = Extract<Condition, { kind: Kind }>;

/** What the device shows instead of what is expected: for certain, or as far as can be told. `undefined`: it meets the condition. */
type Shortfall = string | { readonly doubtful: string } | undefined;

const MET = undefined;
const NOT_REPORTED = { doubtful: "not reported" };

function failureOf(
  { cause, action, property }: Condition,
  expected: string,
  shortfall: Shortfall,
): Failure | undefined {
  if (shortfall === MET) return undefined;
  if (typeof shortfall === "string") return { cause, action, property, expected, actual: shortfall };
  return { cause, action: action === "wipe" ? "block" : action, property, expected, actual: shortfall.doubtful };
}

function postureJudge(condition: Condition, expected: string, judge: (posture: Posture) => Shortfall): Judge {
  return ({ posture }) => failureOf(condition, expected, posture === undefined ? MET : judge(posture));
}

function versionJudge(
  condition: Of<"osVersion" | "appVersion" | "sdkVersion" | "companyPortalVersion">,
  reported: (posture: Posture) => string | undefined,
): Judge {
  const { bound, orEqual } = condition;
  const limit = parseVersion(condition.value);
  const expected = expectedBound(condition.value, bound, orEqual);
  return postureJudge(condition, expected, (posture) => {
    const text = reported(posture);
    if (text === undefined) return NOT_REPORTED;
    const version = readVersion(text);
    if (version === undefined || limit === undefined) return unreadable(text, "a version");
    const difference = compareVersions(version, limit);
    return fails(difference, bound, orEqual) ? text : MET;
  });
}

/** A fleet reports few different versions, over and over: each is read once. Bounded, because devices choose the texts. */
const READ_VERSIONS = 1_000;
const readVersions = new Map<string, Version | undefined>();

function readVersion(text: string): Version | undefined {
  let version = readVersions.get(text);
  if (version === undefined && !readVersions.has(text)) {
    version = parseVersion(text);
    if (readVersions.size >= READ_VERSIONS) readVersions.clear();
    readVersions.set(text, version);
  }
  return version;
}

function patchJudge(condition: Of<"patchVersion">): Judge {
  const { value, orEqual } = condition;
  const limit = parsePatchDate(value);
  return postureJudge(condition, expectedBound(value, "min", orEqual), ({ patchVersion }) => {
    if (patchVersion === undefined) return NOT_REPORTED;
    const date = parsePatchDate(patchVersion);
    if (date === undefined || limit === undefined) return unreadable(patchVersion, "a date");
    return fails(date - limit, "min", orEqual) ? patchVersion : MET;
  });
}

function fails(difference: number, bound: "min" | "max", orEqual: boolean): boolean {
  if (difference === 0) return orEqual;
  return bound === "min" ? difference < 0 : difference > 0;
}

function expectedBound(value: string, bound: "min" | "max", orEqual: boolean): string {
  const direction = bound === "min" ? "newer" : "older";
  return orEqual ? `${direction} than ${value}` : `${value} or ${direction}`;
}

const unreadable = (text: string, what: string): Shortfall => ({ doubtful: `"${text}", which is not ${what}` });

function listJudge(condition: Of<"deviceModel" | "manufacturer">, reported: (posture: Posture) => string): Judge {
  const allowed = new Set(condition.allowed);
  // Policies that allow nothing in common allow nothing.
  const expected = allowed.size === 0 ? "one that every policy allows" : `one of: ${condition.allowed.join(", ")}`;
  return postureJudge(condition, expected, (posture) => {
    const name = reported(posture);
    return allowed.has(name.trim().toLowerCase()) ? MET : name;
  });
}

/** Before version 12 Android has no complexity to report, so any lock is as good as the strongest. */
const FIRST_WITH_COMPLEXITY = { parts: [12], suffix: "" };

function deviceLockJudge(condition: Of<"deviceLock">): Judge {
  const { atLeast } = condition;
  return postureJudge(condition, `${atLeast} or stronger`, ({ deviceLock, osVersion }) => {
    if (DEVICE_LOCKS.indexOf(deviceLock) >= DEVICE_LOCKS.indexOf(atLeast)) return MET;
    if (deviceLock === "none") return "no screen lock";
    const version = readVersion(osVersion);
    if (version === undefined) return { doubtful: deviceLock };
    return compareVersions(version, FIRST_WITH_COMPLEXITY) < 0 ? MET : deviceLock;
  });
}

const NO_PLAY_SERVICES = "unavailable: Google Play Services are missing or too old";

/**
 * The verdict that counts: the one reported, or the last that was given while this request failed or none was asked for.
 * `undefined`: none yet; `stale`: none that still counts.
 */
function verdictOf({ posture, integrity, integrityIsStale }: DeviceFacts) {
  if (posture?.integrity !== "requestFailed") return posture?.integrity ?? integrity?.verdict;
  return integrity === undefined || integrityIsStale === true ? "stale" : integrity.verdict;
}

/** From weakest to strongest; each includes those before it. */
const INTEGRITY_LEVELS = ["none", "basic", "device", "strong"] as const;

function integrityJudge(condition: Of<"integrity">): Judge {
  const { level } = condition;
  const expected = `${level} or stronger`;
  const stale: Condition = { ...condition, cause: "integrityStale", action: "block" };
  const unavailable: Condition = { ...condition, action: "block" };
  return (facts) => {
    const verdict = facts.posture === undefined ? undefined : verdictOf(facts);
    if (verdict === undefined) return undefined;
    if (verdict === "stale") return failureOf(stale, expected, "no recent verdict");
    if (verdict === "unavailable") return failureOf(unavailable, expected, NO_PLAY_SERVICES);
    const isMet = INTEGRITY_LEVELS.indexOf(verdict) >= INTEGRITY_LEVELS.indexOf(level);
    return failureOf(condition, expected, isMet ? MET : verdict);
  };
}

function threatScanJudge(condition: Of<"threatScan">): Judge {
  const expected = "on";
  const unavailable: Condition = { ...condition, action: "block" };
  return (facts) => {
    if (facts.posture === undefined) return undefined;
    if (verdictOf(facts) === "unavailable") return failureOf(unavailable, expected, NO_PLAY_SERVICES);
    const { appScan } = facts.posture;
    return failureOf(condition, expected, appScan === undefined ? NOT_REPORTED : appScan ? MET : "off");
  };
}

function threatLevelJudge(condition: Of<"threatLevel">): Judge {
  const { atMost } = condition;
  const expected = `${atMost} or safer`;
  return ({ posture, threatLevel }) => {
    if (threatLevel === undefined) return failureOf(condition, expected, posture === undefined ? MET : NOT_REPORTED);
    const isMet = THREAT_LEVELS.indexOf(threatLevel) <= THREAT_LEVELS.indexOf(atMost);
    return failureOf(condition, expected, isMet ? MET : threatLevel === "unknown" ? UNKNOWN : threatLevel);
  };
}

const UNKNOWN = { doubtful: "unknown" };
