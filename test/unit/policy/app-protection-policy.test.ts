import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicy, readAppProtection } from "../../../machines/policy/app-protection-policy.js";
import { GRAPH_PROPERTY_NAMES } from "../../../machines/policy/graph-properties.js";
import { PolicyError } from "../../../machines/policy/policy-error.js";
import { DAY_MS, MINUTE_MS } from "../../../machines/policy/duration.js";
import { graphDocument, policyOf } from "./support.js";

const refusal = (json: unknown): unknown => {
  try {
    return parsePolicy(json);
  } catch (error) {
    return error;
  }
};

const findingsOf = (properties: Record<string, unknown>) => parsePolicy(graphDocument("android", properties)).findings;
const valuesOf = (properties: Record<string, unknown>) =>
  parsePolicy(graphDocument("android", properties)).policy.values;

describe("a policy document", () => {
  test.each([
    ["#microsoft.graph.iosManagedAppProtection", "ios"],
    ["microsoft.graph.iosManagedAppProtection", "ios"],
    ["#microsoft.graph.androidManagedAppProtection", "android"],
    ["androidManagedAppProtection", "android"],
  ])("of type %s is for %s", (type, platform) => {
    expect(parsePolicy({ "@odata.type": type }).policy.platform).toBe(platform);
  });

  test("keeps id and name, the id in lower case", () => {
    const { policy } = parsePolicy(graphDocument("ios", { id: "5BC789CB-89cb", displayName: " Phones " }));
    expect(policy).toMatchObject({ id: "5bc789cb-89cb", name: "Phones" });
  });

  test("without an id is named by its content: the same each time, another for other content", () => {
    const id = (properties: Record<string, unknown>) => policyOf("ios", properties).id;
    expect(id({ minimumPinLength: 6 })).toMatch(/^template-[0-9a-z]{20}$/);
    expect(id({ minimumPinLength: 6 })).toBe(id({ minimumPinLength: 6, description: "not ours" }));
    expect(id({ minimumPinLength: 6 })).not.toBe(id({ minimumPinLength: 7 }));
  });

  test("says nothing about what it leaves out, what we do not know, or what belongs to the other platform", () => {
    const { policy, findings } = parsePolicy(
      graphDocument("ios", {
        "minimumPinLength@odata.type": "#Int32",
        "@odata.id": "deviceAppManagement/…",
        "#microsoft.graph.assign": {},
        somethingNewer: { deep: [1] },
        minimumRequiredPatchVersion: "not even a date",
        printBlocked: true,
      }),
    );
    expect([policy.values, findings]).toEqual([{}, []]);
    expect(policy.unknown).toEqual(["minimumRequiredPatchVersion", "somethingNewer"]);
    expect(policy.deviceOnly).toEqual({ printBlocked: true });
  });

  test("of the tenant's default is for both platforms and needs no assignment", () => {
    const document = { "@odata.type": "#microsoft.graph.defaultManagedAppProtection", appGroupType: "allApps" };
    const { policy, findings } = parsePolicy({ ...document, faceIdBlocked: true, deviceLockRequired: true });
    expect(policy).toMatchObject({ platform: "both", values: { faceIdBlocked: true, deviceLockRequired: true } });
    expect(findings).toEqual([]);
  });
});

