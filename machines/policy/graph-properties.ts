/**
 * Every Graph property that acts here: how it is read, what a document without it means, which value counts where several policies
 * differ, and what it does. `npm run docs` writes docs/graph-properties.md from it.
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
import {
  greatest,
  intersection,
  latest,
  least,
  leastGrace,
  newest,
  oldest,
  ranked,
  whenFalse,
  whenTrue,
  type Strictness,
} from "./strictness.js";

export interface ActingProperty<Value> extends GraphProperty<Value>, Strictness<Value> {
  /** What it does here, in words. */
  readonly does: string;
  /** The property that it belongs to: where that is off, a policy says nothing with this one. */
  readonly partOf?: string;
}

function acts<Value>(
  reader: GraphProperty<Value>,
  strictness: Strictness<Value>,
  does: string,
  partOf?: string,
): ActingProperty<Value> {
  return { ...reader, ...strictness, does, ...(partOf !== undefined && { partOf }) };
}

const BLOCK_OR_WIPE = ranked("wipe", "block");
const ACTIONS = ranked("wipe", "block", "warn");
const OPTIONAL_ACTIONS = ranked("wipe", "block", "warn", null);

export const GRAPH_PROPERTIES = {
  // PIN and access
  pinRequired: acts(
    flag("both", true),
    whenTrue,
    "a session without a PIN rests in `pinSetup`, without proof of it in `locked`",
  ),
  minimumPinLength: acts(
    count("both", 4, 4, 16, { fillerZero: true }),
    greatest(),
    "the shortest PIN, in characters",
    "pinRequired",
  ),
  pinCharacterSet: acts(
    choice("both", "numeric", ["numeric", "alphanumericAndSymbol"]),
    ranked("alphanumericAndSymbol", "numeric"),
    "`numeric`: digits only. `alphanumericAndSymbol`: a passcode, with a letter or a symbol",
    "pinRequired",
  ),
  simplePinBlocked: acts(
    flag("both", false),
    whenTrue,
    "no runs and repeats of three; a passcode needs digit, letter and symbol",
    "pinRequired",
  ),
  maximumPinRetries: acts(
    count("both", 5, 1, 20),
    least(),
    "the wrong entry with this number spends the attempts",
    "pinRequired",
  ),
  appActionIfMaximumPinRetriesExceeded: acts(
    action("both", ["block", "wipe"]),
    BLOCK_OR_WIPE,
    "then: `block`, sign in and choose a new PIN; `wipe`, the account's data is removed",
    "pinRequired",
  ),
  periodBeforePinReset: acts(
    optionalDuration("both", null),
    least(),
    "the age at which a PIN must be replaced",
    "pinRequired",
  ),
  previousPinBlockCount: acts(
    count("both", 0, 0, 24),
    greatest(),
    "a new PIN differs from that many before; a PIN in use is never refused for it",
    "pinRequired",
  ),
  periodOnlineBeforeAccessCheck: acts(
    duration("both", 30 * MINUTE_MS),
    least(),
    "time out of the foreground after which access is checked again",
  ),
  fingerprintBlocked: acts(flag("both", false), whenTrue, "no biometric counts as proof", "pinRequired"),
  faceIdBlocked: acts(flag("ios", false), whenTrue, "no biometric counts as proof", "pinRequired"),
  biometricAuthenticationBlocked: acts(flag("android", false), whenTrue, "no biometric counts as proof", "pinRequired"),
  fingerprintAndBiometricEnabled: acts(
    optionalFlag("android"),
    ranked<boolean | null>(false, null, true),
    "unless `null`, decides for both of Android's kinds of biometrics",
    "pinRequired",
  ),
  pinRequiredInsteadOfBiometricTimeout: acts(
    optionalDuration("both", 30 * MINUTE_MS),
    least(),
    "inactivity after which only the PIN counts",
    "pinRequired",
  ),
  requirePinAfterBiometricChange: acts(
    flag("android", false),
    whenTrue,
    "changed biometrics: the next prompt takes the PIN alone (on iOS always)",
    "pinRequired",
  ),
  disableAppPinIfDevicePinIsSet: acts(
    flag("both", false),
    whenFalse,
    "no app PIN on an MDM-enrolled device with a lock",
    "pinRequired",
  ),
  organizationalCredentialsRequired: acts(
    flag("both", false),
    whenTrue,
    "work credentials at each access check, besides the PIN",
  ),

  // Check-in, account and shift
  periodOfflineBeforeAccessCheck: acts(
    optionalDuration("both", 1440 * MINUTE_MS),
    least(),
    "that long without a check-in: blocked (`offlineGrace`) until one succeeds",
  ),
  periodOfflineBeforeWipeIsEnforced: acts(
    optionalDuration("both", 90 * DAY_MS),
    least(),
    "that long without a check-in: sign in and check in, or the data is removed",
  ),
  appActionIfUnableToAuthenticateUser: acts(
    optionalAction("both", ["warn", "block", "wipe"]),
    OPTIONAL_ACTIONS,
    "what a disabled or deleted account means",
  ),
  appActionIfAccountIsClockedOut: acts(
    optionalAction("both", ["warn", "block"]),
    ranked("block", "warn", null),
    "what the end of a shift means",
  ),
  gracePeriodToBlockAppsDuringOffClockHours: acts(
    optionalDuration("both", null),
    leastGrace,
    "how long after the end of the shift; off: at once",
    "appActionIfAccountIsClockedOut",
  ),

  // Conditional launch: versions
  minimumWipeSdkVersion: acts(version("ios"), newest, "an older SDK: wipe (`sdkVersion`)"),
  minimumRequiredSdkVersion: acts(version("ios"), newest, "an older SDK: block (`sdkVersion`)"),
  minimumWarningSdkVersion: acts(version("ios"), newest, "an older SDK: warn (`sdkVersion`)"),
  minimumWipeAppVersion: acts(version("both"), newest, "an older app: wipe (`appVersion`)"),
  minimumRequiredAppVersion: acts(version("both"), newest, "an older app: block (`appVersion`)"),
  minimumWarningAppVersion: acts(version("both"), newest, "an older app: warn (`appVersion`)"),
  minimumWipeOsVersion: acts(version("both"), newest, "an older system: wipe (`osVersion`)"),
  minimumRequiredOsVersion: acts(version("both"), newest, "an older system: block (`osVersion`)"),
  minimumWarningOsVersion: acts(version("both"), newest, "an older system: warn (`osVersion`)"),
  maximumWipeOsVersion: acts(version("both"), oldest, "a newer system: wipe (`osVersion`)"),
  maximumRequiredOsVersion: acts(version("both"), oldest, "a newer system: block (`osVersion`)"),
  maximumWarningOsVersion: acts(version("both"), oldest, "a newer system: warn (`osVersion`)"),
  minimumWipePatchVersion: acts(patchDate("android"), latest, "an older security patch: wipe (`patchVersion`)"),
  minimumRequiredPatchVersion: acts(patchDate("android"), latest, "an older security patch: block (`patchVersion`)"),
  minimumWarningPatchVersion: acts(patchDate("android"), latest, "an older security patch: warn (`patchVersion`)"),

  // Conditional launch: the device
  deviceComplianceRequired: acts(flag("both", false), whenTrue, "jailbroken or rooted devices fail (`rooted`)"),
  appActionIfDeviceComplianceRequired: acts(
    action("both", ["block", "wipe"]),
    BLOCK_OR_WIPE,
    "what that failure means",
    "deviceComplianceRequired",
  ),
  allowedIosDeviceModels: acts(nameList("ios"), intersection, "models that are not listed fail (`deviceModel`)"),
  appActionIfIosDeviceModelNotAllowed: acts(
    action("ios", ["block", "wipe"]),
    BLOCK_OR_WIPE,
    "what that failure means",
    "allowedIosDeviceModels",
  ),
  allowedAndroidDeviceModels: acts(
    nameList("android"),
    intersection,
    "models that are not listed fail (`deviceModel`)",
  ),
  appActionIfAndroidDeviceModelNotAllowed: acts(
    action("android", ["block", "wipe"]),
    BLOCK_OR_WIPE,
    "what that failure means",
    "allowedAndroidDeviceModels",
  ),
  allowedAndroidDeviceManufacturers: acts(
    nameList("android"),
    intersection,
    "manufacturers that are not listed fail (`deviceModel`)",
  ),
  appActionIfAndroidDeviceManufacturerNotAllowed: acts(
    action("android", ["block", "wipe"]),
    BLOCK_OR_WIPE,
    "what that failure means",
    "allowedAndroidDeviceManufacturers",
  ),
  // A check whose value is newer than this table is taken at its strictest: the administrator asked for something.
  requiredAndroidSafetyNetDeviceAttestationType: acts(
    choice(
      "android",
      "none",
      ["none", "basicIntegrity", "basicIntegrityAndDeviceCertification"],
      "basicIntegrityAndDeviceCertification",
    ),
    ranked("basicIntegrityAndDeviceCertification", "basicIntegrity", "none"),
    "a weaker Play Integrity verdict fails (`integrity`)",
  ),
  requiredAndroidSafetyNetEvaluationType: acts(
    choice("android", "basic", ["basic", "hardwareBacked"], "hardwareBacked"),
    ranked("hardwareBacked", "basic"),
    "`hardwareBacked`: that verdict must be the strong one",
    "requiredAndroidSafetyNetDeviceAttestationType",
  ),
  appActionIfAndroidSafetyNetDeviceAttestationFailed: acts(
    action("android", ["warn", "block", "wipe"]),
    ACTIONS,
    "what that failure means",
    "requiredAndroidSafetyNetDeviceAttestationType",
  ),
  requiredAndroidSafetyNetAppsVerificationType: acts(
    choice("android", "none", ["none", "enabled"], "enabled"),
    ranked("enabled", "none"),
    "devices with Google's scan on apps off fail (`threatScan`)",
  ),
  appActionIfAndroidSafetyNetAppsVerificationFailed: acts(
    action("android", ["warn", "block"]),
    ranked("block", "warn"),
    "what that failure means",
    "requiredAndroidSafetyNetAppsVerificationType",
  ),
  deviceLockRequired: acts(flag("android", false), whenTrue, "devices without a screen lock fail (`deviceLock`)"),
  appActionIfDeviceLockNotSet: acts(
    action("android", ["warn", "block", "wipe"]),
    ACTIONS,
    "what that failure means",
    "deviceLockRequired",
  ),
  appActionIfDevicePasscodeComplexityLessThanLow: acts(
    optionalAction("android", ["warn", "block", "wipe"]),
    OPTIONAL_ACTIONS,
    "what a screen lock weaker than low means (`deviceLock`); before Android 12 any lock will do",
  ),
  appActionIfDevicePasscodeComplexityLessThanMedium: acts(
    optionalAction("android", ["warn", "block", "wipe"]),
    OPTIONAL_ACTIONS,
    "what a screen lock weaker than medium means (`deviceLock`)",
  ),
  appActionIfDevicePasscodeComplexityLessThanHigh: acts(
    optionalAction("android", ["warn", "block", "wipe"]),
    OPTIONAL_ACTIONS,
    "what a screen lock weaker than high means (`deviceLock`)",
  ),
  minimumWipeCompanyPortalVersion: acts(version("android"), newest, "an older Company Portal: wipe (`companyPortal`)"),
  minimumRequiredCompanyPortalVersion: acts(
    version("android"),
    newest,
    "an older Company Portal: block (`companyPortal`)",
  ),
  minimumWarningCompanyPortalVersion: acts(
    version("android"),
    newest,
    "an older Company Portal: warn (`companyPortal`)",
  ),
  wipeAfterCompanyPortalUpdateDeferralInDays: acts(
    days("android"),
    least(),
    "Company Portal that many days behind: wipe (`companyPortal`)",
  ),
  blockAfterCompanyPortalUpdateDeferralInDays: acts(
    days("android"),
    least(),
    "Company Portal that many days behind: block (`companyPortal`)",
  ),
  warnAfterCompanyPortalUpdateDeferralInDays: acts(
    days("android"),
    least(),
    "Company Portal that many days behind: warn (`companyPortal`)",
  ),
  appActionIfSamsungKnoxAttestationRequired: acts(
    optionalAction("android", ["warn", "block", "wipe", "blockWhenSettingIsSupported"]),
    ranked("wipe", "block", "blockWhenSettingIsSupported", "warn", null),
    "what it means that Knox attestation did not pass (`knox`); `blockWhenSettingIsSupported` lets devices without Knox pass",
  ),
  maximumAllowedDeviceThreatLevel: acts(
    choice("both", "notConfigured", ["notConfigured", "secured", "low", "medium", "high"], "secured"),
    ranked("secured", "low", "medium", "high", "notConfigured"),
    "a worse threat level fails (`threatLevel`)",
  ),
  mobileThreatDefenseRemediationAction: acts(
    action("both", ["block", "wipe"]),
    BLOCK_OR_WIPE,
    "what that failure means",
    "maximumAllowedDeviceThreatLevel",
  ),
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
