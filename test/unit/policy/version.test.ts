import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareVersions, parseVersion, type Version } from "../../../machines/policy/version.js";

function read(text: string): Version {
  const version = parseVersion(text);
  if (version === undefined) throw new Error(`${text} is not a version`);
  return version;
}
const compare = (a: string, b: string): number => Math.sign(compareVersions(read(a), read(b)));

describe("versions are compared part by part, as numbers", () => {
  test.each([
    ["9", "<", "10"],
    ["16.4", "<", "16.10"],
    ["17", "=", "17.0.0"],
    ["17.0", "<", "17.0.1"],
    ["10.0.19041.1", ">", "10.0.19041"],
    ["16.4.1", "<", "16.4.1.a"],
    ["16.4.1.a", "<", "16.4.1.b"],
    ["16.4.1.a", "<", "16.4.2"],
    ["16.4.1 (a)", "=", "16.4.1.A"],
    ["16.4.a", "=", "16.4.0.a"],
    [" 17.1 ", "=", "17.1"],
    ["007", "=", "7"],
  ])("%s %s %s", (a, relation, b) => {
    expect(compare(a, b)).toBe(relation === "<" ? -1 : relation === ">" ? 1 : 0);
    expect(compare(b, a)).toBe(relation === "<" ? 1 : relation === ">" ? -1 : 0);
  });

  test.each([
    "",
    " ",
    "beta",
    "17.",
    ".17",
    "17..1",
    "-1",
    "1.2-rc1",
    "17.4.ab",
    "1,2",
    "Version value",
    "9".repeat(10),
  ])("%j is not a version", (text) => expect(parseVersion(text)).toBeUndefined());
});

// Few different numbers, so that equal parts and equal versions occur.
const versions = fc
  .tuple(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }), fc.constantFrom("", ".a", ".b"))
  .map(([parts, suffix]) => parts.join(".") + suffix);

describe("comparison is a total order", () => {
  test("any two versions compare, and turning them round turns the answer round", () =>
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        expect(compare(a, b) + compare(b, a)).toBe(0);
        expect(compare(a, a)).toBe(0);
      }),
    ));

  test("it is transitive", () =>
    fc.assert(
      fc.property(fc.tuple(versions, versions, versions), (three) => {
        const [low, middle, high] = three.toSorted(compare);
        expect(compare(low!, middle!)).toBeLessThanOrEqual(0);
        expect(compare(middle!, high!)).toBeLessThanOrEqual(0);
        expect(compare(low!, high!)).toBeLessThanOrEqual(0);
      }),
    ));

  test("no text makes it throw", () =>
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseVersion(text)).not.toThrow();
      }),
    ));
});
