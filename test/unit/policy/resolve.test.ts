import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../machines/policy/app-protection-policy.js";
import { DEFAULT_DISPOSITIONS } from "../../../machines/policy/causes.js";
import { contentHash } from "../../../machines/policy/content-hash.js";
import { DAY_MS, MINUTE_MS } from "../../../machines/policy/duration.js";
import { readGraphDocuments } from "../../../machines/policy/graph-documents.js";
import { GRAPH_PROPERTY_NAMES } from "../../../machines/policy/graph-properties.js";
import { resolve } from "../../../machines/policy/resolve.js";
import { DEFAULT_SETTINGS } from "../../../machines/policy/settings.js";
import { EVERYONE, catalogue, policyOf, rulesOf, somebody } from "./support.js";

const conditionsOf = (...of: Parameters<typeof rulesOf>) => rulesOf(...of).conditions;

describe("a policy that leaves everything out", () => {
  test("asks for a four-digit PIN and ends offline use after a day", () => {
    expect(rulesOf("ios")).toMatchObject({
      pin: {
        minLength: 4,
        kind: "numeric",
        simpleBlocked: false,
        maxAttempts: 5,
        whenAttemptsSpent: "reset",
        maxAgeMs: null,
        historyCount: 0,
        biometricAllowed: true,
        biometricTimeoutMs: 30 * MINUTE_MS,
        pinAfterBiometricChange: true,
        exemptWithDeviceLock: false,
      },
      credentialsRequired: false,
      recheckAfterMs: 30 * MINUTE_MS,
      offline: { blockAfterMs: 1440 * MINUTE_MS, wipeAfterMs: 90 * DAY_MS },
      disabledAccount: null,
      offShift: null,
      conditions: [],
      remediation: DEFAULT_SETTINGS.remediation,
      dispositions: DEFAULT_DISPOSITIONS,
      wipeOnSignOut: true,
    });
  });

  test("differs on Android only in what follows from changed biometrics", () => {
    expect(rulesOf("android").pin).toEqual({ ...rulesOf("ios").pin, pinAfterBiometricChange: false });
  });
});

describe("where no policy is for the platform", () => {
  test("the session is unmanaged: nothing is asked for and nothing runs out", () => {
    expect(resolve(catalogue([policyOf("android")]), somebody())).toMatchObject({
      platform: "ios",
      policies: [],
      pin: null,
      credentialsRequired: false,
      offline: { blockAfterMs: null, wipeAfterMs: null },
      disabledAccount: null,
      offShift: null,
      conditions: [],
    });
  });
});

describe("what a policy says becomes rules", () => {
  test.each([
    ["pinRequired off", { pinRequired: false, minimumPinLength: 8 }, { pin: null }],
    ["a passcode", { pinCharacterSet: "alphanumericAndSymbol" }, { pin: { kind: "passcode" } }],
    [
      "wipe after too many PINs",
      { appActionIfMaximumPinRetriesExceeded: "wipe" },
      { pin: { whenAttemptsSpent: "wipe" } },
    ],
    ["an age limit", { periodBeforePinReset: "P90D" }, { pin: { maxAgeMs: 90 * DAY_MS } }],
    [
      "biometrics that never time out",
      { pinRequiredInsteadOfBiometricTimeout: null },
      { pin: { biometricTimeoutMs: null } },
    ],
    ["any fingerprint blocked", { fingerprintBlocked: true }, { pin: { biometricAllowed: false } }],
    ["Face ID blocked", { faceIdBlocked: true }, { pin: { biometricAllowed: false } }],
    [
      "offline limits off",
      { periodOfflineBeforeAccessCheck: "PT0S" },
      { offline: { blockAfterMs: null, wipeAfterMs: 90 * DAY_MS } },
    ],
    [
      "an invalid offline limit",
      { periodOfflineBeforeAccessCheck: "-PT1H" },
      { offline: { blockAfterMs: 1440 * MINUTE_MS } },
    ],
    ["disabled accounts", { appActionIfUnableToAuthenticateUser: "wipe" }, { disabledAccount: "wipe" }],
    ["shifts", { appActionIfAccountIsClockedOut: "warn" }, { offShift: { action: "warn", graceMs: 0 } }],
    [
      "shifts with grace",
      { appActionIfAccountIsClockedOut: "block", gracePeriodToBlockAppsDuringOffClockHours: "PT15M" },
      { offShift: { action: "block", graceMs: 15 * MINUTE_MS } },
    ],
    ["a grace without an action", { gracePeriodToBlockAppsDuringOffClockHours: "PT15M" }, { offShift: null }],
  ])("%s", (_what, properties, rules) => expect(rulesOf("ios", properties)).toMatchObject(rules));

  test.each([
    [{ fingerprintAndBiometricEnabled: true, fingerprintBlocked: true }, true],
    [{ fingerprintAndBiometricEnabled: false }, false],
    [{ fingerprintAndBiometricEnabled: null, biometricAuthenticationBlocked: true }, false],
  ])("Android's joint biometric switch decides unless it is null: %j", (properties, biometricAllowed) => {
    expect(rulesOf("android", properties).pin).toMatchObject({ biometricAllowed });
  });
});

