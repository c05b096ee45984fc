/** Whether rules ask for everything that other rules ask for: what "at least as strict" means, said apart from how policies merge. */
import type { Action, Condition, Rules } from "../../../machines/policy/rules.js";
import { DEVICE_LOCKS, THREAT_LEVELS } from "../../../machines/policy/rules.js";
import { compareVersions, parseVersion } from "../../../machines/policy/version.js";

const SEVERITY: Readonly<Record<Action, number>> = { warn: 1, block: 2, wipe: 3 };
const severity = (action: Action | null | undefined) => (action ? SEVERITY[action] : 0);
const limit = (value: number | null) => value ?? Infinity;

/** Demands of `weaker` that `stricter` does not make; `numbers` left out: of all but numeric entry fields. */
export function demandsLost(weaker: Rules, stricter: Rules, { numbers = true } = {}): readonly string[] {
  const lost: string[] = [];
  const keep = (name: string, isKept: boolean) => {
    if (!isKept) lost.push(name);
  };
  const [was, is] = [weaker.pin, stricter.pin];
  keep("pin", was === null || is !== null);
  if (was !== null && is !== null) {
    keep("kind", is.kind === "passcode" || was.kind === "numeric");
    keep("simple", is.simpleBlocked || !was.simpleBlocked);
    keep("spent", is.whenAttemptsSpent === "wipe" || was.whenAttemptsSpent === "reset");
    keep("biometric", !is.biometricAllowed || was.biometricAllowed);
    keep("biometricChange", is.pinAfterBiometricChange || !was.pinAfterBiometricChange);
    keep("exemption", !is.exemptWithDeviceLock || was.exemptWithDeviceLock);
    if (numbers) {
      keep("length", is.minLength >= was.minLength);
      keep("attempts", is.maxAttempts <= was.maxAttempts);
      keep("age", limit(is.maxAgeMs) <= limit(was.maxAgeMs));
      keep("history", is.historyCount >= was.historyCount);
      keep("biometricTimeout", limit(is.biometricTimeoutMs) <= limit(was.biometricTimeoutMs));
    }
  }
  keep("credentials", stricter.credentialsRequired || !weaker.credentialsRequired);
  keep("disabledAccount", severity(stricter.disabledAccount) >= severity(weaker.disabledAccount));
  keep("offShift", severity(stricter.offShift?.action) >= severity(weaker.offShift?.action));
  keep("grace", weaker.offShift === null || (stricter.offShift?.graceMs ?? Infinity) <= weaker.offShift.graceMs);
  if (numbers && weaker.policies.length > 0) {
    keep("recheck", stricter.recheckAfterMs <= weaker.recheckAfterMs);
    keep("offline", limit(stricter.offline.blockAfterMs) <= limit(weaker.offline.blockAfterMs));
    keep("offlineWipe", limit(stricter.offline.wipeAfterMs) <= limit(weaker.offline.wipeAfterMs));
  }
  for (const condition of weaker.conditions) {
    const isKept = stricter.conditions.some((other) => isAtLeast(other, condition));
    if (condition.action !== "warn") keep(condition.property, isKept);
  }
  for (const demand of weaker.conditionalAccess) {
    keep(
      demand.policy.id,
      stricter.conditionalAccess.some(({ policy }) => policy.id === demand.policy.id),
    );
  }
  return lost;
}

const INTEGRITY = ["basic", "device", "strong"];

function isAtLeast(one: Condition, other: Condition): boolean {
  if (one.property !== other.property || SEVERITY[one.action] < SEVERITY[other.action]) return false;
  if ("bound" in one && "bound" in other) {
    const difference = compareVersions(parseVersion(one.value)!, parseVersion(other.value)!);
    return one.bound === "min" ? difference >= 0 : difference <= 0;
  }
  if (one.kind === "patchVersion" && other.kind === "patchVersion") return one.value >= other.value;
  if (one.kind === "companyPortalAge" && other.kind === "companyPortalAge") return one.days <= other.days;
  if ("allowed" in one && "allowed" in other) return one.allowed.every((name) => other.allowed.includes(name));
  if (one.kind === "integrity" && other.kind === "integrity")
    return INTEGRITY.indexOf(one.level) >= INTEGRITY.indexOf(other.level);
  if (one.kind === "threatLevel" && other.kind === "threatLevel")
    return THREAT_LEVELS.indexOf(one.atMost) <= THREAT_LEVELS.indexOf(other.atMost);
  if (one.kind === "knox" && other.kind === "knox") return !one.whenSupported || other.whenSupported;
  if (one.kind === "deviceLock" && other.kind === "deviceLock")
    return DEVICE_LOCKS.indexOf(one.atLeast) >= DEVICE_LOCKS.indexOf(other.atLeast);
  return one.kind === other.kind;
}
