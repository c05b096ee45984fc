/**
 * Every Graph property that acts here, with its meaning for a document that leaves it out. All others, those for data transfer,
 * encryption or the browser among them, are enforced by the app on the device and pass through unread.
 */
import { DAY_MS, MINUTE_MS } from "./duration.js";
import {
  action,
  choice,
  count,
  days,
  duration,
  flag,
  nameList,
  optionalAction,
  optionalDuration,
  optionalFlag,
  patchDate,
  version,
  type GraphProperty,
} from "./graph-readers.js";

export const GRAPH_PROPERTIES = {
  // PIN and access
  pinRequired: flag("both", true),
  minimumPinLength: count("both", 4, 4, 16),
  pinCharacterSet: choice("both", "numeric", ["numeric", "alphanumericAndSymbol"]),
  simplePinBlocked: flag("both", false),
  maximumPinRetries: count("both", 5, 1, 65_535),
  appActionIfMaximumPinRetriesExceeded: action("both", ["block", "wipe"]),
  periodBeforePinReset: optionalDuration("both", null),
  previousPinBlockCount: count("both", 0, 0, 24),
  periodOnlineBeforeAccessCheck: duration("both", 30 * MINUTE_MS),
  fingerprintBlocked: flag("both", false),
  faceIdBlocked: flag("ios", false),
  biometricAuthenticationBlocked: flag("android", false),
  fingerprintAndBiometricEnabled: optionalFlag("android"),
  pinRequiredInsteadOfBiometricTimeout: optionalDuration("both", 30 * MINUTE_MS),
  requirePinAfterBiometricChange: flag("android", false),
  disableAppPinIfDevicePinIsSet: flag("both", false),
  organizationalCredentialsRequired: flag("both", false),

  // Check-in, account and shift
  periodOfflineBeforeAccessCheck: optionalDuration("both", 1440 * MINUTE_MS),
  periodOfflineBeforeWipeIsEnforced: optionalDuration("both", 90 * DAY_MS),
  appActionIfUnableToAuthenticateUser: optionalAction("both", ["warn", "block", "wipe"]),
  appActionIfAccountIsClockedOut: optionalAction("both", ["warn", "block"]),
  gracePeriodToBlockAppsDuringOffClockHours: optionalDuration("both", null),

  // Conditional launch: versions
  minimumWipeOsVersion: version("both"),
  minimumRequiredOsVersion: version("both"),
  minimumWarningOsVersion: version("both"),
  maximumWipeOsVersion: version("both"),
  maximumRequiredOsVersion: version("both"),
  maximumWarningOsVersion: version("both"),
  minimumWipeAppVersion: version("both"),
  minimumRequiredAppVersion: version("both"),
  minimumWarningAppVersion: version("both"),
  minimumWipeSdkVersion: version("ios"),
  minimumRequiredSdkVersion: version("ios"),
  minimumWarningSdkVersion: version("ios"),
  minimumWipePatchVersion: patchDate("android"),
  minimumRequiredPatchVersion: patchDate("android"),
  minimumWarningPatchVersion: patchDate("android"),
  minimumWipeCompanyPortalVersion: version("android"),
  minimumRequiredCompanyPortalVersion: version("android"),
  minimumWarningCompanyPortalVersion: version("android"),
  wipeAfterCompanyPortalUpdateDeferralInDays: days("android"),
  blockAfterCompanyPortalUpdateDeferralInDays: days("android"),
  warnAfterCompanyPortalUpdateDeferralInDays: days("android"),

  // Conditional launch: the device
  deviceComplianceRequired: flag("both", false),
  appActionIfDeviceComplianceRequired: action("both", ["block", "wipe"]),
  allowedIosDeviceModels: nameList("ios"),
  appActionIfIosDeviceModelNotAllowed: action("ios", ["block", "wipe"]),
  allowedAndroidDeviceModels: nameList("android"),
  appActionIfAndroidDeviceModelNotAllowed: action("android", ["block", "wipe"]),
  allowedAndroidDeviceManufacturers: nameList("android"),
  appActionIfAndroidDeviceManufacturerNotAllowed: action("android", ["block", "wipe"]),
  // A check whose value is newer than this table is taken at its strictest: the administrator asked for something.
  requiredAndroidSafetyNetDeviceAttestationType: choice(
    "android",
    "none",
    ["none", "basicIntegrity", "basicIntegrityAndDeviceCertification"],
    "basicIntegrityAndDeviceCertification",
  ),
  requiredAndroidSafetyNetEvaluationType: choice("android", "basic", ["basic", "hardwareBacked"], "hardwareBacked"),
  appActionIfAndroidSafetyNetDeviceAttestationFailed: action("android", ["warn", "block", "wipe"]),
  requiredAndroidSafetyNetAppsVerificationType: choice("android", "none", ["none", "enabled"], "enabled"),
  appActionIfAndroidSafetyNetAppsVerificationFailed: action("android", ["warn", "block"]),
  deviceLockRequired: flag("android", false),
  appActionIfDeviceLockNotSet: action("android", ["warn", "block", "wipe"]),
  appActionIfDevicePasscodeComplexityLessThanLow: optionalAction("android", ["warn", "block", "wipe"]),
  appActionIfDevicePasscodeComplexityLessThanMedium: optionalAction("android", ["warn", "block", "wipe"]),
  appActionIfDevicePasscodeComplexityLessThanHigh: optionalAction("android", ["warn", "block", "wipe"]),
  appActionIfSamsungKnoxAttestationRequired: optionalAction("android", [
    "warn",
    "block",
    "wipe",
    "blockWhenSettingIsSupported",
  ]),
  maximumAllowedDeviceThreatLevel: choice(
    "both",
    "notConfigured",
    ["notConfigured", "secured", "low", "medium", "high"],
    "secured",
  ),
  mobileThreatDefenseRemediationAction: action("both", ["block", "wipe"]),
} as const;

export type GraphPropertyName = keyof typeof GRAPH_PROPERTIES;
export const GRAPH_PROPERTY_NAMES = Object.keys(GRAPH_PROPERTIES) as readonly GraphPropertyName[];

type ValueOf<Name extends GraphPropertyName> =
  (typeof GRAPH_PROPERTIES)[Name] extends GraphProperty<infer Value> ? Value : never;

/** What one document says, property by property. `null`: off. Missing: the document does not say. Durations are in ms. */
export type GraphValues = { readonly [Name in GraphPropertyName]?: ValueOf<Name> };

/** What a document means for a property, said or not. */
export function graphValue<Name extends GraphPropertyName>(values: GraphValues, name: Name): ValueOf<Name>;
export function graphValue(values: GraphValues, name: GraphPropertyName): unknown {
  const said = values[name];
  return said === undefined ? GRAPH_PROPERTIES[name].absent : said;
}
