/** The doctor on a real Redis: each thing that can be wrong is found, named, and comes with what to do. */
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DoctorCheck } from "../../../src/cli/doctor/check.js";
import { examine } from "../../../src/cli/doctor/examine.js";
import { readConfig } from "../../../src/config.js";
import { DeliveryQueue } from "../../../src/effects/delivery-queue.js";
import { connectStore } from "../../../src/redis/connection.js";
import { type PrivateRedis, startPrivateRedis } from "../../../src/redis/private-server.js";
import { SecretKey, checkSecretKey } from "../../../src/secrets/secret-key.js";
import type { DeploymentRequest } from "../../../src/store/deployment.js";
import { partitionKeys } from "../../../src/store/keys.js";
import type { PartitionStore } from "../../../src/store/partition-store.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import { EndpointStore } from "../../../src/webhooks/endpoint-store.js";
import { TestDeployment } from "../../support/deployment.js";

const PREFIX = "gh";
const PARTITIONS = 4;
const SECRET = "0123456789abcdef0123456789abcdef";

let server: PrivateRedis;
let redis: Redis;

beforeEach(async () => {
  server = await startPrivateRedis();
  redis = await connectStore(server.url);
});
afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

const look = async (environment: Record<string, string> = {}, quick = false) =>
  examine(readConfig({ REDIS_URL: server.url, GATEHOUSE_SECRET_KEY: SECRET, ...environment }), quick);
const checksOf = async (environment: Record<string, string> = {}, quick = false) => {
  const { checks } = await look(environment, quick);
  return Object.fromEntries(checks.map((check): [string, DoctorCheck] => [check.name, check]));
};
const create = async (deployment: DeploymentRequest = {}): Promise<PartitionStore> =>
  openRedisPartitionStore(redis, { prefix: PREFIX, deployment: { partitionCount: PARTITIONS, ...deployment } });

async function everything(): Promise<Record<string, unknown>> {
  const keys = (await redis.keys("*")).filter((key) => !key.includes(":canary:")).sort();
  return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await redis.dumpBuffer(key)])));
}

test("a Redis that hangs: says so within seconds, and nothing else", async () => {
  process.kill(server.pid, "SIGSTOP");
  try {
    const { reachable, checks } = await look();
    expect([reachable, checks]).toMatchObject([false, [{ name: "redis", level: "failed" }]]);
  } finally {
    process.kill(server.pid, "SIGCONT");
  }
});

describe("what is not there", () => {
  test("no Redis: says so, and nothing else", async () => {
    const { reachable, checks } = await look({ REDIS_URL: "redis://127.0.0.1:1" });
    expect([reachable, checks]).toMatchObject([false, [{ name: "redis", level: "failed", fix: expect.any(String) }]]);
  });

  test("no deployment: says so, and makes none", async () => {
    const before = await everything();
    const { deployment, backlog } = await checksOf();
    expect([deployment, backlog]).toMatchObject([
      {
        level: "failed",
        detail: expect.stringContaining("prefix gh"),
        fix: expect.stringContaining("GATEHOUSE_PREFIX"),
      },
      undefined,
    ]);
    expect(await everything()).toEqual(before);
  });

  test("a prefix that holds something else", async () => {
    await redis.hset("gh:deployment", "colour", "green");
    expect((await checksOf())["deployment"]).toMatchObject({ level: "failed", fix: expect.stringContaining("prefix") });
  });
});

test("a new deployment works; that it has no worker and no policy is worth a warning", async () => {
  await create();
  const { reachable, checks } = await look();
  expect(reachable).toBe(true);
  expect(checks.filter(({ level }) => level !== "ok").map(({ name, level }) => [name, level])).toEqual([
    ["workers", "warning"],
    ["policies", "warning"],
  ]);
});

test("it changes nothing", async () => {
  const deployment = new TestDeployment(await create());
  await deployment.getIn();
  const before = await everything();
  await look();
  expect(await everything()).toEqual(before);
});

