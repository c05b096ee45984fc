/** What is known of a user, change by change. */
import { describe, expect, test } from "vitest";
import {
  type UserEvent,
  type UserRecord,
  changeUser,
  userChanged,
  withFacts,
} from "../../../machines/users/user-record.js";

const NOON = Date.parse("2026-03-02T12:00:00Z");
const GUID = "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0";

const after = (...events: readonly UserEvent[]): UserRecord => {
  let record: UserRecord | undefined;
  for (const event of events) record = changeUser(record, event, NOON, NOON);
  return record as UserRecord;
};

describe("a user's record", () => {
  test.each<[UserEvent, object]>([
    [{ type: "license.granted" }, { licensed: true }],
    [{ type: "license.revoked" }, { licensed: false }],
    [{ type: "account.disabled" }, { account: "disabled" }],
    [{ type: "account.enabled" }, { account: "enabled" }],
    [{ type: "membership.changed", groups: ["sales"] }, { groups: ["sales"] }],
  ])("says what %o says, and nothing more", (event, facts) => {
    const { restrictedAt: _, ...record } = after(event);
    expect(record).toEqual({ version: 1, at: NOON, ...facts });
  });

  test("keeps what later events do not speak of, and counts them", () => {
    expect(after({ type: "license.granted" }, { type: "membership.changed", groups: [] })).toEqual({
      version: 2,
      at: NOON,
      licensed: true,
      groups: [],
    });
  });

  test("has each group once, in order, GUIDs in lower case", () => {
    const { groups } = after({ type: "membership.changed", groups: ["Sales", GUID, GUID.toLowerCase(), "Sales"] });
    expect(groups).toEqual([GUID.toLowerCase(), "Sales"]);
  });

  test("counts an event that says nothing new: a session may have been told otherwise by its app", () => {
    expect(after({ type: "license.granted" }, { type: "license.granted" }).version).toBe(2);
  });

  test("knows when it was changed, by the deployment's clock and not by the producer's", () => {
    expect(changeUser(undefined, { type: "license.granted" }, NOON - 60_000, NOON).at).toBe(NOON);
  });
});

describe("an event that relaxes", () => {
  const disabled = after({ type: "account.disabled" });

  test.each(["account.enabled", "license.revoked"] as const)(
    "%s changes nothing when it is older than the last one that restricted",
    (type) => expect(changeUser(disabled, { type }, NOON - 1, NOON + 1)).toBe(disabled),
  );

  test("counts from the same moment on", () => {
    expect(changeUser(disabled, { type: "account.enabled" }, NOON, NOON + 1)).toMatchObject({
      version: 2,
      account: "enabled",
    });
  });

  test("is not made old by a clock that ran ahead", () => {
    const ahead = changeUser(undefined, { type: "account.disabled" }, NOON + 3_600_000, NOON);
    expect(changeUser(ahead, { type: "account.enabled" }, NOON + 1, NOON + 1).account).toBe("enabled");
  });
});

describe("facts that are imported", () => {
  const known: UserRecord = { version: 3, at: NOON, licensed: true, groups: ["a", "b"], account: "enabled" };

  test("make the next version", () => {
    expect(withFacts(known, { licensed: false }, NOON + 1)).toEqual({
      ...known,
      version: 4,
      at: NOON + 1,
      licensed: false,
    });
    expect(withFacts(undefined, { groups: ["b", "a"] }, NOON)).toEqual({ version: 1, at: NOON, groups: ["a", "b"] });
  });

  test.each([{}, { licensed: true }, { groups: ["b", "a", "b"] }, { account: "enabled" as const }])(
    "make none when they are known: %o",
    (facts) => expect(withFacts(known, facts, NOON + 1)).toBe(known),
  );

  test("that say nothing of somebody who is not known begin no record", () => {
    expect(withFacts(undefined, {}, NOON)).toBeUndefined();
  });

  test("can take every group away", () => expect(withFacts(known, { groups: [] }, NOON)?.groups).toEqual([]));
});

test("a record tells a session all that it says, and nothing else", () => {
  expect(userChanged({ version: 7, at: NOON, restrictedAt: NOON, licensed: false, groups: ["a"] })).toEqual({
    type: "user.changed",
    version: 7,
    licensed: false,
    groups: ["a"],
  });
});
