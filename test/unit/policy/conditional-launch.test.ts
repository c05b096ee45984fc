import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failingConditions, judgesPosture, type DeviceFacts } from "../../../machines/policy/conditional-launch.js";
import type { Posture } from "../../../machines/policy/posture.js";
import type { Action, Platform, Rules } from "../../../machines/policy/rules.js";
import { iphone, pixel, rulesOf } from "./support.js";

const DEVICES = { ios: iphone, android: pixel };

/** `property: action` of each failure. */
function verdict(rules: Rules, facts: DeviceFacts): readonly string[] {
  return failingConditions(rules, facts).map(({ property, action }) => `${property}: ${action}`);
}

type Case = readonly [
  what: string,
  policy: Record<string, unknown>,
  device: Partial<Posture>,
  failures: readonly string[],
];

const cases = (platform: Platform, table: readonly Case[]) => {
  test.each(table)("%s", (_what, policy, device, failures) => {
    expect(verdict(rulesOf(platform, policy), { posture: { ...DEVICES[platform], ...device } })).toEqual(failures);
  });
};

describe("version bounds", () => {
  const bounds = { minimumWipeOsVersion: "10.0", minimumRequiredOsVersion: "11.0", minimumWarningOsVersion: "11.1" };
  cases("ios", [
    ["a device above all of them passes", bounds, { osVersion: "11.1" }, []],
    ["one between is warned", bounds, { osVersion: "11.0.9" }, ["minimumWarningOsVersion: warn"]],
    [
      "one below the block is blocked and not warned too",
      bounds,
      { osVersion: "10" },
      ["minimumRequiredOsVersion: block"],
    ],
    ["one below all is wiped and nothing else", bounds, { osVersion: "9.3.5" }, ["minimumWipeOsVersion: wipe"]],
    [
      "a rapid response is newer than its version",
      { minimumRequiredOsVersion: "16.4.1.a" },
      { osVersion: "16.4.1" },
      ["minimumRequiredOsVersion: block"],
    ],
    ["an upper bound lets itself pass", { maximumRequiredOsVersion: "18" }, { osVersion: "18.0.0" }, []],
    [
      "and refuses what is above",
      { maximumRequiredOsVersion: "18" },
      { osVersion: "18.0.1" },
      ["maximumRequiredOsVersion: block"],
    ],
    [
      "an app that is too old",
      { minimumRequiredAppVersion: "6" },
      { appVersion: "5.9" },
      ["minimumRequiredAppVersion: block"],
    ],
    [
      "an SDK that is too old",
      { minimumWipeSdkVersion: "20" },
      { sdkVersion: "19.9" },
      ["minimumWipeSdkVersion: wipe"],
    ],
    [
      "text that is no version can't be called new enough",
      { minimumRequiredOsVersion: "11" },
      { osVersion: "latest" },
      ["minimumRequiredOsVersion: block"],
    ],
    [
      "text that is no version is fine where none is asked for",
      { minimumRequiredAppVersion: "5" },
      { osVersion: "latest" },
      [],
    ],
  ]);
  cases("android", [
    ["a patch of the day asked for passes", { minimumRequiredPatchVersion: "2025-02-05" }, {}, []],
    ["an earlier one fails", { minimumRequiredPatchVersion: "2025-02-06" }, {}, ["minimumRequiredPatchVersion: block"]],
    [
      "a patch that is no date fails",
      { minimumWarningPatchVersion: "2020-01-01" },
      { patchVersion: "February" },
      ["minimumWarningPatchVersion: warn"],
    ],
    [
      "an old Company Portal fails",
      { minimumRequiredCompanyPortalVersion: "5.1" },
      {},
      ["minimumRequiredCompanyPortalVersion: block"],
    ],
  ]);

  test("what the device does not report fails", () => {
    const { sdkVersion: _, ...withoutSdk } = iphone;
    expect(failingConditions(rulesOf("ios", { minimumRequiredSdkVersion: "19" }), { posture: withoutSdk })).toEqual([
      {
        cause: "sdkVersion",
        action: "block",
        property: "minimumRequiredSdkVersion",
        expected: "19 or newer",
        actual: "not reported",
      },
    ]);
  });

  test.each([
    ["lt", []],
    ["lte", ["minimumWipeOsVersion: wipe"]],
  ])("a wipe at the very value follows the tenant's choice: %s", (wipeComparison, failures) => {
    const rules = rulesOf("ios", { minimumWipeOsVersion: "15.0" }, { wipeComparison: wipeComparison as "lt" | "lte" });
    expect(verdict(rules, { posture: { ...iphone, osVersion: "15" } })).toEqual(failures);
  });

  test.each([
    [{ minimumRequiredOsVersion: "17.0" }, "16.2", "17.0 or newer", "16.2"],
    [{ maximumRequiredOsVersion: "16.0" }, "16.2", "16.0 or older", "16.2"],
    [{ minimumRequiredOsVersion: "17.0" }, "beta", "17.0 or newer", '"beta", which is not a version'],
  ])("%j tells the person what is asked for and what is there", (policy, osVersion, expected, actual) => {
    expect(failingConditions(rulesOf("ios", policy), { posture: { ...iphone, osVersion } })).toMatchObject([
      { cause: "osVersion", expected, actual },
    ]);
  });
});

