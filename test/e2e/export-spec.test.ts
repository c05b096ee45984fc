/** `gatehouse export-spec`: what really happened to a session becomes a test that passes by itself, and names nobody. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Cli, temporaryDirectory } from "../support/cli.js";
import { runCli } from "../support/run-cli.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Inside the project, where vitest is found. */
const EXPORTED = `${ROOT}.gatehouse/exported-${process.pid}`;

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let up: Cli;
const run = (...args: string[]) => runCli(args, { directory: home.path });

beforeAll(async () => {
  home = await temporaryDirectory();
  mkdirSync(EXPORTED, { recursive: true });
  up = new Cli(["up"], { directory: home.path });
  await up.says(/Gatehouse is up/, "stdout");
  for (const args of [
    ["policy", "import", "samples/policies/contoso-ios-level2.json", "samples/policies/contoso-android-level2.json"],
    ["policy", "publish"],
    ["emit", "samples/streams/first-day.ndjson"],
  ]) {
    const { code, stderr } = await run(...args);
    expect({ args, code, stderr }).toMatchObject({ code: 0 });
  }
  await vi.waitFor(
    async () =>
      expect(JSON.parse((await run("session", "phone-19/carla", "--json")).stdout)).toMatchObject({ waiting: 0 }),
    { timeout: 30_000, interval: 200 },
  );
});
afterAll(async () => {
  await up.stop();
  await home.remove();
  rmSync(EXPORTED, { recursive: true, force: true });
});

describe("a session's history, exported", () => {
  test.each(["phone-17/adele", "phone-18/bruno", "phone-19/carla"])("%s: a file that passes", async (session) => {
    const { code, stdout, stderr } = await run("export-spec", session);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/\d+ records, \d+ names replaced/),
    });
    expect(stdout).not.toMatch(/phone-1\d|adele|bruno|carla|contoso|level 2/i);
    writeFileSync(`${EXPORTED}/${session.replace("/", "-")}.test.ts`, stdout);
  });

  test("the files run with vitest alone, without a Redis", () => {
    const alias = { "gatehouse/testing": `${ROOT}src/testing/index.ts` };
    const config = { resolve: { alias }, test: { include: ["*.test.ts"], isolate: false } };
    writeFileSync(`${EXPORTED}/vitest.config.ts`, `export default ${JSON.stringify(config)};\n`);
    const { REDIS_URL: _, GATEHOUSE_TEST_REDIS_URL: __, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [`${ROOT}node_modules/vitest/vitest.mjs`, "run", "--root", EXPORTED, "--reporter=json"],
      { encoding: "utf8", env, cwd: ROOT },
    );
    expect({ status, stderr: status === 0 ? "" : stderr + stdout }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ numTotalTests: 3, numPassedTests: 3 });
  });

  test("as JSON it says what went into it", async () => {
    const { stdout } = await run("export-spec", "phone-19/carla", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      session: "contoso/phone-19/carla/azure-mobile",
      records: expect.any(Number),
      steps: expect.any(Number),
      replaced: expect.any(Number),
      source: expect.stringContaining("givenSession("),
    });
  });

  test("a session that there is not ends with 4, and a missing argument with 2", async () => {
    expect(await run("export-spec", "phone-1/nobody")).toMatchObject({
      code: 4,
      stdout: "",
      stderr: expect.stringContaining("session.unknown"),
    });
    expect(await run("export-spec")).toMatchObject({ code: 2 });
  });
});
