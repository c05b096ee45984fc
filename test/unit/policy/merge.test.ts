/** Several policies cover one session: setting by setting they become one. */
import { describe, expect, test } from "vitest";
import { failingConditions } from "../../../machines/policy/conditional-launch.js";
import { DAY_MS, MINUTE_MS } from "../../../machines/policy/duration.js";
import { resolve } from "../../../machines/policy/resolve.js";
import type { Platform, Rules } from "../../../machines/policy/rules.js";
import { catalogue, iphone, policyOf, somebody, type SettingsSpec } from "./support.js";

type Properties = Record<string, unknown>;

/** Rules of somebody whom policies that say these things all cover. */
function together(platform: Platform, policies: readonly Properties[], settings: SettingsSpec = {}): Rules {
  const all = policies.map((properties, index) => policyOf(platform, { id: `p${index}`, ...properties }));
  const rules = resolve(catalogue(all, { settings }), somebody({ platform }));
  expect(resolve(catalogue([...all].reverse(), { settings }), somebody({ platform }))).toEqual(rules);
  return rules;
}

const conditions = (...of: Parameters<typeof together>) =>
  together(...of).conditions.map(({ cause: _, ...condition }) => condition);

test("names every policy that had a part in them, by id", () => {
  expect(
    together("ios", [
      { id: "b", displayName: "B" },
      { id: "a", displayName: "A" },
    ]).policies,
  ).toEqual([
    { id: "a", name: "A" },
    { id: "b", name: "B" },
  ]);
});