describe("the device itself", () => {
  const rooted = { deviceComplianceRequired: true };
  cases("ios", [
    ["an unmodified device passes", rooted, {}, []],
    ["a jailbroken one fails", rooted, { rooted: true }, ["deviceComplianceRequired: block"]],
    [
      "with the action of the policy",
      { ...rooted, appActionIfDeviceComplianceRequired: "wipe" },
      { rooted: true },
      ["deviceComplianceRequired: wipe"],
    ],
    ["and passes where nobody asks", { deviceComplianceRequired: false }, { rooted: true }, []],
    ["a listed model passes in any letters", { allowedIosDeviceModels: "IPHONE15,2; iPad1,1" }, {}, []],
    [
      "a model that is not listed fails",
      { allowedIosDeviceModels: "iPhone14,1" },
      {},
      ["allowedIosDeviceModels: block"],
    ],
    [
      "a name that only begins alike is not listed",
      { allowedIosDeviceModels: "iPhone15,20" },
      {},
      ["allowedIosDeviceModels: block"],
    ],
  ]);
  cases("android", [
    ["a listed manufacturer passes in any letters", { allowedAndroidDeviceManufacturers: "samsung;GOOGLE" }, {}, []],
    [
      "one that is not listed fails",
      { allowedAndroidDeviceManufacturers: "Samsung", appActionIfAndroidDeviceManufacturerNotAllowed: "wipe" },
      {},
      ["allowedAndroidDeviceManufacturers: wipe"],
    ],
    [
      "a Company Portal that is as old as allowed fails",
      { blockAfterCompanyPortalUpdateDeferralInDays: 30 },
      { portalAgeDays: 30 },
      ["blockAfterCompanyPortalUpdateDeferralInDays: block"],
    ],
    ["a day younger passes", { blockAfterCompanyPortalUpdateDeferralInDays: 30 }, { portalAgeDays: 29 }, []],
  ]);
});

describe("screen lock", () => {
  const anyLock = { deviceLockRequired: true };
  const levels = {
    appActionIfDevicePasscodeComplexityLessThanLow: "wipe",
    appActionIfDevicePasscodeComplexityLessThanMedium: "block",
    appActionIfDevicePasscodeComplexityLessThanHigh: "warn",
  };
  cases("android", [
    ["any lock is one", anyLock, { deviceLock: "low" }, []],
    ["none is none", anyLock, { deviceLock: "none" }, ["deviceLockRequired: block"]],
    ["levels: high passes", levels, { deviceLock: "high" }, []],
    [
      "levels: medium is warned",
      levels,
      { deviceLock: "medium" },
      ["appActionIfDevicePasscodeComplexityLessThanHigh: warn"],
    ],
    [
      "levels: low is blocked",
      levels,
      { deviceLock: "low" },
      ["appActionIfDevicePasscodeComplexityLessThanMedium: block"],
    ],
    ["levels: none is wiped", levels, { deviceLock: "none" }, ["appActionIfDevicePasscodeComplexityLessThanLow: wipe"]],
    [
      "from Android 12 on levels count",
      levels,
      { osVersion: "12", deviceLock: "low" },
      ["appActionIfDevicePasscodeComplexityLessThanMedium: block"],
    ],
    ["on Android 11 any lock meets every level", levels, { osVersion: "11.9", deviceLock: "low" }, []],
    [
      "but none meets no level",
      levels,
      { osVersion: "11", deviceLock: "none" },
      ["appActionIfDevicePasscodeComplexityLessThanLow: wipe"],
    ],
    [
      "on a version that can't be read levels count",
      levels,
      { osVersion: "R", deviceLock: "low" },
      ["appActionIfDevicePasscodeComplexityLessThanMedium: block"],
    ],
  ]);
});

