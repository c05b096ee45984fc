/** Hashes that name things in the store. The literal values guard what is already stored: they must never change. */
import { describe, expect, test } from "vitest";
import { fingerprint, partitionOf, sessionKey } from "../../../src/store/session-key.js";

describe("sessionKey", () => {
  test("is 16 characters, the same in every release", () => {
    expect(sessionKey("contoso/device-1/ann/azure-mobile")).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(sessionKey("abc")).toBe("ungWv48Bz-pBQUDe");
  });
});

describe("partitionOf", () => {
  test("is the same in every release", () => {
    expect(partitionOf("a", "b", 4096)).toBe(3520);
  });

  test("spreads devices evenly", () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let device = 0; device < 16_000; device++) {
      const partition = partitionOf("contoso", `device-${device}`, 16);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1_150);
  });

  test.each([0, -1, 1.5, Number.NaN])("refuses %s partitions", (count) => {
    expect(() => partitionOf("t", "d", count)).toThrow(RangeError);
  });
});

describe("fingerprint", () => {
  const base = ["contoso", "https://app", "event-1", '{"a":1}'] as const;

  test("equal events have equal fingerprints", () => {
    expect(fingerprint(...base)).toEqual(fingerprint(...base));
  });

  test("another body changes the body's part alone", () => {
    const other = fingerprint("contoso", "https://app", "event-1", '{"a":2}');
    expect(other.id).toBe(fingerprint(...base).id);
    expect(other.body).not.toBe(fingerprint(...base).body);
  });

  test.each([
    ["another tenant", ["fabrikam", "https://app", "event-1"]],
    ["another source", ["contoso", "https://ap", "event-1"]],
    ["a border moved between source and id", ["contoso", "https://appe", "vent-1"]],
    ["a border moved between tenant and source", ["contosoh", "ttps://app", "event-1"]],
  ] as const)("%s makes another event", (_, [tenant, source, id]) => {
    expect(fingerprint(tenant, source, id, base[3]).id).not.toBe(fingerprint(...base).id);
  });
});
