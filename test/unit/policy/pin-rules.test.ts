import { describe, expect, test } from "vitest";
import type { PinDescriptor } from "../../../machines/policy/pin-descriptor.js";
import { pinViolations, storedPinViolations } from "../../../machines/policy/pin-rules.js";
import type { PinRules } from "../../../machines/policy/rules.js";
import { rulesOf } from "./support.js";

function pinRules(overrides: Partial<PinRules> = {}): PinRules {
  const { pin } = rulesOf("ios");
  if (pin === null) throw new Error("a PIN is required by default");
  return { ...pin, ...overrides };
}

const digits = (length: number, overrides: Partial<PinDescriptor> = {}): PinDescriptor => ({
  length,
  kind: "numeric",
  simple: false,
  hasDigit: true,
  hasLetter: false,
  hasSymbol: false,
  matchesHistory: 0,
  ...overrides,
});
const passcode = (has: { digit?: boolean; letter?: boolean; symbol?: boolean }): PinDescriptor => ({
  ...digits(8),
  kind: "passcode",
  hasDigit: has.digit ?? false,
  hasLetter: has.letter ?? false,
  hasSymbol: has.symbol ?? false,
});

describe("a numeric rule", () => {
  test.each([
    ["six digits meet a six-digit rule", pinRules({ minLength: 6 }), digits(6), []],
    ["more digits than asked for are welcome", pinRules({ minLength: 6 }), digits(9), []],
    ["five digits do not", pinRules({ minLength: 6 }), digits(5), ["tooShort"]],
    ["a run or repeat is welcome where simple PINs are", pinRules(), digits(4, { simple: true }), []],
    ["and refused where they are blocked", pinRules({ simpleBlocked: true }), digits(4, { simple: true }), ["simple"]],
    ["a passcode is not digits only", pinRules(), passcode({ digit: true, letter: true }), ["wrongKind"]],
    [
      "nor is a PIN that calls itself numeric and has a letter",
      pinRules(),
      digits(4, { hasLetter: true }),
      ["wrongKind"],
    ],
    [
      "everything wrong is named",
      pinRules({ minLength: 8, simpleBlocked: true }),
      digits(4, { simple: true }),
      ["tooShort", "simple"],
    ],
  ])("%s", (_what, rules, descriptor, violations) => expect(pinViolations(rules, descriptor)).toEqual(violations));
});

describe("a passcode rule", () => {
  const lenient = pinRules({ kind: "passcode" });
  const strict = pinRules({ kind: "passcode", simpleBlocked: true });
  test.each([
    ["a letter is enough", lenient, passcode({ letter: true }), []],
    ["a symbol is enough", lenient, passcode({ digit: true, symbol: true }), []],
    ["digits alone are not", lenient, passcode({ digit: true }), ["needsLetterOrSymbol"]],
    ["a numeric PIN is of the wrong kind", lenient, digits(8), ["wrongKind"]],
    ["without simple PINs it takes all three", strict, passcode({ digit: true, letter: true, symbol: true }), []],
    ["no digit", strict, passcode({ letter: true, symbol: true }), ["needsDigit"]],
    ["no letter", strict, passcode({ digit: true, symbol: true }), ["needsLetter"]],
    ["no symbol", strict, passcode({ digit: true, letter: true }), ["needsSymbol"]],
  ])("%s", (_what, rules, descriptor, violations) => expect(pinViolations(rules, descriptor)).toEqual(violations));
});

describe("history", () => {
  const rules = pinRules({ historyCount: 3 });
  test.each([
    [0, []],
    [1, ["inHistory"]],
    [3, ["inHistory"]],
    [4, []],
  ])("a new PIN used %i PINs ago, of which three count", (matchesHistory, violations) => {
    expect(pinViolations(rules, digits(4, { matchesHistory }))).toEqual(violations);
  });

  test("without a history rule the PIN before may be used again", () => {
    expect(pinViolations(pinRules(), digits(4, { matchesHistory: 1 }))).toEqual([]);
  });

  test("does not count against a PIN that is already in use, though all else does", () => {
    const stored = digits(4, { matchesHistory: 1 });
    expect(storedPinViolations(rules, stored)).toEqual([]);
    expect(storedPinViolations({ ...rules, minLength: 6 }, stored)).toEqual(["tooShort"]);
  });
});