describe("Play Integrity", () => {
  const check = (type: string, action: Action = "block") => ({
    requiredAndroidSafetyNetDeviceAttestationType: type,
    appActionIfAndroidSafetyNetDeviceAttestationFailed: action,
  });
  const device = check("basicIntegrityAndDeviceCertification");
  const property = "requiredAndroidSafetyNetDeviceAttestationType";
  cases("android", [
    ["a stronger verdict passes", device, { integrity: "strong" }, []],
    ["the very verdict passes", device, { integrity: "device" }, []],
    ["a weaker one fails", device, { integrity: "basic" }, [`${property}: block`]],
    ["none fails the basic check", check("basicIntegrity", "wipe"), { integrity: "none" }, [`${property}: wipe`]],
    [
      "a device that can't do the strong check fails it",
      { ...device, requiredAndroidSafetyNetEvaluationType: "hardwareBacked" },
      { integrity: "device" },
      [`${property}: block`],
    ],
    [
      "without Play Services even a warning blocks",
      check("basicIntegrity", "warn"),
      { integrity: "unavailable" },
      [`${property}: block`],
    ],
    [
      "without Play Services the app scan blocks too",
      {
        requiredAndroidSafetyNetAppsVerificationType: "enabled",
        appActionIfAndroidSafetyNetAppsVerificationFailed: "warn",
      },
      { integrity: "unavailable", appScan: true },
      ["requiredAndroidSafetyNetAppsVerificationType: block"],
    ],
    ["without Play Services nothing happens where neither is asked for", {}, { integrity: "unavailable" }, []],
  ]);

  const rules = rulesOf("android", device);
  const { integrity: _, ...unasked } = pixel;
  const requestFailed: Posture = { ...pixel, integrity: "requestFailed" };

  test("no verdict yet is no failure: the app goes on and asks", () => {
    expect(failingConditions(rules, { posture: unasked })).toEqual([]);
  });

  test("the last verdict counts where a report has none", () => {
    expect(verdict(rules, { posture: unasked, integrity: { verdict: "none" } })).toEqual([`${property}: block`]);
  });

  test("the last verdict counts while requests fail", () => {
    expect(verdict(rules, { posture: requestFailed, integrity: { verdict: "strong" } })).toEqual([]);
    expect(verdict(rules, { posture: requestFailed, integrity: { verdict: "none" } })).toEqual([`${property}: block`]);
  });

  test.each([
    ["the last verdict is too old", { integrity: { verdict: "strong" }, integrityIsStale: true }],
    ["there never was one", {}],
  ] as const)("a failed request blocks until a fresh verdict when %s", (_what, facts) => {
    expect(failingConditions(rules, { posture: requestFailed, ...facts })).toMatchObject([
      { cause: "integrityStale", action: "block", property },
    ]);
  });

  test("a fresh verdict counts, however old the last one is", () => {
    expect(verdict(rules, { posture: pixel, integrity: { verdict: "none" }, integrityIsStale: true })).toEqual([]);
  });
});

describe("app scan and Knox", () => {
  const scan = { requiredAndroidSafetyNetAppsVerificationType: "enabled" };
  const knox = (action: string) => ({ appActionIfSamsungKnoxAttestationRequired: action });
  const knoxFails = (action: Action) => [`appActionIfSamsungKnoxAttestationRequired: ${action}`];
  cases("android", [
    ["a scan that is on passes", scan, { appScan: true }, []],
    ["a scan that is off fails", scan, { appScan: false }, ["requiredAndroidSafetyNetAppsVerificationType: block"]],
    ["Knox that passed passes", knox("wipe"), { knox: "passed" }, []],
    ["Knox that failed fails", knox("wipe"), { knox: "failed" }, knoxFails("wipe")],
    ["a device without Knox fails", knox("warn"), { knox: "unsupported" }, knoxFails("warn")],
    ["except where only devices with Knox are asked", knox("blockWhenSettingIsSupported"), { knox: "unsupported" }, []],
    ["which must pass", knox("blockWhenSettingIsSupported"), { knox: "failed" }, knoxFails("block")],
  ]);

  test.each(["appScan", "knox", "portalAgeDays", "portalVersion", "patchVersion"] as const)(
    "%s that is asked for and not reported fails",
    (field) => {
      const rules = rulesOf("android", {
        ...scan,
        ...knox("blockWhenSettingIsSupported"),
        blockAfterCompanyPortalUpdateDeferralInDays: 30,
        minimumRequiredCompanyPortalVersion: "5",
        minimumRequiredPatchVersion: "2025-01-01",
      });
      const { [field]: _, ...posture } = pixel;
      expect(failingConditions(rules, { posture: pixel })).toEqual([]);
      expect(failingConditions(rules, { posture })).toMatchObject([{ action: "block", actual: "not reported" }]);
    },
  );
});