describe("conditions", () => {
  test("of iOS are reported SDK before app before OS, wipe before block before warn, then the rest", () => {
    const conditions = conditionsOf("ios", {
      maximumAllowedDeviceThreatLevel: "low",
      allowedIosDeviceModels: "iPhone15,2;iPad13,1",
      deviceComplianceRequired: true,
      maximumRequiredOsVersion: "18",
      minimumWarningOsVersion: "17.1",
      minimumRequiredOsVersion: "17.0",
      minimumWipeOsVersion: "15",
      minimumRequiredAppVersion: "5.0",
      minimumRequiredSdkVersion: "19",
      minimumWarningSdkVersion: "19.1",
    });
    expect(conditions.map(({ property, action }) => [property, action])).toEqual([
      ["minimumRequiredSdkVersion", "block"],
      ["minimumWarningSdkVersion", "warn"],
      ["minimumRequiredAppVersion", "block"],
      ["minimumWipeOsVersion", "wipe"],
      ["minimumRequiredOsVersion", "block"],
      ["minimumWarningOsVersion", "warn"],
      ["maximumRequiredOsVersion", "block"],
      ["deviceComplianceRequired", "block"],
      ["allowedIosDeviceModels", "block"],
      ["maximumAllowedDeviceThreatLevel", "block"],
    ]);
  });

  test("of Android are reported app before OS before patch, then the rest", () => {
    const conditions = conditionsOf("android", {
      appActionIfSamsungKnoxAttestationRequired: "wipe",
      warnAfterCompanyPortalUpdateDeferralInDays: 30,
      minimumRequiredCompanyPortalVersion: "5",
      appActionIfDevicePasscodeComplexityLessThanHigh: "block",
      deviceLockRequired: true,
      requiredAndroidSafetyNetAppsVerificationType: "enabled",
      requiredAndroidSafetyNetDeviceAttestationType: "basicIntegrity",
      allowedAndroidDeviceManufacturers: "Google",
      deviceComplianceRequired: true,
      minimumRequiredPatchVersion: "2024-06-01",
      minimumRequiredOsVersion: "13",
      minimumRequiredAppVersion: "5.0",
    });
    expect(conditions.map(({ kind }) => kind)).toEqual([
      "appVersion",
      "osVersion",
      "patchVersion",
      "rooted",
      "manufacturer",
      "integrity",
      "threatScan",
      "deviceLock",
      "deviceLock",
      "companyPortalVersion",
      "companyPortalAge",
      "knox",
    ]);
  });

  test.each([
    ["basicIntegrity", "basic", "basic"],
    ["basicIntegrityAndDeviceCertification", "basic", "device"],
    ["basicIntegrityAndDeviceCertification", "hardwareBacked", "strong"],
  ])("integrity: %s, evaluated %s, asks for %s", (attestation, evaluation, level) => {
    const conditions = conditionsOf("android", {
      requiredAndroidSafetyNetDeviceAttestationType: attestation,
      requiredAndroidSafetyNetEvaluationType: evaluation,
    });
    expect(conditions).toMatchObject([{ kind: "integrity", level, action: "block" }]);
  });

  test("integrity: how to evaluate asks for nothing where no attestation is required", () => {
    expect(conditionsOf("android", { requiredAndroidSafetyNetEvaluationType: "hardwareBacked" })).toEqual([]);
  });

  test("Knox where the device supports it blocks there alone", () => {
    const knox = { appActionIfSamsungKnoxAttestationRequired: "blockWhenSettingIsSupported" };
    expect(conditionsOf("android", knox)).toMatchObject([{ kind: "knox", action: "block", whenSupported: true }]);
  });

  test("only the minimum that wipes fails at its own value, and only where the tenant chose so", () => {
    const bounds = {
      minimumWipeOsVersion: "12",
      minimumRequiredOsVersion: "13",
      maximumWipeOsVersion: "20",
      minimumWipePatchVersion: "2023-01-01",
      minimumRequiredPatchVersion: "2024-01-01",
    };
    const failingAtValue = (wipeComparison: "lt" | "lte") =>
      conditionsOf("android", bounds, { wipeComparison })
        .filter((condition) => "orEqual" in condition && condition.orEqual)
        .map(({ property }) => property);
    expect(failingAtValue("lt")).toEqual([]);
    expect(failingAtValue("lte")).toEqual(["minimumWipeOsVersion", "minimumWipePatchVersion"]);
  });
});

