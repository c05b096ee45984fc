/** The command as a newcomer meets it: a whole Gatehouse with one command, and mistakes that say what to do. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findPrivateRedis } from "../../src/redis/private-server.js";
import { Cli, temporaryDirectory } from "../support/cli.js";
import { runCli } from "../support/run-cli.js";

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
const run = (...args: string[]) => runCli(args, { directory: home.path });

beforeEach(async () => {
  home = await temporaryDirectory();
});
afterEach(() => home.remove());

test("a working copy runs its sources, whatever was built there", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["scripts/gatehouse.mjs", "--version"]);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("an unknown command ends with 2 and names the one that was meant", async () => {
  expect(await run("sesions")).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("Did you mean sessions?"),
  });
});

test("a setting that can't be used is named, as JSON where that was asked for", async () => {
  const { code, stdout, stderr } = await runCli(["health", "--json"], {
    directory: home.path,
    environment: { REDIS_URL: "localhost:6379" },
  });
  expect([code, stderr]).toEqual([2, expect.stringContaining("REDIS_URL")]);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "config.invalid" } });
});

test("up: from nothing to a session's decision, and nothing is left running", async () => {
  const up = new Cli(["up"], { directory: home.path });
  await up.says(/Gatehouse is up/, "stdout");
  const samples = ["samples/policies/contoso-ios-level2.json", "samples/policies/contoso-android-level2.json"];
  expect(await run("policy", "import", ...samples)).toMatchObject({ code: 0 });
  expect((await run("policy", "publish")).stdout).toContain("Version 1 of contoso is in force");
  expect(await run("emit", "samples/streams/first-day.ndjson")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("21 accepted"),
  });

  const decisions = Object.fromEntries(
    await Promise.all(
      ["phone-17 adele", "phone-18 bruno", "phone-19 carla"].map(async (who) => {
        const { stdout } = await run("decide", ...who.split(" "), "--json");
        const { decision, reasons } = JSON.parse(stdout) as { decision: string; reasons: string[] };
        return [who, `${decision} ${reasons[0]}`];
      }),
    ),
  );
  expect(decisions).toEqual({
    "phone-17 adele": "allow access.granted",
    "phone-18 bruno": "deny remediating",
    "phone-19 carla": "deny signedOut.wipeRequested",
  });
  expect(await run("health")).toMatchObject({ code: 0, stdout: expect.stringContaining("healthy") });
  expect((await run("sessions", "--ids")).stdout.trim().split("\n").sort()).toEqual([
    "phone-17/adele",
    "phone-18/bruno",
    "phone-19/carla",
  ]);

  up.process.kill("SIGINT");
  expect((await up.finished()).code).toBe(0);
  expect(await findPrivateRedis(home.path)).toBeUndefined();
  expect(await run("sessions")).toMatchObject({ code: 6, stderr: expect.stringContaining("gatehouse up") });
});
