/** `npm run soak` as everybody runs it, but briefly: whether anything grows takes longer to see. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryDirectory } from "../support/cli.js";
import { Run } from "../support/run.js";
import type { SoakReport } from "./report.js";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let code: number | null;
let report: SoakReport;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const run = new Run("soak", ["--minutes", "0.2", "--seed", "5", "--directory", directory.path, "--json"]);
  code = await run.exitCode();
  report = JSON.parse(run.stdout) as SoakReport;
}, 120_000);

afterAll(async () => directory.remove());

test("runs, and finds nothing wrong", () => {
  expect(report).toMatchObject({ seed: 5, isComplete: true, isJudged: false, grows: [], restarts: 0, wrong: [] });
  expect(report.events).toBeGreaterThan(0);
  expect(code).toBe(0);
});

test("tells the slope of every figure", () => {
  const processes = ["worker-1", "worker-2", "api-1", "api-2"];
  expect(Object.keys(report.slopes)).toEqual(
    expect.arrayContaining([
      ...processes.flatMap((name) => [`rss ${name}`, `heap ${name}`]),
      "rss redis",
      "memory",
      "connections",
      "keys partition.sessions",
      "sessions",
      "journal",
      "archive",
    ]),
  );
  for (const { figure, slopePerHour } of report.figures) expect(report.slopes[figure]).toBe(slopePerHour);
});

test("leaves a picture", async () => {
  expect(await readFile(report.picture, "utf8")).toMatch(/^<svg .*<\/svg>\n$/s);
});
