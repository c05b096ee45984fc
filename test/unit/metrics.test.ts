/** Rates: what was counted between looks, over no more than the window. */
import { describe, expect, test } from "vitest";
import { RateWindow } from "../../src/metrics/rates.js";

const at = (seconds: number, processed: number, accepted = processed, effects = 0) => ({
  at: seconds * 1_000,
  accepted,
  processed,
  applied: processed / 2,
  effects,
});

describe("rates", () => {
  test("one look alone tells none", () => {
    expect(new RateWindow(10_000).add(at(5, 400))).toMatchObject({ overMs: 0, processedPerSecond: 0 });
  });

  test("are over the time between the looks", () => {
    const window = new RateWindow(10_000);
    window.add(at(0, 100, 150, 10));
    expect(window.add(at(2, 300, 600, 30))).toEqual({
      overMs: 2_000,
      acceptedPerSecond: 225,
      processedPerSecond: 100,
      appliedPerSecond: 50,
      effectsPerSecond: 10,
    });
  });

  test("what happened before the window counts no more", () => {
    const window = new RateWindow(3_000);
    for (const sample of [at(0, 0), at(1, 1_000), at(2, 1_000), at(3, 1_000)]) window.add(sample);
    expect(window.add(at(4, 1_000))).toMatchObject({ overMs: 3_000, processedPerSecond: 0 });
  });

  test("looks that are further apart than the window are compared all the same", () => {
    const window = new RateWindow(1_000);
    window.add(at(0, 0));
    expect(window.add(at(60, 600))).toMatchObject({ overMs: 60_000, processedPerSecond: 10 });
  });

  test("counters that began anew are no negative rate, and rates go on from there", () => {
    const window = new RateWindow(10_000);
    window.add(at(0, 5_000));
    expect(window.add(at(1, 10))).toMatchObject({ overMs: 0, processedPerSecond: 0 });
    expect(window.add(at(2, 20))).toMatchObject({ overMs: 1_000, processedPerSecond: 10 });
  });
});
