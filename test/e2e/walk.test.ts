/** The policy walk beside real workers: it runs in a process of its own, and whatever becomes of that, every session gets there. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { publish } from "../../src/control/publish.js";
import { walkProgress } from "../../src/control/walk-progress.js";
import { type OpenDeployment, openDeployment } from "../../src/deployment/open-deployment.js";
import { ingest } from "../../src/ingest/ingest.js";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { Cli, temporaryDirectory } from "../support/cli.js";
import { POSTURE, SIX_DIGITS, TENANT, samplePolicy } from "../support/deployment.js";

const SESSIONS = 3_000;
const POLL_MS = 20;

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let redis: PrivateRedis;
let deployment: OpenDeployment;
let worker: Cli | undefined;

beforeEach(async () => {
  home = await temporaryDirectory();
  redis = await startPrivateRedis({ directory: join(home.path, "redis") });
  deployment = await openDeployment({ redis: redis.url, prefix: "gh", deployment: { partitionCount: 4 } });
  await publish(deployment, TENANT, catalogue({}));
  for (const [n, [type, data]] of GETTING_IN.entries()) {
    await ingest(
      deployment,
      TENANT,
      Array.from({ length: SESSIONS }, (_, device) => ({
        specversion: "1.0",
        id: `${device}-${n}`,
        source: "app://test",
        type,
        subject: `phone-${device}/adele`,
        time: new Date().toISOString(),
        data,
      })),
    );
  }
});

afterEach(async () => {
  await worker?.stop();
  worker = undefined;
  await deployment.close();
  await redis.stop();
  await home.remove();
});

const GETTING_IN = [
  ["account.signedIn", { platform: "ios", interactive: true }],
  ["enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }],
  ["posture.reported", POSTURE],
  ["pin.set", { descriptor: SIX_DIGITS }],
] as const;

const catalogue = (changes: object) => ({
  policies: [{ ...samplePolicy("contoso-ios-level2"), ...changes }],
  conditionalAccess: [],
  settings: {},
});

async function work(): Promise<Cli> {
  const cli = new Cli(["work"], { directory: home.path, environment: { REDIS_URL: redis.url } });
  await cli.says(/worker is up/);
  return cli;
}

/** The processes that take the steps of walks, below a process. */
function walkProcesses(parent: number): number[] {
  const rows = execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) as RegExpExecArray)
    .map(([, pid, ppid, args]) => ({ pid: Number(pid), ppid: Number(ppid), args: args as string }));
  const below = (pid: number): typeof rows =>
    rows.filter(({ ppid }) => ppid === pid).flatMap((row) => [row, ...below(row.pid)]);
  return below(parent)
    .filter(({ args }) => args.includes("walk-process"))
    .map(({ pid }) => pid);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(POLL_MS);
}

const isAllWalked = async (version: number) =>
  (await walkProgress(deployment.store, { tenant: TENANT, version })).partitionsWalking === 0;

async function policyChanges(): Promise<number> {
  let own = 0;
  for (let partition = 0; partition < deployment.store.deployment.partitionCount; partition++) {
    own += (await deployment.store.counters(partition))["own"] ?? 0;
  }
  return own;
}

test("its process killed in the middle, another goes on, and each session is lifted once", async () => {
  worker = await work();
  await until(() => isAllWalked(1));
  const before = await policyChanges();
  const version = await publish(deployment, TENANT, catalogue({ maximumPinRetries: 3 }));
  let killed = 0;
  await until(async () => {
    for (const pid of killed === 0 ? walkProcesses(worker?.process.pid ?? 0) : []) {
      process.kill(pid, "SIGKILL");
      killed++;
    }
    return isAllWalked(version);
  });
  expect(killed).toBe(1);
  expect((await policyChanges()) - before).toBe(SESSIONS);
});

test("its worker killed in the middle, the next one finishes it, and no process is left behind", async () => {
  worker = await work();
  await until(() => isAllWalked(1));
  const before = await policyChanges();
  const version = await publish(deployment, TENANT, catalogue({ maximumPinRetries: 3 }));
  let walking: number[] = [];
  await until(async () => {
    walking = walkProcesses(worker?.process.pid ?? 0);
    return walking.length > 0;
  });
  worker.process.kill("SIGKILL");
  await worker.finished();
  worker = await work();
  await until(() => isAllWalked(version));
  expect((await policyChanges()) - before).toBe(SESSIONS);
  const alive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await until(async () => !walking.some(alive));
});
