/** Watching a deployment at work: a real Redis, a real worker, and the commands as processes. */
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import type { DoctorCheck } from "../../src/cli/doctor/check.js";
import type { Stats } from "../../src/cli/stats/report.js";
import { Cli, type Finished, temporaryDirectory } from "../support/cli.js";
import { eventually } from "../support/eventually.js";
import { runCli } from "../support/run-cli.js";

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let redis: PrivateRedis;
let worker: Cli;
let environment: Record<string, string>;
const running: Cli[] = [];

const run = (...args: string[]) => runCli(args, { directory: home.path, environment });
function start(...args: string[]): Cli {
  const cli = new Cli(args, { directory: home.path, environment });
  running.push(cli);
  return cli;
}

async function startWorker(): Promise<void> {
  worker = new Cli(["work"], { directory: home.path, environment });
  await worker.says(/worker is up/);
}

beforeAll(async () => {
  home = await temporaryDirectory();
  redis = await startPrivateRedis({ directory: join(home.path, "redis") });
  environment = { REDIS_URL: redis.url, GATEHOUSE_SECRET_KEY: "0123456789abcdef0123456789abcdef" };
  await startWorker();
  const samples = ["contoso-ios-level2", "contoso-android-level2"].map((name) => `samples/policies/${name}.json`);
  await run("policy", "import", ...samples);
  await run("policy", "publish");
  const { code } = await run("emit", "samples/streams/first-day.ndjson");
  expect(code).toBe(0);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((cli) => cli.stop()));
});
afterAll(async () => {
  await worker.stop();
  await redis.stop();
  await home.remove();
});

let sent = 0;

/** Somebody new, who gets as far as the PIN. */
async function signIn(subject: string): Promise<void> {
  const event = (type: string, data: object) =>
    JSON.stringify({
      specversion: "1.0",
      id: `watching-${sent++}`,
      source: "app://test",
      type,
      subject,
      time: new Date().toISOString(),
      data,
    });
  const input = [
    event("account.signedIn", { platform: "ios", interactive: true }),
    event("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }),
  ].join("\n");
  const { code } = await runCli(["emit", "-"], { directory: home.path, environment, input });
  expect(code).toBe(0);
}

const statsNow = async () => {
  const { code, stdout } = await run("stats", "--json", "--interval", "100ms");
  expect(code).toBe(0);
  return JSON.parse(stdout) as Stats;
};

const objects = ({ stdout }: Pick<Finished, "stdout">) =>
  stdout
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { id: string; kind: string; session: string; from: string; to: string });

describe("gatehouse tail", () => {
  test("tells transitions as they happen, a line each; Ctrl-C ends it well and says how to go on", async () => {
    const tail = start("tail", "--user", "dora");
    await tail.says(/Following/);
    await signIn("phone-30/dora");
    await signIn("phone-31/emil");
    await tail.says(/phone-30\/dora {2}\S+ {2}unenrolled\.\w+ → pinSetup .*enrolled/, "stdout");
    tail.process.kill("SIGINT");
    const { code, stdout, stderr } = await tail.finished();
    expect([code, stdout]).toEqual([0, expect.not.stringContaining("emil")]);
    const [, after = ""] = /--after (\S+)/.exec(stderr) ?? [];
    await signIn("phone-32/dora");
    const next = await run("tail", "--user", "dora", "--after", after, "--no-follow");
    expect([next.code, next.stdout.match(/phone-\d+/g)]).toEqual([0, ["phone-32"]]);
  });

  test("--json: whoever goes on after any line loses nothing and doubles nothing", async () => {
    const whole = objects(await run("tail", "--since", "1h", "--no-follow", "--json"));
    expect(whole.length).toBeGreaterThan(5);
    expect(whole[0]).toMatchObject({
      kind: "transition",
      session: expect.stringContaining("contoso/"),
      from: "unenrolled.checking",
    });
    for (const n of [1, Math.floor(whole.length / 2)]) {
      const begun = objects(await run("tail", "--since", "1h", "--limit", String(n), "--json"));
      const rest = objects(await run("tail", "--after", begun.at(-1)?.id ?? "", "--no-follow", "--json"));
      expect([...begun, ...rest].map(({ session, to }) => `${session} ${to}`).sort()).toEqual(
        whole.map(({ session, to }) => `${session} ${to}`).sort(),
      );
    }
  });

  test("Redis goes away and comes back: it says so, and tells what came meanwhile", async () => {
    const tail = start("tail", "--user", "fred");
    await tail.says(/Following/);
    await redis.stop();
    await tail.says(/Waiting for it/);
    redis = await startPrivateRedis({ directory: join(home.path, "redis") });
    await signIn("phone-40/fred");
    await tail.says(/phone-40\/fred .*→ pinSetup/, "stdout");
    expect(tail.stderr).toContain("Redis answers again");
    expect(tail.stdout.match(/phone-40/g)).toHaveLength(1);
  });

  test.each([
    [["--after", "1.2.3"], 2, "--after is no id that"],
    [["--policy", "no such"], 4, "Contoso iPhones"],
  ])("%j: says what to give", async (args, code, said) => {
    expect(await run("tail", ...args)).toMatchObject({ code, stderr: expect.stringContaining(said) });
  });
});

