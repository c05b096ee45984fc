/** Lines of a bulk import: what each says of a user, and what is wrong with one that says nothing usable. */
import { describe, expect, test } from "vitest";
import { LINE_BYTES, readUserLine } from "../../../src/users/user-line.js";

const GUID = "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0";

describe("a line of ours", () => {
  test("says of the user what it names, and nothing of the rest", () => {
    expect(readUserLine({ user: "adele", licensed: false })).toEqual({ user: "adele", facts: { licensed: false } });
    expect(readUserLine({ user: GUID, groups: ["b", "a", "b"], account: "disabled" })).toEqual({
      user: GUID.toLowerCase(),
      facts: { groups: ["a", "b"], account: "disabled" },
    });
  });

  test.each([
    ["no object", 5, []],
    ["no user", { licensed: true }, ["user"]],
    ["a name that can't be one", { user: "adele vance" }, ["user"]],
    ["an unknown field", { user: "adele", licence: true }, ["licence"]],
    ["another word", { user: "adele", account: "off" }, ["account"]],
    ["a text for a truth", { user: "adele", licensed: "true" }, ["licensed"]],
    ["a group that can't be one", { user: "adele", groups: ["a", "b c"] }, ["groups", 1]],
    ["too many groups", { user: "adele", groups: Array.from({ length: 2_001 }, () => "a") }, ["groups"]],
  ])("is refused for %s, saying where", (_what, line, path) => {
    expect(readUserLine(line)).toMatchObject({ path, message: expect.stringMatching(/./) });
  });

  test("may be as large as the most groups make it", () => {
    const line = { user: GUID, groups: Array.from({ length: 2_000 }, () => GUID), licensed: true, account: "enabled" };
    expect(JSON.stringify(line).length).toBeLessThan(LINE_BYTES);
  });
});

describe("a user as Graph exports it", () => {
  test("is read for account, license and groups; whatever else it has is left alone", () => {
    const user = {
      id: GUID,
      displayName: "Adele",
      accountEnabled: false,
      "memberOf@odata.context": "…",
      assignedLicenses: [{ skuId: "x", disabledPlans: [] }],
      memberOf: [
        { "@odata.type": "#microsoft.graph.group", id: "sales", displayName: "Sales" },
        { "@odata.type": "#microsoft.graph.directoryRole", id: "readers" },
      ],
    };
    expect(readUserLine(user)).toEqual({
      user: GUID.toLowerCase(),
      facts: { account: "disabled", licensed: true, groups: ["sales"] },
    });
  });

  test.each([
    ["Enabled", true],
    ["Warning", true],
    ["Suspended", false],
    ["Deleted", false],
  ])("has a license for Intune by its plans, where they are told: %s", (capabilityStatus, licensed) => {
    const assignedPlans = [
      { service: "exchange", capabilityStatus: "Enabled" },
      { service: "SCO", capabilityStatus },
    ];
    expect(readUserLine({ id: "a", assignedLicenses: [{}], assignedPlans })).toMatchObject({ facts: { licensed } });
  });

  test("of whom nothing is told says nothing", () => {
    expect(readUserLine({ id: "a", accountEnabled: null })).toEqual({ user: "a", facts: {} });
  });
});
