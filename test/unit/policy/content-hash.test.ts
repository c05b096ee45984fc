import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, contentHash } from "../../../machines/policy/content-hash.js";

describe("the content hash", () => {
  test("stays the same in every release: stored sessions name their rules by it", () => {
    expect(contentHash({})).toBe("3ylyap3j0w6xiamfe07v");
    expect(contentHash({ pin: null, list: [1, "zwei", { drei: true }] })).toBe("vrxy6kcqknjyum51injt");
  });

  test("is 20 letters and digits", () =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(contentHash(value)).toMatch(/^[0-9a-z]{20}$/);
      }),
    ));

  test("does not depend on the order of keys, nor on members that are undefined", () => {
    expect(contentHash({ a: 1, b: { c: 2, d: 3 } })).toBe(contentHash({ b: { d: 3, c: 2 }, a: 1, e: undefined }));
  });

  test("depends on the order of a list, on types and on nesting", () => {
    const different = [[1, 2], [2, 1], ["1", 2], [[1], 2], [1, 2, null], { 0: 1, 1: 2 }, "[1,2]", null, {}, []];
    expect(new Set(different.map(contentHash)).size).toBe(different.length);
  });

  test("canonical JSON means the same as JSON", () =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    ));

  test("of 200,000 values that differ in a digit, no two share either half", () => {
    const first = new Set<string>();
    const second = new Set<string>();
    for (let number = 0; number < 200_000; number += 1) {
      const hash = contentHash({ property: "minimumPinLength", number });
      first.add(hash.slice(0, 10));
      second.add(hash.slice(10));
    }
    expect([first.size, second.size]).toEqual([200_000, 200_000]);
  });
});
