/** Who is subject to a policy: license, groups, app, platform, management. */
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../machines/policy/app-protection-policy.js";
import type { Catalogue } from "../../../machines/policy/catalogue.js";
import { type ResolveFacts, resolve } from "../../../machines/policy/resolve.js";
import { catalogue, defaultPolicy, EVERYONE, graphDocument, group, notGroup, policyOf, somebody } from "./support.js";

const covering = (of: Catalogue, facts: Partial<ResolveFacts> = {}) =>
  resolve(of, somebody(facts)).policies.map(({ id }) => id);
const covers = (properties: Record<string, unknown>, facts: Partial<ResolveFacts> = {}) =>
  covering(catalogue([policyOf("ios", properties)]), facts).length === 1;
const findings = (properties: Record<string, unknown>) => parsePolicy(graphDocument("ios", properties)).findings;

describe("assignments", () => {
  test.each([
    ["every licensed user", [EVERYONE], [], true],
    ["a group of the user's", [group("g1")], ["g1", "g9"], true],
    ["another group", [group("g1")], ["g9"], false],
    ["nobody", [], ["g1"], false],
    ["a group, except one of the user's", [group("g1"), notGroup("g2")], ["g1", "g2"], false],
    ["everybody, except a group of the user's", [notGroup("g2"), EVERYONE], ["g2"], false],
    ["everybody, except another group", [EVERYONE, notGroup("g3")], ["g2"], true],
    ["only an exclusion", [notGroup("g3")], ["g1"], false],
  ])("to %s", (_whom, assignments, groups, covered) => expect(covers({ assignments }, { groups })).toBe(covered));

  test("name groups without regard to the case of a GUID", () => {
    const id = "BA8E7DED-8b0f-4836-ba06-8ff1ecc5c8ba";
    const facts = { groups: [id.toLowerCase()] };
    expect(covers({ assignments: [group(id)] }, facts)).toBe(true);
    expect(covers({ assignments: [EVERYONE, notGroup(id)] }, facts)).toBe(false);
  });

  test("that are missing, as Graph leaves them out, are taken to mean everybody; a policy that is not assigned, nobody", () => {
    expect(covers({ assignments: undefined })).toBe(true);
    expect(covers({ assignments: undefined, isAssigned: true })).toBe(true);
    expect(covers({ assignments: undefined, isAssigned: false })).toBe(false);
    expect(findings({ assignments: undefined })).toMatchObject([
      { property: "assignments", usedInstead: "every licensed user" },
    ]);
  });

  test.each(["deviceAndAppManagementAssignmentTarget", "allDevicesAssignmentTarget", "somethingNewerTarget"])(
    "to a %s name nobody, and it is said",
    (type) => {
      const assignments = [{ target: { "@odata.type": `microsoft.graph.${type}` } }];
      expect(covers({ assignments })).toBe(false);
      expect(findings({ assignments })).toMatchObject([{ property: "assignments[0].target", usedInstead: "nobody" }]);
    },
  );

  test("with a filter cover whom they could cover, and exclude nobody whom they might not", () => {
    const filter = {
      deviceAndAppManagementAssignmentFilterId: "f1",
      deviceAndAppManagementAssignmentFilterType: "include",
    };
    expect(covers({ assignments: [group("g1", filter)] }, { groups: ["g1"] })).toBe(true);
    expect(covers({ assignments: [EVERYONE, notGroup("g1", filter)] }, { groups: ["g1"] })).toBe(true);
    expect(findings({ assignments: [group("g1", filter), notGroup("g2", filter)] })).toHaveLength(2);
    const none = { ...filter, deviceAndAppManagementAssignmentFilterType: "none" };
    expect(findings({ assignments: [group("g1", none)] })).toEqual([]);
  });
});

test("whoever has no license is subject to no policy; who was never told to have one or not, is", () => {
  expect(covers({}, { licensed: false })).toBe(false);
  expect(covers({}, { licensed: undefined })).toBe(true);
  expect(covering(catalogue([defaultPolicy()]), { licensed: false })).toEqual([]);
});