describe("threat level", () => {
  const limits = ["secured", "low", "medium", "high"] as const;
  const levels = [...limits, "unknown"] as const;
  const rulesUpTo = (limit: string) => rulesOf("ios", { maximumAllowedDeviceThreatLevel: limit });

  test("passes up to the limit and fails above it; unknown is above every limit", () => {
    for (const limit of limits) {
      const passing = levels.filter(
        (threatLevel) => verdict(rulesUpTo(limit), { posture: iphone, threatLevel }).length === 0,
      );
      expect(passing).toEqual(limits.slice(0, limits.indexOf(limit) + 1));
    }
  });

  test("a device that was never rated fails even the widest limit, which asks for a rating", () => {
    expect(failingConditions(rulesUpTo("high"), { posture: iphone })).toMatchObject([{ actual: "not reported" }]);
  });

  test("a level that is known is judged before the device reports anything, one that is not waits", () => {
    expect(verdict(rulesUpTo("low"), { threatLevel: "high" })).toEqual(["maximumAllowedDeviceThreatLevel: block"]);
    expect(verdict(rulesUpTo("low"), {})).toEqual([]);
  });
});

describe("several failures", () => {
  test("come wipe before block before warn, and within one action in reporting order", () => {
    const rules = rulesOf("ios", {
      minimumWarningSdkVersion: "99",
      minimumRequiredAppVersion: "99",
      minimumRequiredOsVersion: "99",
      deviceComplianceRequired: true,
      appActionIfDeviceComplianceRequired: "wipe",
      maximumAllowedDeviceThreatLevel: "secured",
    });
    expect(verdict(rules, { posture: { ...iphone, rooted: true }, threatLevel: "low" })).toEqual([
      "deviceComplianceRequired: wipe",
      "minimumRequiredAppVersion: block",
      "minimumRequiredOsVersion: block",
      "maximumAllowedDeviceThreatLevel: block",
      "minimumWarningSdkVersion: warn",
    ]);
  });

  test("a list that was handed out is never changed by the next judgement", () => {
    const rules = rulesOf("ios", { minimumRequiredOsVersion: "99" });
    const first = failingConditions(rules, { posture: iphone });
    failingConditions(rules, { posture: { ...iphone, osVersion: "100" } });
    expect(first).toHaveLength(1);
  });
});

describe("doubt takes access away, never data", () => {
  const { sdkVersion: _, ...withoutSdk } = iphone;
  test.each([
    ["a version that is not reported", { minimumWipeSdkVersion: "19" }, { posture: withoutSdk }],
    ["a version that can't be read", { minimumWipeOsVersion: "15" }, { posture: { ...iphone, osVersion: "beta" } }],
    [
      "a lock whose level means nothing, for the system's version can't be read",
      { appActionIfDevicePasscodeComplexityLessThanHigh: "wipe" },
      { posture: { ...pixel, osVersion: "R", deviceLock: "low" } },
    ],
    [
      "a threat level that is unknown",
      { maximumAllowedDeviceThreatLevel: "low", mobileThreatDefenseRemediationAction: "wipe" },
      { posture: iphone, threatLevel: "unknown" },
    ],
    [
      "a threat level that was never reported",
      { maximumAllowedDeviceThreatLevel: "low", mobileThreatDefenseRemediationAction: "wipe" },
      { posture: iphone },
    ],
  ] as const)("%s blocks where the action is wipe", (_what, policy, facts) => {
    const platform = facts.posture.manufacturer === pixel.manufacturer ? "android" : "ios";
    expect(failingConditions(rulesOf(platform, policy), facts)).toMatchObject([{ action: "block" }]);
  });

  test("what is known for certain wipes", () => {
    const rules = rulesOf("ios", {
      minimumWipeOsVersion: "15",
      maximumAllowedDeviceThreatLevel: "low",
      mobileThreatDefenseRemediationAction: "wipe",
    });
    expect(verdict(rules, { posture: { ...iphone, osVersion: "14" }, threatLevel: "high" })).toEqual([
      "minimumWipeOsVersion: wipe",
      "maximumAllowedDeviceThreatLevel: wipe",
    ]);
  });
});

