/** Whom a policy is for, changed in its document as Graph would. */
import { describe, expect, test } from "vitest";
import { type Targets, assignPolicy } from "../../../src/control/assign.js";
import { PolicyKindError, PolicyUnknownError } from "../../../src/control/catalogue-errors.js";
import { EMPTY_CONTENT } from "../../../src/control/catalogue-document.js";
import { findPolicy, storedPolicies } from "../../../src/control/stored-policies.js";
import { FINANCE, IOS_ID, android, content, financeAccess, financeIos, ios } from "./support.js";

const targets = (change: Partial<Targets>): Targets => ({ everyone: false, groups: [], excluded: [], ...change });

function assigned(document: unknown, change: Partial<Targets>, add = false) {
  const [stored] = storedPolicies(content(document));
  if (stored === undefined) throw new Error("no policy");
  return assignPolicy(stored, targets(change), add).policy.targeting;
}

test("what is named replaces what was there, GUIDs in lower case and each once", () => {
  expect(assigned(ios, { groups: [FINANCE.toUpperCase(), FINANCE], excluded: ["guests"] })).toEqual({
    everyone: false,
    includedGroups: [FINANCE],
    excludedGroups: ["guests"],
  });
});

test("or goes beside it, once", () => {
  const { includedGroups, everyone } = assigned(financeIos, { groups: [FINANCE, "managers"], everyone: true }, true);
  expect([includedGroups, everyone]).toEqual([[FINANCE, "managers"], true]);
});

test("nobody is a target, too", () => {
  expect(assigned(ios, {})).toEqual({ everyone: false, includedGroups: [], excludedGroups: [] });
});

test("an assigned policy does not go on saying that it is not", () => {
  const [stored] = storedPolicies(content({ ...ios, isAssigned: false, assignments: [] }));
  const { document } = assignPolicy(stored as NonNullable<typeof stored>, targets({ groups: ["a"] }), false);
  expect(document).toMatchObject({ isAssigned: true, assignments: [{ target: { groupId: "a" } }] });
});

test.each([
  ["the tenant's default", { "@odata.type": "#microsoft.graph.defaultManagedAppProtection", id: "d" }],
  ["conditional access", financeAccess],
])("%s can't be assigned, and the error says what to do", (_, document) => {
  const all = document === financeAccess ? { ...EMPTY_CONTENT, conditionalAccess: [document] } : content(document);
  const [stored] = storedPolicies(all);
  expect(() => assignPolicy(stored as NonNullable<typeof stored>, targets({ everyone: true }), false)).toThrow(
    PolicyKindError,
  );
});

describe("a policy is named by", () => {
  const policies = storedPolicies(content(ios, android, financeIos));
  const found = (named: string) => findPolicy(policies, named).policy.id;

  test.each([IOS_ID, IOS_ID.toUpperCase(), IOS_ID.slice(0, 4), ios["displayName"] as string])("%s", (named) =>
    expect(found(named)).toBe(IOS_ID),
  );

  test("nothing else: the error lists the policies", () => {
    expect(() => found("tablets")).toThrow(PolicyUnknownError);
    expect(() => found("")).toThrow(PolicyUnknownError);
    try {
      found("tablets");
    } catch (error) {
      expect((error as PolicyUnknownError).fix).toContain(IOS_ID);
    }
  });

  test("not what several go by", () => {
    const twins = storedPolicies(content(ios, { ...ios, id: "6f1d2c84-twin" }));
    expect(() => findPolicy(twins, ios["displayName"] as string)).toThrow("names several policies");
    expect(() => findPolicy(twins, "6f1d2c84")).toThrow("names several policies");
    expect(findPolicy(twins, "6f1d2c84-twin").policy.id).toBe("6f1d2c84-twin");
  });
});
