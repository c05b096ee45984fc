/** What an administrator is told of how the rules of a session came about. */
import { describe, expect, test } from "vitest";
import { DAY_MS } from "../../../machines/policy/duration.js";
import { explain } from "../../../machines/policy/explain.js";
import { resolve } from "../../../machines/policy/resolve.js";
import { accessPolicy, catalogue, group, policyOf, somebody } from "./support.js";

const A = { id: "a", name: "A" };
const B = { id: "b", name: "B" };
const policy = (id: string, properties: Record<string, unknown>) =>
  policyOf("ios", { id, displayName: id.toUpperCase(), ...properties });

const SHARED = catalogue(
  [
    policy("b", { minimumPinLength: 8, pinCharacterSet: "numeric", printBlocked: true, somethingNewer: 1 }),
    policy("a", { minimumPinLength: 6, pinCharacterSet: "alphanumericAndSymbol", simplePinBlocked: true }),
    policy("c", { assignments: [group("g1")] }),
  ],
  { access: [accessPolicy(["mfa"], { id: "ca" }), accessPolicy(["block"], { id: "off", state: "disabled" })] },
);
const explanation = explain(SHARED, somebody());
const setting = (name: string) => explanation.settings.find(({ property }) => property === name);

test("the rules are the very rules", () => {
  expect(explanation.rules).toEqual(resolve(SHARED, somebody()));
});

test("of each policy it is said whether it covers the session, and why", () => {
  expect(explanation.coverage).toEqual([
    { policy: A, covers: true, why: "every licensed user is included" },
    { policy: B, covers: true, why: "every licensed user is included" },
    { policy: { id: "c", name: "C" }, covers: false, why: "the user is in none of its groups" },
  ]);
});

describe("each setting", () => {
  test("names the policy that it comes from, or the default", () => {
    expect(setting("pinCharacterSet")).toMatchObject({
      value: "alphanumericAndSymbol",
      from: [A],
      rule: "mostRestrictive",
    });
    expect(setting("simplePinBlocked")).toMatchObject({ value: true, from: [A], rule: "asSaid" });
    expect(setting("minimumPinLength")).toMatchObject({ value: 4, from: [], rule: "numericDefault" });
    expect(setting("maximumPinRetries")).toMatchObject({ value: 5, from: [], rule: "default" });
  });

  test("that has no effect says what it would need", () => {
    const off = explain(catalogue([policy("a", { pinRequired: false, minimumPinLength: 8 })]), somebody());
    const length = off.settings.find(({ property }) => property === "minimumPinLength");
    expect(length?.noEffectWithout).toBe("pinRequired");
  });

  test("of the other platform is not among them", () => expect(setting("deviceLockRequired")).toBeUndefined());
});

test("conflicts name the values, whose they are, and what was chosen by which rule", () => {
  expect(explanation.conflicts).toEqual([
    {
      property: "minimumPinLength",
      values: [
        { policy: A, value: 6 },
        { policy: B, value: 8 },
      ],
      chosen: 4,
      rule: "numericDefault",
    },
    {
      property: "pinCharacterSet",
      values: [
        { policy: A, value: "alphanumericAndSymbol" },
        { policy: B, value: "numeric" },
      ],
      chosen: "alphanumericAndSymbol",
      rule: "mostRestrictive",
    },
  ]);
});

test("a default that is stricter than what a policy says is no conflict: nobody said another value", () => {
  const policies = [policy("a", { periodOfflineBeforeAccessCheck: "P3D" }), policy("b", {})];
  const { settings, conflicts } = explain(catalogue(policies), somebody());
  expect(settings.find(({ property }) => property === "periodOfflineBeforeAccessCheck")).toMatchObject({
    value: DAY_MS,
    from: [],
    rule: "mostRestrictive",
  });
  expect(conflicts).toEqual([]);
});

test("what the app enforces on the device, and what nobody knows, is listed", () => {
  expect(explanation.onDevice).toEqual([
    { property: "printBlocked", meaning: expect.any(String), values: [{ policy: B, value: true }] },
  ]);
  expect(explanation.unknown).toEqual([{ property: "somethingNewer", policies: [B] }]);
});

test("of each conditional-access policy it is said what it comes to", () => {
  expect(explanation.conditionalAccess).toMatchObject([
    { policy: { id: "ca" }, state: "enabled", applies: true, evaluated: "here", controls: ["mfa"] },
    { policy: { id: "off" }, state: "disabled", applies: false, evaluated: "nowhere", why: "it is disabled" },
  ]);
});

test("where no policy covers the session, there is no setting to explain", () => {
  expect(explain(SHARED, somebody({ licensed: false })).settings).toEqual([]);
});