describe("work that is not done", () => {
  test("a partition that stands still is named; one in which something is committed is not", async () => {
    const deployment = new TestDeployment(await create());
    for (let n = 0; n < 12; n++) await deployment.getIn(`phone-${n}/adele`);
    const surveys = await deployment.store.survey([0, 1, 2, 3]);
    const [stands, moves] = surveys.filter(({ waiting }) => waiting > 3).map(({ partition }) => partition);
    let isOver = false;
    const looking = checksOf().finally(() => (isOver = true));
    // Never done, always on its way: for one session that comes another one goes.
    const working = (async () => {
      while (!isOver) {
        const batch = await deployment.store.load(moves!, { entries: 1, bytes: 1 });
        await deployment.store.commit(moves!, {
          token: batch.token,
          nextToken: `token-${Math.random()}`,
          last: null,
          clock: 0,
          snapshots: new Map(),
          timers: new Map(),
          consumed: new Map(),
          records: [],
          effects: [],
          counters: {},
        });
      }
    })();
    const { stuck, backlog } = await looking;
    await working;
    const [, named = ""] = /committed in (.*)$/.exec(stuck!.detail) ?? [];
    expect(stuck).toMatchObject({ level: "failed", fix: expect.stringContaining("snapshot.version") });
    expect(named.split(", ")).toContain(String(stands));
    expect(named.split(", ")).not.toContain(String(moves));
    expect(backlog!.detail).toMatch(/48 events wait in \d partitions/);
  });

  test("with nobody at work at all, that is what it says", async () => {
    const deployment = new TestDeployment(await create());
    await deployment.getIn();
    expect((await checksOf())["stuck"]).toMatchObject({
      level: "failed",
      detail: expect.stringMatching(/^1 partition stands still/),
      fix: expect.stringContaining("gatehouse work"),
    });
  });

  test("a partition whose clock is before the server's", async () => {
    await create();
    await redis.hset(partitionKeys(PREFIX, 2).meta, "clock", Date.now() + 600_000);
    expect((await checksOf())["deployment"]).toMatchObject({
      level: "warning",
      detail: expect.stringMatching(/up to (9 min 5\d s|10 min) before Redis's.*: 2$/),
    });
  });
});

describe("Redis itself", () => {
  beforeEach(async () => void (await create()));

  test("a setting under which events could be lost, with how to set it", async () => {
    await redis.config("SET", "maxmemory-policy", "allkeys-lru");
    expect((await checksOf())["settings"]).toMatchObject({
      level: "failed",
      detail: expect.stringContaining("maxmemory-policy is allkeys-lru; it must be noeviction"),
      fix: expect.stringContaining("CONFIG SET"),
    });
  });

  test.each([
    [0.9, "warning"],
    [0.97, "failed"],
  ])("memory that is used up to %d: %s", async (share, level) => {
    await redis.setrange("ballast", 100_000_000, "x");
    const [, used = ""] = /^used_memory:(\d+)/m.exec(await redis.info("memory")) ?? [];
    await redis.config("SET", "maxmemory", Math.round(Number(used) / share));
    expect((await checksOf())["memory"]).toMatchObject({ level, detail: expect.stringMatching(/9\d %/) });
  });

  test("a user that may not ask who is connected, nor for settings", async () => {
    await redis.call("ACL", "SETUSER", "limited", "on", ">secret", "allkeys", "+@all", "-client|list");
    const url = server.url.startsWith("unix:")
      ? server.url.replace("unix://", "unix://limited:secret@localhost")
      : server.url.replace("://", "://limited:secret@");
    expect((await checksOf({ REDIS_URL: url }))["workers"]).toMatchObject({
      level: "ok",
      detail: expect.stringContaining("does not tell"),
    });
  });
});

describe("what came to nothing", () => {
  beforeEach(async () => void (await create()));

  const endpoint = (id: string, state: "active" | "disabled", why?: string) => ({
    id,
    tenant: "contoso",
    url: "https://hooks.contoso.example/",
    description: "",
    filter: {},
    state,
    ...(why !== undefined && { why }),
    createdAt: 1,
    changedAt: 1,
    secrets: [{ sealed: "x", createdAt: 1 }],
  });

  test("deliveries that were given up, and endpoints that are disabled", async () => {
    const endpoints = new EndpointStore(redis, PREFIX);
    await endpoints.save("wh_1", undefined, endpoint("wh_1", "active"));
    await endpoints.save("wh_2", undefined, endpoint("wh_2", "disabled", "it answered 410"));
    expect(await checksOf()).toMatchObject({
      effects: { level: "ok" },
      webhooks: {
        level: "warning",
        detail: expect.stringContaining("wh_2 of contoso (it answered 410)"),
        fix: expect.stringContaining("webhooks resume"),
      },
    });
    const effect = {
      id: "0-1-0-abc",
      session: "contoso/phone-1/adele/azure-mobile",
      revision: 1,
      at: 1,
      kind: "command",
      type: "wipe",
      data: {},
    } as const;
    await new DeliveryQueue(redis, PREFIX, "wh_1").add([effect], "gone");
    expect((await checksOf())["effects"]).toMatchObject({
      level: "warning",
      detail: expect.stringContaining("1 delivery to wh_1 given up"),
      fix: expect.stringContaining("effects redrive"),
    });
  });

  test("sessions that can't be read; not looked for where it should be quick", async () => {
    await redis.hset(partitionKeys(PREFIX, 1).sessions, "AAAAAAAAAAAAAAAA", "scribbled over");
    expect((await checksOf())["quarantine"]).toMatchObject({ level: "warning", fix: expect.stringContaining("list") });
    expect(await checksOf({}, true)).not.toHaveProperty("quarantine");
  });

  test("a session that another release wrote is more than a warning", async () => {
    const deployment = new TestDeployment(await create());
    await deployment.getIn();
    await deployment.drainAll();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const { sessions } = partitionKeys(PREFIX, partition);
      for (const [key, text] of Object.entries(await redis.hgetall(sessions)))
        await redis.hset(sessions, key, JSON.stringify({ ...(JSON.parse(text) as object), v: 9_999 }));
    }
    expect((await checksOf())["quarantine"]).toMatchObject({
      level: "failed",
      fix: expect.stringContaining("release"),
    });
  });

  test("another secret key than the deployment's, or none", async () => {
    expect((await checksOf())["secret"]?.level).toBe("ok");
    await checkSecretKey(redis, PREFIX, new SecretKey(SECRET));
    expect((await checksOf())["secret"]).toMatchObject({
      level: "ok",
      detail: expect.stringContaining("deployment's"),
    });
    expect((await checksOf({ GATEHOUSE_SECRET_KEY: SECRET.replace("0", "1") }))["secret"]?.level).toBe("failed");
    const { checks } = await examine(readConfig({ REDIS_URL: server.url }), true);
    expect(checks.find(({ name }) => name === "secret")).toMatchObject({ level: "warning" });
  });
});

test("a journal that is larger than it may be, because the archive holds it back", async () => {
  const deployment = new TestDeployment(await create({ journalMaxBytes: 2_000 }));
  for (let partition = 0; partition < PARTITIONS; partition++)
    await deployment.store.noteArchived(partition, { seq: 0, checkpoint: 0, hash: "" });
  for (let n = 0; n < 5; n++) await deployment.getIn(`phone-${n}/adele`);
  await deployment.drainAll();
  const checks = await checksOf();
  expect(checks).toMatchObject({
    journal: { level: "warning", fix: expect.stringContaining("archive run") },
    archive: { level: "ok", detail: expect.stringContaining("the oldest record that is not archived") },
  });
});
