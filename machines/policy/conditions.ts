/** A policy's conditional launch as conditions, in the order in which failures are reported. */
import { graphValue, type GraphValues } from "./graph-properties.js";
import type { Condition } from "./rules.js";
import type { TenantSettings } from "./settings.js";

type WipeComparison = TenantSettings["wipeComparison"];

/**
 * Versions come first: SDK and app before the operating system, as iOS apps report them, then the security patch, as Android apps do.
 * One order serves both, because no document has values of the other platform.
 */
export function conditionsOf(values: GraphValues, wipeComparison: WipeComparison): readonly Condition[] {
  return [
    ...versionConditions(values, wipeComparison, LEADING_BOUNDS),
    ...patchConditions(values, wipeComparison),
    ...deviceConditions(values),
    ...integrityConditions(values),
    ...deviceLockConditions(values),
    ...versionConditions(values, wipeComparison, PORTAL_BOUNDS),
    ...portalAgeConditions(values),
    ...attestationConditions(values),
  ];
}

/** Several properties set one bound, each with its own action; in the order wipe, block, warn. */
const LEADING_BOUNDS = [
  ["sdkVersion", "min", "wipe", "minimumWipeSdkVersion"],
  ["sdkVersion", "min", "block", "minimumRequiredSdkVersion"],
  ["sdkVersion", "min", "warn", "minimumWarningSdkVersion"],
  ["appVersion", "min", "wipe", "minimumWipeAppVersion"],
  ["appVersion", "min", "block", "minimumRequiredAppVersion"],
  ["appVersion", "min", "warn", "minimumWarningAppVersion"],
  ["osVersion", "min", "wipe", "minimumWipeOsVersion"],
  ["osVersion", "min", "block", "minimumRequiredOsVersion"],
  ["osVersion", "min", "warn", "minimumWarningOsVersion"],
  ["osVersion", "max", "wipe", "maximumWipeOsVersion"],
  ["osVersion", "max", "block", "maximumRequiredOsVersion"],
  ["osVersion", "max", "warn", "maximumWarningOsVersion"],
] as const;
const PORTAL_BOUNDS = [
  ["companyPortalVersion", "min", "wipe", "minimumWipeCompanyPortalVersion"],
  ["companyPortalVersion", "min", "block", "minimumRequiredCompanyPortalVersion"],
  ["companyPortalVersion", "min", "warn", "minimumWarningCompanyPortalVersion"],
] as const;
const PATCH_BOUNDS = [
  ["wipe", "minimumWipePatchVersion"],
  ["block", "minimumRequiredPatchVersion"],
  ["warn", "minimumWarningPatchVersion"],
] as const;
const PORTAL_AGES = [
  ["wipe", "wipeAfterCompanyPortalUpdateDeferralInDays"],
  ["block", "blockAfterCompanyPortalUpdateDeferralInDays"],
  ["warn", "warnAfterCompanyPortalUpdateDeferralInDays"],
] as const;
const LOCK_LEVELS = [
  ["low", "appActionIfDevicePasscodeComplexityLessThanLow"],
  ["medium", "appActionIfDevicePasscodeComplexityLessThanMedium"],
  ["high", "appActionIfDevicePasscodeComplexityLessThanHigh"],
] as const;

function versionConditions(
  values: GraphValues,
  wipeComparison: WipeComparison,
  bounds: typeof LEADING_BOUNDS | typeof PORTAL_BOUNDS,
): Condition[] {
  const conditions: Condition[] = [];
  for (const [kind, bound, action, property] of bounds) {
    const value = graphValue(values, property);
    const cause = kind === "companyPortalVersion" ? "companyPortal" : kind;
    const orEqual = bound === "min" && action === "wipe" && wipeComparison === "lte";
    if (value !== null) conditions.push({ kind, cause, action, property, bound, value, orEqual });
  }
  return conditions;
}

function patchConditions(values: GraphValues, wipeComparison: WipeComparison): Condition[] {
  const conditions: Condition[] = [];
  for (const [action, property] of PATCH_BOUNDS) {
    const value = graphValue(values, property);
    const orEqual = action === "wipe" && wipeComparison === "lte";
    if (value !== null) {
      conditions.push({ kind: "patchVersion", cause: "patchVersion", action, property, value, orEqual });
    }
  }
  return conditions;
}

