/** Watching a deployment at work: a real Redis, a real worker, and the commands as processes. */
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { Cli, type Finished, runCli, temporaryDirectory } from "../support/cli.js";

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
    expect(whole[0]).toMatchObject({ kind: "transition", session: expect.stringContaining("contoso/"), from: "unenrolled.checking" });
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