describe("of what is not a number, the most restrictive counts", () => {
  test.each([
    ["required", [{ pinRequired: false }, { pinRequired: true }], { pin: { minLength: 4 } }],
    ["blocked", [{ simplePinBlocked: false }, { simplePinBlocked: true }], { pin: { simpleBlocked: true } }],
    [
      "kind",
      [{ pinCharacterSet: "numeric" }, { pinCharacterSet: "alphanumericAndSymbol" }],
      { pin: { kind: "passcode" } },
    ],
    [
      "exemption",
      [{ disableAppPinIfDevicePinIsSet: true }, { disableAppPinIfDevicePinIsSet: false }],
      { pin: { exemptWithDeviceLock: false } },
    ],
    [
      "action",
      [{ appActionIfUnableToAuthenticateUser: "warn" }, { appActionIfUnableToAuthenticateUser: "block" }],
      { disabledAccount: "block" },
    ],
    ["biometrics", [{ faceIdBlocked: true }, { faceIdBlocked: false }], { pin: { biometricAllowed: false } }],
  ])("%s", (_what, policies, rules) => expect(together("ios", policies)).toMatchObject(rules));

  test("versions: the newest minimum and the oldest maximum, compared as versions, each action for itself", () => {
    const policies = [
      { minimumRequiredOsVersion: "9.0", minimumWipeOsVersion: "8", maximumRequiredOsVersion: "18" },
      { minimumRequiredOsVersion: "17.1", maximumRequiredOsVersion: "19.2" },
    ];
    expect(conditions("ios", policies)).toMatchObject([
      { property: "minimumWipeOsVersion", value: "8" },
      { property: "minimumRequiredOsVersion", value: "17.1" },
      { property: "maximumRequiredOsVersion", value: "18" },
    ]);
    const patches = [{ minimumRequiredPatchVersion: "2024-06-01" }, { minimumRequiredPatchVersion: "2023-12-01" }];
    expect(conditions("android", patches)).toMatchObject([{ value: "2024-06-01" }]);
  });

  test("threat level: the safest", () => {
    const levels = [{ maximumAllowedDeviceThreatLevel: "low" }, { maximumAllowedDeviceThreatLevel: "secured" }, {}];
    expect(conditions("ios", levels)).toMatchObject([{ kind: "threatLevel", atMost: "secured" }]);
  });

  test("lists of what is allowed: what all of them allow, and nothing where they have nothing in common", () => {
    const models = (...lists: (string | null)[]) =>
      conditions(
        "ios",
        lists.map((allowedIosDeviceModels) => ({ allowedIosDeviceModels })),
      );
    expect(models("iPhone15,2;iPad13,1", "ipad13,1")).toMatchObject([{ allowed: ["ipad13,1"] }]);
    expect(models("iPhone15,2", null)).toMatchObject([{ allowed: ["iphone15,2"] }]);
    expect(models("iPhone15,2", "iPad13,1")).toMatchObject([{ allowed: [] }]);
    const nothing = [{ allowedIosDeviceModels: "iPhone15,2" }, { allowedIosDeviceModels: "iPad13,1" }];
    expect(failingConditions(together("ios", nothing), { posture: iphone })).toMatchObject([
      { cause: "deviceModel", action: "block", expected: "one that every policy allows" },
    ]);
  });

  test("Android's joint biometric switch permits only where nobody leaves the matter open or forbids it", () => {
    const biometricAllowed = (...switches: (boolean | null)[]) =>
      together(
        "android",
        switches.map((value) => ({ fingerprintAndBiometricEnabled: value, fingerprintBlocked: true })),
      ).pin?.biometricAllowed;
    expect([biometricAllowed(true, true), biometricAllowed(true, null), biometricAllowed(true, false)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("an action goes with its condition", () => {
  test("the most restrictive of the policies that have the condition counts", () => {
    const both = [
      { deviceComplianceRequired: true, appActionIfDeviceComplianceRequired: "block" },
      { deviceComplianceRequired: true, appActionIfDeviceComplianceRequired: "wipe" },
    ];
    expect(conditions("ios", both)).toMatchObject([{ kind: "rooted", action: "wipe" }]);
  });

  test("what a policy says beside a condition that it has off is left over, and wipes nobody", () => {
    const one = [
      { deviceComplianceRequired: true, appActionIfDeviceComplianceRequired: "block" },
      { deviceComplianceRequired: false, appActionIfDeviceComplianceRequired: "wipe" },
    ];
    expect(conditions("ios", one)).toMatchObject([{ kind: "rooted", action: "block" }]);
    expect(together("ios", [{ minimumPinLength: 8 }, { pinRequired: false, minimumPinLength: 6 }]).pin?.minLength).toBe(
      8,
    );
  });

  test("of several graces after a shift the shortest counts, and none at all is shorter", () => {
    const grace = (...graces: (string | null)[]) =>
      together(
        "ios",
        graces.map((gracePeriodToBlockAppsDuringOffClockHours) => ({
          appActionIfAccountIsClockedOut: "block",
          gracePeriodToBlockAppsDuringOffClockHours,
        })),
      ).offShift?.graceMs;
    expect([grace("PT10M", "PT15M"), grace("PT10M", null)]).toEqual([10 * MINUTE_MS, 0]);
  });
});

describe("numbers", () => {
  const offline = (durations: readonly (string | null | undefined)[], settings: SettingsSpec = {}) =>
    together(
      "ios",
      durations.map((periodOfflineBeforeAccessCheck) => ({ periodOfflineBeforeAccessCheck })),
      settings,
    ).offline.blockAfterMs;
  const STRICT = { numericConflicts: "mostRestrictive" };

  test("that are equal are no conflict, however they are written", () => {
    expect(offline(["PT12H", "PT720M"])).toBe(720 * MINUTE_MS);
  });

  test("that differ come to the default, or to the most restrictive where the tenant wants it so", () => {
    expect(offline(["PT12H", "PT6H"])).toBe(1440 * MINUTE_MS);
    expect(offline(["PT12H", "PT6H"], STRICT)).toBe(360 * MINUTE_MS);
    const lengths = [{ minimumPinLength: 6 }, { minimumPinLength: 8 }];
    expect(together("ios", lengths).pin?.minLength).toBe(4);
    expect(together("ios", lengths, STRICT).pin?.minLength).toBe(8);
  });

  test("that differ where the default is off come to the most restrictive: off is nobody's number", () => {
    const ages = [{ periodBeforePinReset: "P30D" }, { periodBeforePinReset: "P90D" }];
    expect(together("ios", ages).pin?.maxAgeMs).toBe(30 * DAY_MS);
    const counts = [{ previousPinBlockCount: 3 }, { previousPinBlockCount: 5 }];
    expect(together("ios", counts).pin?.historyCount).toBe(5);
  });

  test("count more than off", () => {
    expect(offline([null, "PT12H"])).toBe(720 * MINUTE_MS);
    expect(offline([null, null])).toBeNull();
  });

  test("of one policy are not weakened by another that does not say", () => {
    expect(offline(["PT12H", undefined])).toBe(720 * MINUTE_MS);
    expect(together("ios", [{ minimumPinLength: 8 }, {}]).pin?.minLength).toBe(8);
  });

  test("that are looser than what another means by not saying do not count", () => {
    expect(offline(["P3D", undefined])).toBe(1440 * MINUTE_MS);
    expect(offline([null, undefined])).toBe(1440 * MINUTE_MS);
  });
});