describe("values", () => {
  test.each([
    ["minimumPinLength", 6, 6],
    ["pinRequired", false, false],
    ["periodOfflineBeforeAccessCheck", "PT12H", 720 * MINUTE_MS],
    ["periodOfflineBeforeAccessCheck", "PT720M", 720 * MINUTE_MS],
    ["minimumRequiredOsVersion", " 13.0 ", "13.0"],
    ["minimumRequiredPatchVersion", "2024-06-01", "2024-06-01"],
    ["allowedAndroidDeviceManufacturers", "Samsung; google;;SAMSUNG", ["google", "samsung"]],
    ["allowedAndroidDeviceModels", ["Pixel 8", "Pixel 7"], ["pixel 7", "pixel 8"]],
    ["appActionIfSamsungKnoxAttestationRequired", "blockWhenSettingIsSupported", "blockWhenSettingIsSupported"],
    ["fingerprintAndBiometricEnabled", true, true],
    ["wipeAfterCompanyPortalUpdateDeferralInDays", 365, 365],
  ] as const)("%s: %j is understood", (property, raw, value) => {
    expect([valuesOf({ [property]: raw }), findingsOf({ [property]: raw })]).toEqual([{ [property]: value }, []]);
  });

  test.each([
    ["periodBeforePinReset", "PT0S"],
    ["periodBeforePinReset", "P0D"],
    ["periodBeforePinReset", null],
    ["periodOfflineBeforeAccessCheck", null],
    ["minimumRequiredOsVersion", null],
    ["minimumRequiredOsVersion", ""],
    ["minimumRequiredPatchVersion", "0000-00-00"],
    ["blockAfterCompanyPortalUpdateDeferralInDays", 0],
    ["blockAfterCompanyPortalUpdateDeferralInDays", null],
    ["allowedAndroidDeviceManufacturers", ""],
    ["allowedAndroidDeviceManufacturers", " ; "],
    ["allowedAndroidDeviceModels", []],
    ["appActionIfUnableToAuthenticateUser", null],
    ["appActionIfSamsungKnoxAttestationRequired", "none"],
  ])("%s: %j is off", (property, raw) => {
    expect([valuesOf({ [property]: raw }), findingsOf({ [property]: raw })]).toEqual([{ [property]: null }, []]);
  });

  test.each([
    ["pinRequired", null],
    ["minimumPinLength", null],
    ["pinCharacterSet", null],
    ["periodOnlineBeforeAccessCheck", null],
    ["appActionIfDeviceComplianceRequired", null],
  ])("%s: %j is as good as absent, for it can't be off", (property, raw) => {
    expect([valuesOf({ [property]: raw }), findingsOf({ [property]: raw })]).toEqual([{}, []]);
  });

  test.each([
    ["minimumPinLength", 0, 4],
    ["minimumPinLength", "6", 4],
    ["pinRequired", "no", true],
    ["periodOfflineBeforeAccessCheck", "-PT17.1357909S", 1440 * MINUTE_MS],
    ["periodOfflineBeforeWipeIsEnforced", "ninety days", 90 * DAY_MS],
    ["periodOnlineBeforeAccessCheck", "PT0S", 30 * MINUTE_MS],
    ["minimumRequiredOsVersion", "Minimum Required Os Version value", null],
    ["minimumRequiredPatchVersion", "2024-13-01", null],
    ["allowedAndroidDeviceModels", ["Pixel 8", 8], null],
    ["pinCharacterSet", "unknownFutureValue", "numeric"],
  ])("%s: %j is reported and the default used", (property, value, usedInstead) => {
    const { policy, findings } = parsePolicy(graphDocument("android", { [property]: value }));
    expect(findings).toEqual([{ property, value, expected: expect.any(String), usedInstead }]);
    expect(policy.values).toEqual({});
  });

  test.each([
    ["minimumPinLength", 3, "from 4 to 16"],
    ["minimumPinLength", 17, "from 4 to 16"],
    ["minimumPinLength", -1, "from 4 to 16"],
    ["minimumPinLength", 4.5, "a whole number"],
    ["maximumPinRetries", 0, "from 1 to 20"],
    ["maximumPinRetries", 21, "from 1 to 20"],
    ["previousPinBlockCount", 25, "from 0 to 24"],
    ["blockAfterCompanyPortalUpdateDeferralInDays", 366, "from 1 to 365"],
    ["blockAfterCompanyPortalUpdateDeferralInDays", -1, "from 1 to 365"],
    ["periodOfflineBeforeWipeIsEnforced", "P11Y", "at most P3650D"],
    ["periodOnlineBeforeAccessCheck", "P3651D", "at most P3650D"],
  ])("%s: %j is refused, naming property, value and range", (property, value, range) => {
    const error = refusal(graphDocument("android", { [property]: value })) as PolicyError;
    expect(error).toMatchObject({ code: "policy.range", path: `$.${property}` });
    for (const word of [property, JSON.stringify(value), range]) expect(error.message).toContain(word);
  });

  test.each([
    ["appActionIfDeviceComplianceRequired", "unknownFutureValue"],
    ["appActionIfDeviceComplianceRequired", "warn"],
    ["appActionIfMaximumPinRetriesExceeded", "warn"],
    ["appActionIfUnableToAuthenticateUser", "unknownFutureValue"],
    ["appActionIfAccountIsClockedOut", "wipe"],
    ["appActionIfAndroidSafetyNetAppsVerificationFailed", "wipe"],
    ["appActionIfDeviceLockNotSet", 7],
  ])("%s: an action of %j is reported and blocks", (property, value) => {
    const { policy, findings } = parsePolicy(graphDocument("android", { [property]: value }));
    expect(findings).toMatchObject([{ property, value, usedInstead: "block" }]);
    expect(policy.values).toEqual({ [property]: "block" });
  });

  test.each([
    ["requiredAndroidSafetyNetDeviceAttestationType", "basicIntegrityAndDeviceCertification"],
    ["requiredAndroidSafetyNetEvaluationType", "hardwareBacked"],
    ["requiredAndroidSafetyNetAppsVerificationType", "enabled"],
    ["maximumAllowedDeviceThreatLevel", "secured"],
  ])("%s: a check newer than we know is reported and taken at its strictest", (property, usedInstead) => {
    const { policy, findings } = parsePolicy(graphDocument("android", { [property]: "unknownFutureValue" }));
    expect(findings).toMatchObject([{ property, value: "unknownFutureValue", usedInstead }]);
    expect(policy.values).toEqual({ [property]: usedInstead });
  });
});

describe("what is not a policy is refused, saying where and what to do", () => {
  test.each([
    ["text", "policy.not_object", "$"],
    [null, "policy.not_object", "$"],
    [[], "policy.list", "$"],
    [{}, "policy.type_missing", '$["@odata.type"]'],
    [{ "@odata.type": "#microsoft.graph.conditionalAccessPolicy" }, "policy.type_unsupported", '$["@odata.type"]'],
    [{ "@odata.type": 7 }, "policy.type_unsupported", '$["@odata.type"]'],
    [Object.create({ "@odata.type": "iosManagedAppProtection" }), "policy.type_missing", '$["@odata.type"]'],
  ])("%j", (json, code, path) => {
    const error = refusal(json);
    expect(error).toBeInstanceOf(PolicyError);
    expect(error).toMatchObject({ code, path, fix: expect.stringMatching(/\.$/) });
  });
});

describe("whatever comes in", () => {
  test("nothing but a PolicyError is thrown", () =>
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        try {
          parsePolicy(json);
        } catch (error) {
          expect(error).toBeInstanceOf(PolicyError);
        }
      }),
    ));

  test("a policy with any values in any properties is parsed, or refused for its range", () =>
    fc.assert(
      fc.property(
        fc.constantFrom("ios", "android"),
        fc.dictionary(fc.constantFrom("id", "displayName", ...GRAPH_PROPERTY_NAMES), fc.jsonValue()),
        (platform, properties) => {
          const { policy, problems } = readAppProtection(graphDocument(platform, properties), "$");
          expect(policy.platform).toBe(platform);
          expect(problems.every(({ code }) => code === "policy.range")).toBe(true);
        },
      ),
    ));
});