function deviceConditions(values: GraphValues): Condition[] {
  const conditions: Condition[] = [];
  if (graphValue(values, "deviceComplianceRequired")) {
    const action = graphValue(values, "appActionIfDeviceComplianceRequired");
    conditions.push({ kind: "rooted", cause: "rooted", action, property: "deviceComplianceRequired" });
  }
  const lists = [
    ["deviceModel", "allowedIosDeviceModels", "appActionIfIosDeviceModelNotAllowed"],
    ["deviceModel", "allowedAndroidDeviceModels", "appActionIfAndroidDeviceModelNotAllowed"],
    ["manufacturer", "allowedAndroidDeviceManufacturers", "appActionIfAndroidDeviceManufacturerNotAllowed"],
  ] as const;
  for (const [kind, property, actionProperty] of lists) {
    const allowed = graphValue(values, property);
    if (allowed !== null) {
      conditions.push({ kind, cause: "deviceModel", action: graphValue(values, actionProperty), property, allowed });
    }
  }
  return conditions;
}

function integrityConditions(values: GraphValues): Condition[] {
  const conditions: Condition[] = [];
  const attestation = graphValue(values, "requiredAndroidSafetyNetDeviceAttestationType");
  if (attestation !== "none") {
    const hardwareBacked = graphValue(values, "requiredAndroidSafetyNetEvaluationType") === "hardwareBacked";
    conditions.push({
      kind: "integrity",
      cause: "integrity",
      action: graphValue(values, "appActionIfAndroidSafetyNetDeviceAttestationFailed"),
      property: "requiredAndroidSafetyNetDeviceAttestationType",
      level: hardwareBacked ? "strong" : attestation === "basicIntegrity" ? "basic" : "device",
    });
  }
  if (graphValue(values, "requiredAndroidSafetyNetAppsVerificationType") !== "none") {
    conditions.push({
      kind: "threatScan",
      cause: "threatScan",
      action: graphValue(values, "appActionIfAndroidSafetyNetAppsVerificationFailed"),
      property: "requiredAndroidSafetyNetAppsVerificationType",
    });
  }
  return conditions;
}

function deviceLockConditions(values: GraphValues): Condition[] {
  const conditions: Condition[] = [];
  if (graphValue(values, "deviceLockRequired")) {
    const action = graphValue(values, "appActionIfDeviceLockNotSet");
    conditions.push({
      kind: "deviceLock",
      cause: "deviceLock",
      action,
      property: "deviceLockRequired",
      atLeast: "low",
    });
  }
  for (const [atLeast, property] of LOCK_LEVELS) {
    const action = graphValue(values, property);
    if (action !== null) conditions.push({ kind: "deviceLock", cause: "deviceLock", action, property, atLeast });
  }
  return conditions;
}

function portalAgeConditions(values: GraphValues): Condition[] {
  const conditions: Condition[] = [];
  for (const [action, property] of PORTAL_AGES) {
    const days = graphValue(values, property);
    if (days !== null) conditions.push({ kind: "companyPortalAge", cause: "companyPortal", action, property, days });
  }
  return conditions;
}

function attestationConditions(values: GraphValues): Condition[] {
  const conditions: Condition[] = [];
  const knox = graphValue(values, "appActionIfSamsungKnoxAttestationRequired");
  if (knox !== null) {
    const whenSupported = knox === "blockWhenSettingIsSupported";
    conditions.push({
      kind: "knox",
      cause: "knox",
      action: whenSupported ? "block" : knox,
      property: "appActionIfSamsungKnoxAttestationRequired",
      whenSupported,
    });
  }
  const atMost = graphValue(values, "maximumAllowedDeviceThreatLevel");
  if (atMost !== "notConfigured") {
    conditions.push({
      kind: "threatLevel",
      cause: "threatLevel",
      action: graphValue(values, "mobileThreatDefenseRemediationAction"),
      property: "maximumAllowedDeviceThreatLevel",
      atMost,
    });
  }
  return conditions;
}
