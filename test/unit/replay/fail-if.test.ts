/** Bounds for pipelines: what they measure, and what is no bound. */
import { describe, expect, test } from "vitest";
import { type FailIf, exceeds, parseFailIf } from "../../../src/replay/fail-if.js";
import { mergeReports } from "../../../src/replay/partition-replay.js";

const report = {
  ...mergeReports([]),
  recordedStates: { active: 900, signedOut: 100 },
  states: { active: 890, signedOut: 110 },
  recordedLockouts: 50,
  lockouts: 65,
  wiped: 2,
};
const found = (text: string) => exceeds(report, parseFailIf(text) as FailIf);

test.each([
  ["signedOut > 109", 110],
  ["signedOut > +9", 10],
  ["signedOut > +0.9%", 1],
  ["signedOut>10.5%", 11],
  ["lockouts > +14", 15],
  ["wiped > 0", 2],
])("%s is exceeded", (text, value) => {
  expect(found(text)).toEqual({ bound: text, value });
});

test.each(["signedOut > 110", "signedOut > +10", "signedOut > +1%", "active > +0", "lockouts > +15", "wiped > 2"])(
  "%s is kept",
  (text) => {
    expect(found(text)).toBeUndefined();
  },
);

describe("what is no bound says so", () => {
  test.each(["", "signedOut", "signedOut < 3", "signedOut > many", "signedOut > -3"])("%j", (text) => {
    expect(parseFailIf(text)).toContain("Give a measure");
  });
  test("an unknown measure, with those that there are", () => {
    expect(parseFailIf("locked_out > 3")).toContain("Give a measure");
    expect(parseFailIf("gone > 3")).toMatch(/gone is no measure\. Give one of unenrolled, .* wiped\./);
  });
});
