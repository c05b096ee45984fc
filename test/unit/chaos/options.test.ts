/** What the command lines of chaos and soak runs take. */
import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { positive, seedOf, whole } from "../../chaos/options.js";

test.each(["seven", "-1", "1.5", "", " ", "1e3", "0x10", "1234567890123456"])("%j is no seed", (text) => {
  expect(() => seedOf(text)).toThrow(InvalidArgumentError);
});

test("a seed is a whole number", () => {
  expect([seedOf("0"), seedOf("7"), seedOf("123456789012345")]).toEqual([0, 7, 123_456_789_012_345]);
});

test.each(["", "0", "-3", "soon", "Infinity"])("%j is no duration", (text) => {
  expect(() => positive(text)).toThrow(InvalidArgumentError);
});

test("half a minute is a duration", () => {
  expect(positive("0.5")).toBe(0.5);
});

test.each(["0", "1.5", "11", "many"])("%j is no number of up to ten devices", (text) => {
  expect(() => whole(text, 10)).toThrow("Give a whole number from 1 to 10.");
});