describe("apps", () => {
  const app = (id: object) => ({ mobileAppIdentifier: id });
  const settings = { apps: { notes: { iosBundleId: "org.contoso.Notes", microsoftApp: true }, todo: {} } };
  const named = (properties: Record<string, unknown>, name: string) =>
    covering(catalogue([policyOf("ios", { appGroupType: undefined, ...properties })], { settings }), { app: name })
      .length === 1;

  test("are named by bundle id, without regard to case", () => {
    const apps = [app({ bundleId: "org.contoso.notes" }), app({ packageId: "com.microsoft.azure" })];
    expect(named({ apps }, "notes")).toBe(true);
    expect(named({ apps }, "azure-mobile")).toBe(false);
    expect(named({ appGroupType: "selectedPublicApps", apps: [] }, "notes")).toBe(false);
  });

  test("that the settings do not know are known by their own name", () => {
    expect(named({ apps: [app({ bundleId: "org.contoso.Wiki" })] }, "org.contoso.wiki")).toBe(true);
    expect(named({ appGroupType: "allMicrosoftApps" }, "org.contoso.wiki")).toBe(false);
  });

  test.each([
    ["allApps", ["azure-mobile", "notes", "todo"]],
    ["allMicrosoftApps", ["azure-mobile", "notes"]],
    ["allCoreMicrosoftApps", ["azure-mobile"]],
  ])("by group: %s", (appGroupType, names) => {
    expect(["azure-mobile", "notes", "todo"].filter((name) => named({ appGroupType }, name))).toEqual(names);
  });

  test.each([{}, { appGroupType: "selectedPublicApps" }, { appGroupType: "unknownFutureValue", apps: [] }])(
    "left out of the document, or unknown: every app, and it is said: %j",
    (properties) => {
      expect(named(properties, "todo")).toBe(true);
      expect(findings({ appGroupType: undefined, ...properties })).toMatchObject([{ usedInstead: "every app" }]);
    },
  );
});

test.each([
  ["unspecified", [true, true]],
  ["mdm", [true, false]],
  ["unmanaged", [false, true]],
  ["unmanaged,mdm", [true, true]],
  ["androidEnterprise, unspecified", [true, false]],
  ["somethingNewer", [true, true]],
  ["mdm,somethingNewer", [true, true]],
])("management level %s", (targetedAppManagementLevels, [enrolled, notEnrolled]) => {
  expect(covers({ targetedAppManagementLevels }, { mdmEnrolled: true })).toBe(enrolled);
  expect(covers({ targetedAppManagementLevels }, { mdmEnrolled: undefined })).toBe(notEnrolled);
});

describe("the tenant's default", () => {
  const fallback = defaultPolicy({ id: "default" });

  test("covers, on either platform, whom no other policy reaches", () => {
    const both = catalogue([fallback, policyOf("ios", { id: "own", assignments: [group("g1"), notGroup("g2")] })]);
    expect(covering(both, { groups: ["g1"] })).toEqual(["own"]);
    expect(covering(both, { groups: [] })).toEqual(["default"]);
    expect(covering(both, { groups: ["g1", "g2"] })).toEqual(["default"]);
    expect(covering(both, { platform: "android", groups: ["g1"] })).toEqual(["default"]);
  });

  test("says on each platform only what that platform has", () => {
    const { conditions } = resolve(catalogue([defaultPolicy({ deviceLockRequired: true })]), somebody());
    expect(conditions).toEqual([]);
  });
});

describe("a user whose groups were never told", () => {
  const unknown = { groups: undefined };
  const held = (assignments: readonly object[], facts: Partial<ResolveFacts> = {}, settings = {}) =>
    resolve(catalogue([policyOf("ios", { assignments })], { settings }), somebody({ ...unknown, ...facts }))
      .membershipUnknown;

  test("is held where they would tell whether a policy covers the session", () => {
    expect(held([group("g1")])).toBe(true);
    expect(held([EVERYONE, notGroup("g1")])).toBe(true);
  });

  test("is not held where they would change nothing", () => {
    expect(held([EVERYONE])).toBe(false);
    expect(held([notGroup("g1")])).toBe(false);
    expect(held([group("g1")], { platform: "android" })).toBe(false);
    expect(held([group("g1")], { licensed: false })).toBe(false);
    expect(held([group("g1")], { groups: [] })).toBe(false);
  });

  test("is taken to be in no group where the tenant wants it so", () => {
    const settings = { unknownMembership: "notTargeted" };
    expect(held([group("g1")], {}, settings)).toBe(false);
    const of = (assignments: readonly object[]) =>
      covering(
        catalogue([policyOf("ios", { assignments })], { settings: { unknownMembership: "notTargeted" } }),
        unknown,
      );
    expect(of([group("g1")])).toEqual([]);
    expect(of([EVERYONE, notGroup("g1")])).toHaveLength(1);
  });
});
