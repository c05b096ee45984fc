/** Objects that say a key twice are found in any JSON, and nothing else is. */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { saysKeyTwice } from "../../src/says-key-twice.js";

const says = (text: string): boolean => saysKeyTwice(text, JSON.parse(text));

describe("keys that are said twice", () => {
  test.prop([fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 1, "\t")])(
    "JSON that was written from a value says every key once",
    (value, space) => {
      expect(says(JSON.stringify(value, undefined, space))).toBe(false);
    },
  );

  test.prop([fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), fc.string(), fc.nat({ max: 3 })])(
    "a key that is said twice, at any depth and with any values, is found",
    (one, other, key, depth) => {
      const name = JSON.stringify(key);
      const object = `{${name}:${JSON.stringify(one)}, ${name} : ${JSON.stringify(other)}}`;
      expect(says(`${'[{"in":'.repeat(depth)}${object}${"}]".repeat(depth)}`)).toBe(true);
    },
  );

  test("the same key in two objects is said once in each", () => {
    expect(says('[{"a":{"a":1}},{"a":"\\"a\\":1"}]')).toBe(false);
  });

  test("a key written with an escape is the same key", () => {
    expect(says('{"a":1,"\\u0061":2}')).toBe(true);
  });
});
