/** A Redis that could lose accepted events is refused at the start and is not ready: each setting by its name, with the value to give it. */
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openDeployment } from "../../../src/deployment/open-deployment.js";
import { readiness } from "../../../src/readiness/readiness.js";
import { connectStore } from "../../../src/redis/connection.js";
import { type PrivateRedis, startPrivateRedis } from "../../../src/redis/private-server.js";
import { openDoors } from "../../../src/redis/open-doors.js";
import { durabilityOf, readSettings, refuseUnsafeSettings, unsafeSettings } from "../../../src/redis/settings.js";

let server: PrivateRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startPrivateRedis({ fsync: "always" });
  redis = await connectStore(server.url);
  await create();
});

/** The deployment that processes are ready for. */
const create = async (): Promise<void> =>
  (await openDeployment({ redis: server.url, prefix: "gh", deployment: { partitionCount: 4 } })).close();

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
afterEach(async () => {
  await redis.config("SET", "appendfsync", "always");
  await redis.config("SET", "maxmemory-policy", "noeviction");
  await redis.config("SET", "min-replicas-to-write", "0");
});

const ask = async (least: "D0" | "D1" | "D2" = "D1", stopping = new AbortController().signal) =>
  readiness({ redis, prefix: "gh", least, trusted: false, stopping });

describe("S15: at the start", () => {
  test("a safe server is taken, and its durability class told", async () => {
    expect(durabilityOf(await refuseUnsafeSettings(redis, { least: "D1", trusted: false }))).toBe("D1");
  });

  test.each([
    [
      "maxmemory-policy",
      "allkeys-lru",
      "noeviction",
      /^Set them in redis\.conf, or with CONFIG SET and CONFIG REWRITE\.$/,
    ],
    ["appendfsync", "everysec", "always", /GATEHOUSE_DURABILITY=D0/],
  ])("%s %s is refused", async (name, unsafe, safe, fix) => {
    await redis.config("SET", name, unsafe);
    await expect(refuseUnsafeSettings(redis, { least: "D1", trusted: false })).rejects.toMatchObject({
      code: "config.unsafe",
      message: expect.stringContaining(`${name} is ${unsafe}; it must be ${safe}`),
      fix: expect.stringMatching(fix),
    });
  });

  test("no append-only file is refused, whatever class is asked for", async () => {
    await redis.config("SET", "appendonly", "no");
    await expect(refuseUnsafeSettings(redis, { least: "D0", trusted: false })).rejects.toThrow("appendonly is no");
    await redis.config("SET", "appendonly", "yes");
  });

  test("everysec is taken where the operator accepts D0", async () => {
    await redis.config("SET", "appendfsync", "everysec");
    expect(durabilityOf(await refuseUnsafeSettings(redis, { least: "D0", trusted: false }))).toBe("D0");
  });

  test("D2 needs a replica that must confirm", async () => {
    await expect(refuseUnsafeSettings(redis, { least: "D2", trusted: false })).rejects.toThrow("min-replicas-to-write");
    await redis.config("SET", "min-replicas-to-write", "1");
    expect(durabilityOf(await readSettings(redis))).toBe("D2");
  });

  test("what the Redis user may not read is refused, unless the operator answers for it", async () => {
    await redis.call("ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", "-config");
    const limited = await connectStore(server.url);
    await limited.auth("limited", "secret");
    await expect(refuseUnsafeSettings(limited, { least: "D1", trusted: false })).rejects.toThrow(
      "appendfsync can't be read",
    );
    await expect(refuseUnsafeSettings(limited, { least: "D1", trusted: true })).resolves.toMatchObject([
      { maxmemoryPolicy: "noeviction" },
    ]);
    limited.disconnect();
    await redis.call("ACL", "DELUSER", "limited");
  });
});

describe("what is asked of a server", () => {
  const safe = {
    server: "redis:6379",
    version: "7.0.15",
    isPrimary: true,
    maxmemoryPolicy: "noeviction",
    appendonly: "yes",
    appendfsync: "always",
    minReplicasToWrite: 1,
    usedMemoryBytes: 0,
    maxMemoryBytes: 0,
    systemMemoryBytes: 0,
  };
  const named = (changes: object, least: "D0" | "D1" | "D2" = "D1", trusted = false) =>
    unsafeSettings([{ ...safe, ...changes }], { least, trusted }).map(({ name }) => name);

  test.each([
    ["6.0.16", ["version"]],
    ["6.2.14", ["version"]],
    ["7.0.15", []],
    ["8.1.0", []],
    ["10.0.0", []],
    ["unknown", ["version"]],
  ])("version %s", (version, expected) => {
    expect(named({ version })).toEqual(expected);
  });

  test("what can't be read is unsafe and the lowest class, unless it does not matter or the operator answers for it", () => {
    const hidden = { appendfsync: undefined, minReplicasToWrite: undefined };
    expect(named(hidden, "D0")).toEqual([]);
    expect(named(hidden, "D1")).toEqual(["appendfsync"]);
    expect(named(hidden, "D2")).toEqual(["appendfsync", "min-replicas-to-write"]);
    expect(named(hidden, "D2", true)).toEqual([]);
    expect(durabilityOf([{ ...safe, ...hidden }])).toBe("D0");
  });

  test("the operator answers for what is hidden, never for what is seen to be unsafe", () => {
    expect(named({ maxmemoryPolicy: "allkeys-lru", version: "5.0.0" }, "D1", true)).toEqual([
      "version",
      "maxmemory-policy",
    ]);
  });
});

