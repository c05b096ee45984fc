/** The published schedule: when a delivery is tried again, and what a receiver may ask for. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { RETRY_PAUSES_MS, retryAfterMs, retryPauseMs } from "../../../src/webhooks/schedule.js";
import { judge } from "../../../src/webhooks/webhook-receivers.js";

const UNITS = { s: 1_000, min: 60_000, h: 3_600_000 } as const;

test("is the one that the docs print", () => {
  const page = readFileSync(new URL("../../../docs/webhooks.md", import.meta.url), "utf8");
  const [, printed = ""] = /tried again after \*\*([^*]+)\*\*/.exec(page) ?? [];
  const pauses = [...printed.matchAll(/(\d+) (s|min|h)/g)].map(([, n, unit]) => Number(n) * UNITS[unit as "s"]);
  expect(pauses).toEqual([...RETRY_PAUSES_MS]);
});

test("is up to a fifth longer, by chance, and never shorter", () => {
  RETRY_PAUSES_MS.forEach((pauseMs, n) => {
    expect(retryPauseMs(n + 1, 0)).toBe(pauseMs);
    expect(retryPauseMs(n + 1, 0.999_999)).toBeLessThanOrEqual(pauseMs * 1.2);
    expect(retryPauseMs(n + 1, 0.999_999)).toBeGreaterThan(pauseMs * 1.19);
  });
});

test("ends after the eleventh attempt", () => {
  expect(retryPauseMs(10)).toBeDefined();
  expect(retryPauseMs(11)).toBeUndefined();
});

const NOW = Date.parse("2026-03-02T08:00:00Z");

test.each([
  ["seconds", "120", 120_000],
  ["a date", "Mon, 02 Mar 2026 08:01:00 GMT", 60_000],
  ["more than an hour", "86400", 3_600_000],
  ["a date that has passed", "Mon, 02 Mar 2026 07:00:00 GMT", undefined],
  ["nothing usable", "soon", undefined],
  ["nothing", undefined, undefined],
  ["no wait", "0", undefined],
])("Retry-After with %s", (_, value, pauseMs) => {
  expect(retryAfterMs(value, NOW)).toBe(pauseMs);
});

describe("an answer", () => {
  const answer = { at: NOW, durationMs: 5 };
  test.each([
    [204, undefined, 1, "delivered"] as const,
    [500, "answered 500", 1, "retry"],
    [404, "answered 404", 10, "retry"],
    [500, "answered 500", 11, "spent"],
    [410, "answered 410", 11, "later"],
  ])("%i to attempt %s", (status, why, tried, outcome) => {
    expect(judge({ ...answer, status, ...(why !== undefined && { why }) }, tried)).toMatchObject({ outcome });
  });

  test("that asks for patience pauses the endpoint, and the delivery at least as long", () => {
    const judged = judge({ ...answer, status: 429, why: "answered 429", retryAfter: "600" }, 1);
    expect(judged).toMatchObject({ outcome: "retry", pauseMs: 600_000, againInMs: 600_000 });
    const other = judge({ ...answer, status: 500, why: "answered 500", retryAfter: "600" }, 1);
    expect(other).not.toHaveProperty("pauseMs");
  });
});
