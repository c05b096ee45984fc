/** A chaos run that somebody ends: it leaves a report, and no process. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../support/cli.js";
import { eventually } from "../support/eventually.js";
import { Run, alive } from "../support/run.js";
import type { ChaosReport } from "./report.js";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
const running: Run[] = [];

beforeEach(async () => {
  directory = await temporaryDirectory();
});

afterEach(async () => {
  for (const run of running.splice(0)) run.process.kill("SIGKILL");
  await directory.remove();
});

const chaos = (...args: string[]): Run => {
  const run = new Run("chaos", ["--directory", directory.path, "--devices", "10", "--seed", "7", ...args]);
  running.push(run);
  return run;
};

/** At least Redis with its guardian, five processes, and who guards them. */
const STARTED = 8;

const report = async (): Promise<ChaosReport> =>
  JSON.parse(await readFile(join(directory.path, "report.json"), "utf8")) as ChaosReport;

async function atWork(): Promise<{ readonly run: Run; readonly started: readonly number[] }> {
  const run = chaos("--minutes", "5");
  await run.says(/\d s {2}\w+/);
  // One that was killed is started again a moment later.
  await eventually(async () => (await run.descendants()).length).toBeGreaterThanOrEqual(STARTED);
  return { run, started: await run.descendants() };
}

const nothingIsLeftOf = async (run: Run, started: readonly number[]): Promise<void> => {
  await eventually(async () => alive(started)).toEqual([]);
  expect(await run.descendants()).toEqual([]);
};

test("Ctrl-C: what happened until then is checked and reported", async () => {
  const { run, started } = await atWork();
  run.process.kill("SIGINT");
  expect(await run.exitCode()).toBe(130);
  await nothingIsLeftOf(run, started);
  expect(await report()).toMatchObject({ seed: 7, isComplete: false, isChecked: true, violations: 0 });
  expect(await readFile(join(directory.path, "timeline.svg"), "utf8")).toContain("</svg>");
  expect(run.stdout).toContain("Every promise held.");
});

test.each(["SIGTERM", "SIGHUP"] as const)("%s: what was seen until then is reported at once", async (signal) => {
  const { run, started } = await atWork();
  // A terminal that is gone takes no words.
  run.process.stdout?.destroy();
  run.process.stderr?.destroy();
  run.process.kill(signal);
  expect(await run.exitCode()).toBe(130);
  await nothingIsLeftOf(run, started);
  expect(await report()).toMatchObject({ isComplete: false, isChecked: false });
  expect(await readFile(join(directory.path, "report.txt"), "utf8")).toContain("nothing is said of the promises");
});

test("kill -9: what it started ends all the same", async () => {
  const { run, started } = await atWork();
  run.process.kill("SIGKILL");
  await run.exitCode();
  await nothingIsLeftOf(run, started);
});

describe("what can't be", () => {
  test("a seed that does not parse", async () => {
    const run = chaos("--seed", "seven");
    expect(await run.exitCode()).toBe(2);
    expect(run.stderr).toContain("A seed is a whole number");
    expect(run.stdout).toBe("");
  });

  test("a directory that holds something", async () => {
    await writeFile(join(directory.path, "letter.txt"), "dear");
    const run = chaos();
    expect(await run.exitCode()).toBe(2);
    expect(run.stderr).toContain(`${directory.path} is not empty`);
  });

  test("a Redis that is too old: says which one it found", async () => {
    const binaries = join(directory.path, "bin");
    await mkdir(binaries);
    const server = join(binaries, "redis-server");
    await writeFile(server, "#!/bin/sh\necho Redis server v=5.0.14 sha=0 malloc=libc bits=64 build=0\n", {
      mode: 0o755,
    });
    const run = new Run("chaos", ["--json", "--directory", join(directory.path, "run")], { PATH: binaries });
    running.push(run);
    expect(await run.exitCode()).toBe(6);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: "redis.too_old" } });
    expect(run.stderr).toContain(`${server} 5.0.14`);
  });
});
