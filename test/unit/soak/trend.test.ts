/** What a soak run takes for growth. */
import { describe, expect, test } from "vitest";
import { type Sighting, slopeOf, trends } from "../../soak/trend.js";

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;

/** Half an hour, a look every minute. */
const seen = (figure: string, value: (minute: number) => number): Sighting[] =>
  Array.from({ length: 31 }, (_, minute) => ({ at: minute * MINUTE_MS, figures: new Map([[figure, value(minute)]]) }));

test("the slope is that of the line with the least squares", () => {
  expect(
    slopeOf([
      { at: 0, value: 1 },
      { at: 1, value: 2 },
      { at: 2, value: 6 },
    ]),
  ).toBeCloseTo(2.5);
});

test("what rises steadily grows, and the slope says by how much in an hour", () => {
  const [trend] = trends(seen("rss worker-1", (minute) => 100 * MIB + minute * 4 * MIB));
  expect(trend).toMatchObject({ figure: "rss worker-1", verdict: "grows", slopePerHour: 240 * MIB, rise: 60 * MIB });
});

test("what rose at first and then stays is flat", () => {
  const [trend] = trends(seen("rss worker-1", (minute) => 100 * MIB + Math.min(minute, 10) * 10 * MIB));
  expect(trend).toMatchObject({ verdict: "flat", slopePerHour: 0 });
});

test("a heap that saws is flat", () => {
  const [trend] = trends(seen("heap api-1", (minute) => (40 + (minute % 5) * 10) * MIB));
  expect(trend).toMatchObject({ verdict: "flat" });
});

test("a heap of which ever more is left grows", () => {
  const [trend] = trends(seen("heap api-1", (minute) => (40 + (minute % 5) * 10 + minute * 2) * MIB));
  expect(trend).toMatchObject({ verdict: "grows" });
});

test("keys of a kind that went count as none", () => {
  const sightings = seen("keys queue.wake.job", () => 900).map((sighting, n) =>
    n < 20 ? sighting : { ...sighting, figures: new Map([["memory", 1]]) },
  );
  expect(trends(sightings).find(({ figure }) => figure.startsWith("keys"))).toMatchObject({ last: 0, verdict: "flat" });
});

describe("what is kept up to a bound", () => {
  const log = (each: number): string | undefined =>
    trends(seen("held delivery.delivered", (minute) => minute * each))[0]?.verdict;

  test("may rise to it", () => {
    expect(log(300)).toBe("bounded");
  });

  test("grows beyond it", () => {
    expect(log(400)).toBe("grows");
  });
});

test("the archive is to grow", () => {
  const [trend] = trends(seen("archive", (minute) => minute * MIB));
  expect(trend).toMatchObject({ verdict: "reported", allowed: null });
});