describe("how open it stands", () => {
  test.each([
    ["a socket", { path: "/run/redis.sock" }, 0],
    ["this machine", { host: "127.0.0.1" }, 0],
    ["a name within", { host: "localhost" }, 0],
    ["another machine, with a password and TLS", { host: "redis.example", password: "secret", tls: {} }, 0],
    ["another machine, with a password in the clear", { host: "10.0.0.9", password: "secret" }, 1],
    ["another machine, open to all", { host: "10.0.0.9" }, 2],
  ])("%s", (_, options, count) => {
    const doors = openDoors(options);
    expect(doors).toHaveLength(count);
    expect(doors.join()).not.toContain("secret");
  });
});

describe("readiness", () => {
  test("a server that takes writes and is set safely", async () => {
    expect(await ask()).toMatchObject({
      ready: true,
      durability: "D1",
      checks: ["running", "write", "deployment", "settings"].map((name) => ({ name, ok: true })),
    });
  });

  test("settings that became unsafe while it runs", async () => {
    await redis.config("SET", "appendfsync", "everysec");
    expect(await ask()).toMatchObject({
      ready: false,
      durability: "D0",
      checks: [
        { ok: true },
        { ok: true },
        { ok: true },
        {
          name: "settings",
          ok: false,
          detail: "appendfsync is everysec; it must be always",
          fix: expect.stringContaining("CONFIG SET"),
        },
      ],
    });
  });

  test("a server that refuses writes", async () => {
    await redis.config("SET", "min-replicas-to-write", "1");
    expect(await ask("D1")).toMatchObject({
      ready: false,
      checks: [{ ok: true }, { name: "write", ok: false }, {}, {}],
    });
  });

  test("a process that is stopping", async () => {
    expect(await ask("D1", AbortSignal.abort())).toMatchObject({
      ready: false,
      checks: [{ name: "running", ok: false }, {}, {}, {}],
    });
  });

  test("a replica", async () => {
    const own = await startPrivateRedis({ fsync: "always" });
    const connection = await connectStore(own.url);
    await connection.call("REPLICAOF", "127.0.0.1", "1");
    await expect(refuseUnsafeSettings(connection, { least: "D0", trusted: true })).rejects.toThrow("role is replica");
    const { signal } = new AbortController();
    const state = await readiness({ redis: connection, prefix: "gh", least: "D0", trusted: true, stopping: signal });
    expect(state).toMatchObject({
      ready: false,
      checks: [
        { ok: true },
        { name: "write", ok: false },
        {},
        { name: "settings", ok: false, detail: "role is replica; it must be primary" },
      ],
    });
    connection.disconnect();
    await own.stop();
  });

  test("a deployment that is being restored, or gone", async () => {
    const deploymentOf = async () => (await ask()).checks.find(({ name }) => name === "deployment");
    await redis.rename("gh:deployment", "kept");
    expect(await deploymentOf()).toMatchObject({ ok: false, detail: expect.stringContaining("does not describe") });
    await redis.hset("gh:deployment", "restoring", "backup-1");
    expect(await deploymentOf()).toMatchObject({ ok: false, detail: expect.stringContaining("being restored") });
    await redis.rename("kept", "gh:deployment");
    expect(await deploymentOf()).toMatchObject({ ok: true });
  });

  test("asked by many at once, of one process and of others, each gets its own answer", async () => {
    const states = await Promise.all(Array.from({ length: 50 }, async () => ask()));
    expect(states.every(({ ready }) => ready)).toBe(true);
    const [key] = await redis.keys("gh:canary:*");
    expect(await redis.ttl(key ?? "")).toBeGreaterThan(0);
  });

  test("a server that is gone", async () => {
    const own = await startPrivateRedis({ fsync: "always" });
    const connection = await connectStore(own.url);
    await own.stop();
    const { signal } = new AbortController();
    const state = await readiness({ redis: connection, prefix: "gh", least: "D1", trusted: false, stopping: signal });
    expect(state).toMatchObject({ ready: false, durability: null });
    connection.disconnect();
  });
});
