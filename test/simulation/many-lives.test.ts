/** A thousand lives in which everything goes wrong break no promise, and whoever breaks one on purpose is found out. */
import { beforeAll, describe, expect, test } from "vitest";
import { PLANTED } from "./planted.js";
import { simulateCommand } from "./program.js";

interface Answer {
  readonly seeds: number;
  readonly events: number;
  readonly faults: number;
  readonly violations: number;
  readonly violated: readonly unknown[];
  readonly faultsByKind: Readonly<Record<string, number>>;
  readonly planted: readonly { readonly bug: string; readonly foundAtSeed: number | null }[];
}

let code: number;
let answer: Answer;

beforeAll(async () => {
  const finished = await simulateCommand("--seeds", "1000", "--planted", "--json");
  ({ code } = finished);
  answer = JSON.parse(finished.stdout) as Answer;
});

test("every promise holds in each of them", () => {
  expect(answer.violated).toEqual([]);
  expect(answer).toMatchObject({ seeds: 1_000, violations: 0 });
  expect(code).toBe(0);
});

test("they are lives worth asking: hundreds of events each, and dozens of faults of every kind", () => {
  expect(answer.events).toBeGreaterThan(300_000);
  expect(answer.faults).toBeGreaterThan(20_000);
  for (const [kind, times] of Object.entries(answer.faultsByKind)) expect([kind, times > 100]).toEqual([kind, true]);
});

describe("a planted bug is found", () => {
  test.each(Object.keys(PLANTED))("%s", (bug) => {
    const found = answer.planted.find((one) => one.bug === bug);
    expect(found?.foundAtSeed).toBeGreaterThanOrEqual(1);
    expect(found?.foundAtSeed).toBeLessThanOrEqual(1_000);
  });
});