describe("the hash of rules", () => {
  test("is of everything else in them", () => {
    const { hash, ...content } = rulesOf("ios", { minimumPinLength: 6 });
    expect(hash).toBe(contentHash(content));
  });

  test("is equal for other spellings of the same policy", () => {
    expect(rulesOf("ios", { id: "a", periodOfflineBeforeAccessCheck: "PT12H", periodBeforePinReset: null }).hash).toBe(
      rulesOf("ios", { id: "A", periodOfflineBeforeAccessCheck: "PT720M", periodBeforePinReset: "PT0S" }).hash,
    );
  });

  test("does not depend on the catalogue's version, but on the tenant's settings", () => {
    const hash = (version: number, settings = {}) =>
      resolve({ ...catalogue([policyOf("ios")], { settings }), version }, somebody()).hash;
    expect(hash(1)).toBe(hash(2));
    expect(hash(1)).not.toBe(hash(1, { wipeOnSignOut: false }));
  });

  test("does not depend on the tenant's texts", () => {
    const hash = (settings: object) => rulesOf("ios", {}, settings).hash;
    expect(hash({ messages: { de: { pinEnter: "PIN eingeben." } } })).toBe(hash({}));
  });

  test("does not depend on the order of keys in the document", () =>
    fc.assert(
      fc.property(
        fc.constantFrom("ios" as const, "android" as const),
        fc.dictionary(fc.constantFrom(...GRAPH_PROPERTY_NAMES), valueOfAnyProperty()),
        (platform, properties) => {
          const turned = Object.fromEntries(Object.entries(properties).reverse());
          expect(rulesOf(platform, turned)).toEqual(rulesOf(platform, properties));
        },
      ),
    ));
});

function valueOfAnyProperty() {
  return fc.oneof(
    fc.boolean(),
    fc.integer({ min: 4, max: 16 }),
    fc.constantFrom("PT30M", "P90D", "17.1", "2024-06-01", "block", "wipe", "enabled", "low", "a;b", null),
  );
}

const SAMPLES = new URL("../../../samples/policies/", import.meta.url);

describe("the sample policies", () => {
  const sample = (name: string) => {
    const { policy } = parsePolicy(JSON.parse(readFileSync(new URL(`${name}.json`, SAMPLES), "utf8")));
    const platform = name.includes("ios") ? "ios" : "android";
    return resolve(catalogue([policy]), somebody({ platform }));
  };
  const bound = (rules: ReturnType<typeof rulesOf>, property: string) =>
    rules.conditions.flatMap((condition) =>
      condition.property === property && "value" in condition ? [condition.value] : [],
    );

  const files = readdirSync(SAMPLES, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".json"));

  test.each(files)("%s is understood wholly", (file) => {
    const { items, problems } = readGraphDocuments(JSON.parse(readFileSync(new URL(file, SAMPLES), "utf8")));
    const findings = items.flatMap((item) => ("findings" in item ? item.findings : []));
    expect([problems, findings.filter(({ value }) => value !== undefined)]).toEqual([[], []]);
  });

  test.each([
    ["ios", "17.0", "17.1", { minLength: 8, kind: "numeric" }],
    ["android", "13", "14", { minLength: 8, kind: "passcode" }],
  ])("the %s policy gets stricter at noon", (platform, morningOs, noonOs, noonPin) => {
    const morning = sample(`contoso-${platform}-level2`);
    const noon = sample(`contoso-${platform}-level2-noon`);
    expect(bound(morning, "minimumRequiredOsVersion")).toEqual([morningOs]);
    expect(bound(noon, "minimumRequiredOsVersion")).toEqual([noonOs]);
    expect(morning.pin).toMatchObject({ minLength: 6, kind: "numeric" });
    expect(noon.pin).toMatchObject(noonPin);
    expect(noon.policies).toEqual(morning.policies);
    expect(morning).toMatchObject({
      recheckAfterMs: 30 * MINUTE_MS,
      offline: { blockAfterMs: 720 * MINUTE_MS, wipeAfterMs: 90 * DAY_MS },
      disabledAccount: "block",
    });
  });
});

const FIXTURES = new URL("../../../../shared/fixtures/graph/", import.meta.url);

describe.skipIf(!existsSync(FIXTURES))("Microsoft's level 2 templates", () => {
  test.each(["ios", "android"] as const)("for %s become rules", (platform) => {
    const text = readFileSync(new URL(`${platform}ManagedAppProtection.framework-level2.json`, FIXTURES), "utf8");
    const { policy } = parsePolicy({ ...JSON.parse(text), assignments: [EVERYONE] });
    const rules = resolve(catalogue([policy]), somebody({ platform }));
    const conditions = Object.fromEntries(rules.conditions.map(({ property, action }) => [property, action]));
    expect(rules).toMatchObject({
      pin: { minLength: 4, kind: "numeric", maxAttempts: 5, maxAgeMs: null, biometricTimeoutMs: 720 * MINUTE_MS },
      offline: { blockAfterMs: 720 * MINUTE_MS, wipeAfterMs: 90 * DAY_MS },
      disabledAccount: "block",
    });
    expect(conditions).toEqual({
      minimumRequiredOsVersion: "block",
      deviceComplianceRequired: "block",
      ...(platform === "android" && {
        requiredAndroidSafetyNetDeviceAttestationType: "block",
        requiredAndroidSafetyNetAppsVerificationType: "block",
        deviceLockRequired: "block",
      }),
    });
  });
});