describe("gatehouse stats", () => {
  test("counts sessions by state, and what became of events", async () => {
    const { stdout } = await run("stats");
    expect(stdout).toMatch(/sessions .*\n {2}unenrolled +\d/);
    expect(stdout).toMatch(/ {2}signedOut +[1-9]/);
    expect(stdout).toMatch(/ {2}backlog +none/);
    const { sessions, processed, redis: server } = await statsNow();
    expect(Object.values(sessions.byState).reduce((sum, n) => sum + n, 0)).toBe(sessions.total);
    expect([processed.applied, server.usedMemoryBytes]).toEqual([expect.any(Number), expect.any(Number)]);
  });

  test("tells what waits while no worker works, in which partition and for how long, and that it is done", async () => {
    await worker.stop();
    await signIn("phone-50/gina");
    await signIn("phone-50/hugo");
    const waiting = await statsNow();
    expect(waiting.backlog).toMatchObject({ events: 4, partitions: 1, oldestWaitMs: expect.any(Number) });
    expect(waiting.backlog.oldestWaitMs).toBeGreaterThan(0);
    expect(waiting.slowest).toMatchObject([{ waiting: 4, waitMs: waiting.backlog.oldestWaitMs }]);
    expect((await run("stats")).stdout).toMatch(/4 events in 1 of 64 partitions, the oldest for/);
    await startWorker();
    await eventually(async () => (await statsNow()).backlog.events).toBe(0);
    expect((await statsNow()).slowest).toEqual([]);
  });

  test("--watch --json: an object each interval, with the rates of what goes on", async () => {
    const watching = start("stats", "--watch", "--json", "--interval", "200ms");
    await watching.says(/\n/, "stdout");
    await signIn("phone-60/ida");
    await watching.says(/"acceptedPerSecond":(?!0,)\d/, "stdout");
    await watching.says(/"effectsPerSecond":(?!0,)\d/, "stdout");
    watching.process.kill("SIGINT");
    expect((await watching.finished()).code).toBe(0);
    const { code, stdout } = await run("stats", "--watch", "--json", "--interval", "100ms", "--count", "3");
    expect([code, stdout.trim().split("\n")]).toMatchObject([0, { length: 3 }]);
  });

  test("--watch where no terminal is: says what to give instead", async () => {
    expect(await run("stats", "--watch")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("--json"),
    });
  });

  test.runIf(process.platform === "linux")(
    "--watch on a terminal: drawn again and again, and Ctrl-C gives the screen back as it was",
    async () => {
      const args = ["stats", "--watch", "--interval", "100ms"];
      const watching = new Cli(args, { directory: home.path, environment, terminal: true });
      running.push(watching);
      await watching.says(/(sessions[^]*){3}/, "stdout");
      // Twice, as a command hears it that npm hands it on to.
      watching.process.stdin?.write("\u0003\u0003");
      const { code, stdout } = await watching.finished();
      expect(code).toBe(0);
      const [begun, left] = [stdout.indexOf("\u001B[?1049h"), stdout.lastIndexOf("\u001B[?25h\u001B[?1049l")];
      expect([begun >= 0, left > stdout.lastIndexOf("\u001B[H")]).toEqual([true, true]);
      expect(stdout.slice(left)).toMatch(/sessions[^]*backlog/);
      // After one look nothing can be said of a rate.
      expect(stdout).toContain("known at the next look");
      expect(stdout).not.toContain("last 0 ms");
    },
  );
});

describe("gatehouse doctor", () => {
  const examined = async () => {
    const { code, stdout } = await run("doctor", "--json");
    const { checks, healthy } = JSON.parse(stdout) as { checks: DoctorCheck[]; healthy: boolean };
    return { code, healthy, of: (name: string) => checks.find((check) => check.name === name) };
  };

  test("all well with a worker at work: 0", async () => {
    const { code, stdout } = await run("doctor");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/ok +workers +1 worker is connected/)]);
    expect(stdout).toMatch(/All well|0 failed/);
  });

  test("the worker is gone: 1, with the partition that stands still and what to do", async () => {
    await worker.stop();
    await signIn("phone-70/jane");
    const { code, stdout } = await run("doctor");
    expect([code, stdout]).toEqual([1, expect.stringMatching(/failed +stuck +\d+ partitions?[^]*→ .*gatehouse work/)]);
    const [{ partition } = { partition: -1 }] = (await statsNow()).slowest;
    expect((await examined()).of("stuck")?.detail).toMatch(new RegExp(`committed in .*\\b${partition}\\b`));
    expect((await examined()).of("workers")).toMatchObject({ level: "warning" });
    await startWorker();
    await eventually(async () => (await examined()).code).toBe(0);
  });

  test("no Redis: 6, as JSON, too", async () => {
    const gone = { ...environment, REDIS_URL: "redis://127.0.0.1:1" };
    const { code, stdout } = await runCli(["doctor", "--json"], { directory: home.path, environment: gone });
    expect([code, JSON.parse(stdout)]).toMatchObject([6, { healthy: false, failed: 1, checks: [{ name: "redis" }] }]);
  });
});
