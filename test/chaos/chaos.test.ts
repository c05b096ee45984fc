/** Three minutes of `npm run chaos`, as everybody runs it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryDirectory } from "../support/cli.js";
import { Run } from "../support/run.js";
import { FAULTS } from "./nemesis.js";
import type { ChaosReport } from "./report.js";

const SEED = 3;
const MINUTES = 3;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let code: number | null;
let report: ChaosReport;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const args = ["--minutes", `${MINUTES}`, "--seed", `${SEED}`, "--directory", directory.path, "--json"];
  const run = new Run("chaos", args);
  code = await run.exitCode();
  report = JSON.parse(run.stdout) as ChaosReport;
}, 9 * 60_000);

afterAll(async () => directory.remove());

test("every promise holds", () => {
  expect(report.violated).toEqual([]);
  expect(report).toMatchObject({ violations: 0, isComplete: true, isChecked: true });
  expect(code).toBe(0);
});

test("at least 40 faults, of every kind", () => {
  const times = Object.values(report.faults);
  expect(times.reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(40);
  expect(Object.keys(report.faults).toSorted()).toEqual(FAULTS.toSorted());
});

test("at least 60,000 events", () => {
  expect(report.events).toBeGreaterThanOrEqual(60_000);
});

test("the report tells seed and minutes, and how long each kind of fault was felt", () => {
  expect(report).toMatchObject({ seed: SEED, recoveryMsMax: Math.max(...Object.values(report.recoveryMs)) });
  expect(report.minutes).toBeGreaterThanOrEqual(MINUTES - 0.1);
  expect(Object.keys(report.recoveryMs)).toEqual(Object.keys(report.faults));
});

test("table and picture stay, data and logs go", async () => {
  const table = await readFile(join(directory.path, "report.txt"), "utf8");
  const picture = await readFile(report.picture, "utf8");
  expect(table).toContain("Every promise held.");
  expect(picture).toMatch(/^<svg .*<\/svg>\n$/s);
  await expect(readFile(join(directory.path, "worker-1.log"))).rejects.toThrow("ENOENT");
});