describe("whether a report is needed before anybody is called compliant", () => {
  test.each([
    ["nothing is asked for", {}, false],
    ["a bound only warns", { minimumWarningOsVersion: "17" }, false],
    ["a bound blocks", { minimumRequiredOsVersion: "17" }, true],
    ["a bound wipes", { minimumWipeOsVersion: "17" }, true],
    ["threat levels are limited", { maximumAllowedDeviceThreatLevel: "high" }, true],
    [
      "an integrity check only warns, but blocks without Play Services",
      {
        requiredAndroidSafetyNetDeviceAttestationType: "basicIntegrity",
        appActionIfAndroidSafetyNetDeviceAttestationFailed: "warn",
      },
      true,
    ],
  ])("when %s: %j", (_what, policy, needed) => expect(judgesPosture(rulesOf("android", policy))).toBe(needed));

  test("without one no condition on the device fails", () => {
    const everything = {
      minimumRequiredOsVersion: "99",
      minimumRequiredPatchVersion: "2099-01-01",
      deviceComplianceRequired: true,
      deviceLockRequired: true,
      allowedAndroidDeviceManufacturers: "Nobody",
      requiredAndroidSafetyNetDeviceAttestationType: "basicIntegrity",
      requiredAndroidSafetyNetAppsVerificationType: "enabled",
      appActionIfSamsungKnoxAttestationRequired: "wipe",
    };
    expect(failingConditions(rulesOf("android", everything), { integrity: { verdict: "none" } })).toEqual([]);
  });
});

describe("a stricter policy never makes a device better", () => {
  const version = fc.tuple(fc.nat(3), fc.nat(3)).map((parts) => parts.join("."));
  const compare = (a: string, b: string) => Number(a.replace(".", "")) - Number(b.replace(".", ""));
  const severity = { warn: 1, block: 2, wipe: 3 };
  /** Severity by cause. */
  const bySeverity = (rules: Rules, posture: Posture) =>
    new Map(failingConditions(rules, { posture }).map(({ cause, action }) => [cause, severity[action]]));

  const tightenings = fc.oneof(
    fc.record({
      property: fc.constantFrom("minimumRequiredOsVersion", "minimumWarningOsVersion", "minimumWipeAppVersion"),
      values: fc.tuple(version, version).map((two) => two.toSorted(compare)),
    }),
    fc.record({
      property: fc.constantFrom("maximumRequiredOsVersion", "maximumWipeOsVersion"),
      values: fc.tuple(version, version).map((two) => two.toSorted(compare).toReversed()),
    }),
    fc.record({
      property: fc.constant("minimumRequiredPatchVersion"),
      values: fc.constant(["2024-01-01", "2025-03-01"]),
    }),
    fc.record({ property: fc.constant("blockAfterCompanyPortalUpdateDeferralInDays"), values: fc.constant([60, 2]) }),
    fc.record({ property: fc.constant("deviceComplianceRequired"), values: fc.constant([false, true]) }),
    fc.record({
      property: fc.constant("allowedAndroidDeviceManufacturers"),
      values: fc.constant(["google;samsung", "samsung"]),
    }),
    fc.record({
      property: fc.constant("requiredAndroidSafetyNetDeviceAttestationType"),
      values: fc.constant(["basicIntegrity", "basicIntegrityAndDeviceCertification"]),
    }),
    fc.record({
      property: fc.constantFrom(
        "appActionIfDevicePasscodeComplexityLessThanMedium",
        "appActionIfDevicePasscodeComplexityLessThanHigh",
      ),
      values: fc.constantFrom([null, "warn"], ["warn", "block"], ["block", "wipe"]),
    }),
  );
  const others = fc.record(
    {
      minimumRequiredOsVersion: version,
      minimumWarningOsVersion: version,
      minimumWipeOsVersion: version,
      maximumRequiredOsVersion: version,
      minimumRequiredAppVersion: version,
      deviceLockRequired: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const devices = fc.record({
    osVersion: fc.oneof(version, fc.constant("beta")),
    appVersion: version,
    rooted: fc.boolean(),
    deviceLock: fc.constantFrom("none", "low", "medium", "high"),
    integrity: fc.constantFrom("none", "basic", "device", "strong", "unavailable"),
  });

  test("every cause that stood still stands, at least as severe", () =>
    fc.assert(
      fc.property(others, tightenings, devices, (policy, { property, values }, device) => {
        const posture: Posture = { ...pixel, ...device };
        const before = bySeverity(rulesOf("android", { ...policy, [property]: values[0] }), posture);
        const after = bySeverity(rulesOf("android", { ...policy, [property]: values[1] }), posture);
        for (const [cause, severe] of before) expect(after.get(cause) ?? 0).toBeGreaterThanOrEqual(severe);
      }),
      { numRuns: 1000 },
    ));
});
