/**
 * The whole program on a cluster, as people run it, with the Redis user that docs/running.md describes: a command whose keys lie on
 * different nodes, or that asks one node for what all of them have, fails here.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createProgram } from "../../src/cli/program.js";
import { Cli, type CliOptions, temporaryDirectory } from "../support/cli.js";
import { eventually } from "../support/eventually.js";
import { WebhookReceiver } from "../support/receiver.js";
import { type RedisCluster, startCluster } from "../support/redis-cluster.js";

const PASSWORD = "correct-horse-battery";

let cluster: RedisCluster;
let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let receiver: WebhookReceiver;
let options: CliOptions;
const running: Cli[] = [];

beforeAll(async () => {
  cluster = await startCluster();
  home = await temporaryDirectory();
  receiver = await WebhookReceiver.start();
  const page = readFileSync(fileURLToPath(new URL("../../docs/running.md", import.meta.url)), "utf8");
  const [, rule = ""] = /^ACL SETUSER (gatehouse .*)$/m.exec(page) ?? [];
  for (const { redis } of cluster.servers)
    await redis.call("ACL", ["SETUSER", ...rule.replace("PASSWORD", PASSWORD).split(" ")]);
  options = {
    directory: home.path,
    environment: {
      REDIS_CLUSTER: cluster.addresses
        .slice(0, 3)
        .map((address) => address.replace("//", `//gatehouse:${PASSWORD}@`))
        .join(","),
      GATEHOUSE_SECRET_KEY: "0123456789abcdef0123456789abcdef",
      GATEHOUSE_WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8",
      GATEHOUSE_ARCHIVE_DIR: join(home.path, "archive"),
    },
  };
  for (const [name, value] of Object.entries({ ...options.environment, GATEHOUSE_DIRECTORY: home.path }))
    vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all(running.map((cli) => cli.stop()));
  await receiver?.stop();
  await cluster?.stop();
  await home?.remove();
});

async function start(command: string, isUp: RegExp, where: "stdout" | "stderr"): Promise<RegExpExecArray> {
  const cli = new Cli([command], options);
  running.push(cli);
  return cli.says(isUp, where);
}

/** In this process, which has loaded everything once: there are many of them. */
async function run(...args: readonly string[]): Promise<Record<string, unknown>> {
  let printed = "";
  const written = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  try {
    await (await createProgram(args[0])).parseAsync([...args, "--json"], { from: "user" });
  } finally {
    written.mockRestore();
  }
  expect({ args, exitCode: process.exitCode ?? 0 }).toEqual({ args, exitCode: 0 });
  return JSON.parse(printed) as Record<string, unknown>;
}

const sample = (path: string): string => fileURLToPath(new URL(`../../samples/${path}`, import.meta.url));

test("workers and the API run on it, and every command works", { timeout: 240_000 }, async () => {
  const [[, url = ""]] = await Promise.all([
    start("serve", /The API listens on (\S+),/, "stdout"),
    start("work", /worker is up/, "stderr"),
  ]);
  const { key } = await run("keys", "create", "--name", "test", "--scope", "emit", "--scope", "decide");
  await run("webhooks", "add", receiver.url);
  await run("policy", "import", sample("policies/contoso-ios-level2.json"));
  await run("policy", "publish");
  expect(await run("emit", sample("streams/first-day.ndjson"))).toMatchObject({ accepted: 21 });
  await eventually(async () => receiver.requests.length).toBeGreaterThan(0);

  const asked = await fetch(`${url}/v1/decision?device=phone-17&user=adele`, {
    headers: { authorization: `Bearer ${String(key)}` },
  });
  expect(asked.status).toBe(200);
  const ready = await fetch(`${url}/readyz`);
  expect({ status: ready.status, body: await ready.json() }).toMatchObject({ status: 200, body: { durability: "D1" } });

  const decision = await run("decide", "phone-17", "adele");
  const stats = await run("stats");
  const doctor = await run("doctor");
  for (const command of [
    ["health"],
    ["sessions"],
    ["history", "phone-17/adele"],
    ["verify"],
    ["replay"],
    ["users", "show", "adele"],
    ["archive", "run"],
    ["audit"],
    ["reconcile"],
  ])
    await run(...command);
  expect(decision).toMatchObject({ session: "contoso/phone-17/adele/azure-mobile" });
  expect(stats).toMatchObject({ redis: { servers: 3, durability: "D1" } });
  const checks = (doctor as { checks: { name: string; level: string; detail: string }[] }).checks;
  expect(checks.filter(({ level }) => level === "failed")).toEqual([]);
  expect(checks.find(({ name }) => name === "workers")?.detail).toBe("1 worker is connected");

  const file = join(home.path, "all.backup");
  await run("backup", file);
  // As an administrator of Redis.
  vi.stubEnv("REDIS_CLUSTER", cluster.addresses.join(","));
  vi.stubEnv("GATEHOUSE_PREFIX", "gh-restored");
  expect(await run("restore", file)).toMatchObject({ restored: true });
  expect(await run("verify")).toMatchObject({ intact: true });
  vi.stubEnv("GATEHOUSE_PREFIX", "gh");
  await run("erase", "adele", "--yes");
});
