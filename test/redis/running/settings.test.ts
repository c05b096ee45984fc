/** A Redis that could lose accepted events is refused at the start and is not ready: each setting by its name, with the value to give it. */
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readiness } from "../../../src/readiness/readiness.js";
import { connectStore } from "../../../src/redis/connection.js";
import { type PrivateRedis, startPrivateRedis } from "../../../src/redis/private-server.js";
import { durabilityOf, readSettings, refuseUnsafeSettings } from "../../../src/redis/settings.js";

let server: PrivateRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startPrivateRedis({ fsync: "always" });
  redis = await connectStore(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
afterEach(async () => {
  await redis.config("SET", "appendfsync", "always");
  await redis.config("SET", "maxmemory-policy", "noeviction");
  await redis.config("SET", "min-replicas-to-write", "0");
  await redis.call("REPLICAOF", "NO", "ONE");
});

const ask = async (least: "D0" | "D1" | "D2" = "D1", stopping = new AbortController().signal) =>
  readiness({ redis, prefix: "gh", least, trusted: false, stopping });

describe("at the start", () => {
  test("a safe server is taken, and its durability class told", async () => {
    expect(durabilityOf(await refuseUnsafeSettings(redis, "D1", false))).toBe("D1");
  });

  test.each([
    ["maxmemory-policy", "allkeys-lru", "noeviction"],
    ["appendfsync", "everysec", "always"],
  ])("%s %s is refused", async (name, unsafe, safe) => {
    await redis.config("SET", name, unsafe);
    await expect(refuseUnsafeSettings(redis, "D1", false)).rejects.toMatchObject({
      code: "config.unsafe",
      message: expect.stringContaining(`${name} is ${unsafe}; it must be ${safe}`),
      fix: expect.stringContaining("GATEHOUSE_DURABILITY"),
    });
  });

  test("no append-only file is refused, whatever class is asked for", async () => {
    await redis.config("SET", "appendonly", "no");
    await expect(refuseUnsafeSettings(redis, "D0", false)).rejects.toThrow("appendonly is no");
    await redis.config("SET", "appendonly", "yes");
  });

  test("everysec is taken where the operator accepts D0", async () => {
    await redis.config("SET", "appendfsync", "everysec");
    expect(durabilityOf(await refuseUnsafeSettings(redis, "D0", false))).toBe("D0");
  });

  test("D2 needs a replica that must confirm", async () => {
    await expect(refuseUnsafeSettings(redis, "D2", false)).rejects.toThrow("min-replicas-to-write");
    await redis.config("SET", "min-replicas-to-write", "1");
    expect(durabilityOf(await readSettings(redis))).toBe("D2");
  });

  test("what the Redis user may not read is refused, unless the operator answers for it", async () => {
    await redis.call("ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", "-config");
    const limited = await connectStore(server.url);
    await limited.auth("limited", "secret");
    await expect(refuseUnsafeSettings(limited, "D1", false)).rejects.toThrow("appendfsync can't be read");
    await expect(refuseUnsafeSettings(limited, "D1", true)).resolves.toMatchObject({ maxmemoryPolicy: "noeviction" });
    limited.disconnect();
    await redis.call("ACL", "DELUSER", "limited");
  });
});

describe("readiness", () => {
  test("a server that takes writes and is set safely", async () => {
    expect(await ask()).toMatchObject({
      ready: true,
      durability: "D1",
      checks: [{ ok: true }, { ok: true }, { ok: true }],
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
        { name: "settings", ok: false, detail: expect.stringContaining("appendfsync") },
      ],
    });
  });

  test("a server that refuses writes", async () => {
    await redis.config("SET", "min-replicas-to-write", "1");
    expect(await ask("D1")).toMatchObject({ ready: false, checks: [{ ok: true }, { name: "write", ok: false }, {}] });
  });

  test("a process that is stopping", async () => {
    expect(await ask("D1", AbortSignal.abort())).toMatchObject({
      ready: false,
      checks: [{ name: "running", ok: false }, {}, {}],
    });
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
