import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY_MS, MINUTE_MS, parseDuration } from "../../../machines/policy/duration.js";

describe("ISO 8601 durations become milliseconds", () => {
  test.each([
    ["PT30M", 30 * MINUTE_MS],
    ["PT12H", 720 * MINUTE_MS],
    ["PT720M", 720 * MINUTE_MS],
    ["P90D", 90 * DAY_MS],
    ["P1W", 7 * DAY_MS],
    ["P1M", 30 * DAY_MS],
    ["P1Y", 365 * DAY_MS],
    ["P1DT1M", DAY_MS + MINUTE_MS],
    ["PT0S", 0],
    ["-PT0S", 0],
    ["P0D", 0],
    ["PT1.5S", 1500],
    ["PT1,5S", 1500],
    ["PT35.0018757S", 35_002],
    ["PT0.0001S", 1],
    ["-PT3M", -3 * MINUTE_MS],
  ])("%s", (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each([
    "",
    "P",
    "PT",
    "P1DT",
    "1D",
    "PT5",
    "P1H",
    "PT1D",
    "PT1M1H",
    "pt5m",
    "PT1.5M",
    "12:00:00",
    "P1DT1",
    "PT1S\n!",
  ])("%j is not a duration", (text) => expect(parseDuration(text)).toBeUndefined());

  test("any number of minutes and hours adds up", () =>
    fc.assert(
      fc.property(fc.nat(10_000), fc.nat(10_000), (hours, minutes) => {
        expect(parseDuration(`PT${hours}H${minutes}M`)).toBe((hours * 60 + minutes) * MINUTE_MS);
      }),
    ));
});
