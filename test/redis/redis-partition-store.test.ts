/** The store on Redis: the port's contract, and what only a server can do: refuse, vanish, forget and be shared. */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StoreUnavailableError } from "../../src/errors.js";
import { connectStore } from "../../src/redis/connection.js";
import { startPrivateRedis, type PrivateRedis } from "../../src/redis/private-server.js";
import { DeploymentConflictError } from "../../src/store/deployment.js";
import { deploymentKey, partitionKeys } from "../../src/store/keys.js";
import type { Append, PartitionStore } from "../../src/store/partition-store.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { startRedis, type TestRedis } from "../support/redis-server.js";
import { describePartitionStore } from "./partition-store.contract.js";

const ALL = { entries: 256, bytes: 262_144 };
const event = (body: string, session = "ann"): Append => ({ session, body, time: 0, fingerprint: null });

let server: TestRedis;
let redis: Redis;
let prefixes = 0;
const freshPrefix = () => `${server.prefix}-${(prefixes += 1)}`;

beforeAll(async () => {
  server = await startRedis();
  redis = await connectStore(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

describePartitionStore("redis", async (deployment) =>
  openRedisPartitionStore(redis, { prefix: freshPrefix(), deployment }),
);

describe("a deployment on Redis", () => {
  test("is created once: later processes join it, whatever they would have created", async () => {
    const prefix = freshPrefix();
    const first = await openRedisPartitionStore(redis, { prefix, deployment: { partitionCount: 8, clock: "event" } });
    const asked = { partitionCount: 8, dedupeLimit: 1, journalMaxBytes: 1 };
    const second = await openRedisPartitionStore(redis, { prefix, deployment: asked });
    expect(second.deployment).toEqual(first.deployment);
    expect((await openRedisPartitionStore(redis, { prefix })).deployment).toEqual(first.deployment);
  });

  test("processes that start at the same time agree", async () => {
    const prefix = freshPrefix();
    const counts = [1, 2, 3, 4, 5].map((partitionCount) =>
      openRedisPartitionStore(redis, { prefix, deployment: { partitionCount } }),
    );
    const settled = await Promise.allSettled(counts);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test.each([
    { asked: { partitionCount: 16 }, message: /created with partitionCount 8, not 16/ },
    { asked: { clock: "redis" as const }, message: /created with clock event, not redis/ },
  ])("refuses a process that was told otherwise: $asked", async ({ asked, message }) => {
    const prefix = freshPrefix();
    await openRedisPartitionStore(redis, { prefix, deployment: { partitionCount: 8, clock: "event" } });
    const refused = openRedisPartitionStore(redis, { prefix, deployment: asked });
    await expect(refused).rejects.toThrow(DeploymentConflictError);
    await expect(refused).rejects.toThrow(message);
  });

  test("refuses a record that it does not understand", async () => {
    const prefix = freshPrefix();
    await redis.hset(deploymentKey(prefix), "partitionCount", "many");
    await expect(openRedisPartitionStore(redis, { prefix })).rejects.toThrow(/does not describe a deployment/);
  });

  test("shares a server with others under their own prefixes", async () => {
    const [one, two] = await Promise.all(
      [freshPrefix(), freshPrefix()].map((prefix) => openRedisPartitionStore(redis, { prefix })),
    );
    await one?.ingest(0, [event("one")]);
    expect((await two?.load(0, ALL))?.entries).toEqual([]);
  });
});

describe("the policy walk's place", () => {
  test("means nothing to a server that was started again: the walk begins anew, and says so", async () => {
    const store = await openRedisPartitionStore(redis, { prefix: freshPrefix() });
    const batch = await store.load(0, ALL);
    const snapshots = new Map(Array.from({ length: 900 }, (_, n) => [`session-${n}`, "x".repeat(100)]));
    await store.commit(0, {
      token: batch.token,
      nextToken: "next",
      last: null,
      clock: batch.now,
      snapshots,
      timers: new Map(),
      consumed: new Map(),
      records: [],
      effects: [],
      counters: {},
    });
    const first = await store.chunk(0, null, 20);
    const second = await store.chunk(0, first.next, 20);
    expect(second.restarted).toBe(false);
    expect([...second.snapshots.keys()]).not.toEqual([...first.snapshots.keys()]);

    const [, cursor] = first.next?.split(":") ?? [];
    const elsewhere = await store.chunk(0, `0123456789abcdef:${cursor}`, 20);
    expect(elsewhere.restarted).toBe(true);
    expect([...elsewhere.snapshots.keys()]).toEqual([...first.snapshots.keys()]);
  });
});

describe("what is kept", () => {
  test("every key belongs to the partition and has its hash tag", async () => {
    const prefix = freshPrefix();
    const store = await openRedisPartitionStore(redis, { prefix, deployment: { dedupeWindowMs: 0, dedupeLimit: 0 } });
    for (const id of ["a", "b", "c"]) await store.ingest(3, [{ ...event(id), fingerprint: { id, body: id } }]);
    const batch = await store.load(3, ALL);
    const changes = {
      snapshots: new Map([["ann", "s"]]),
      timers: new Map([["ann", 1]]),
      records: [{ seq: 1, body: "r", hash: "h" }],
      effects: [{ id: "1-0", body: "e" }],
      counters: { applied: 1 },
    };
    const last = batch.entries.at(-1) ?? null;
    const commit = {
      ...changes,
      token: batch.token,
      nextToken: "next",
      last,
      clock: batch.horizon,
      consumed: new Map(),
    };
    await store.commit(3, commit);
    const keys = await redis.keys(`${prefix}:*`);
    const own = Object.values(partitionKeys(prefix, 3)).flat();
    expect(new Set(keys)).toEqual(new Set([...own, deploymentKey(prefix)]));
  });

  test("committed entries leave the inbox, but for the cursor's own", async () => {
    const prefix = freshPrefix();
    const store = await openRedisPartitionStore(redis, { prefix });
    await store.ingest(
      0,
      ["1", "2", "3"].map((body) => event(body)),
    );
    const { token, entries, horizon } = await store.load(0, ALL);
    const nothing = { snapshots: new Map(), timers: new Map(), records: [], effects: [], counters: {} };
    const last = entries[1] ?? null;
    await store.commit(0, { ...nothing, token, nextToken: "next", last, clock: horizon, consumed: new Map() });
    const kept = await redis.xrange(partitionKeys(prefix, 0).inbox, "-", "+");
    expect(kept.map(([id]) => id)).toEqual(entries.slice(1).map(({ id }) => id));
  });

  test("a session with nothing uncommitted takes no room among the pending", async () => {
    const prefix = freshPrefix();
    const store = await openRedisPartitionStore(redis, { prefix });
    await store.ingest(0, [event("1"), event("2", "bob")]);
    const { token, entries, horizon } = await store.load(0, ALL);
    await store.ingest(0, [event("3", "bob")]);
    const consumed = new Map(entries.map(({ session, id }) => [session, [id]]));
    const nothing = { snapshots: new Map(), timers: new Map(), records: [], effects: [], counters: {} };
    const last = entries.at(-1) ?? null;
    await store.commit(0, { ...nothing, token, nextToken: "next", last, clock: horizon, consumed });
    expect(await redis.hkeys(partitionKeys(prefix, 0).pending)).toEqual(["bob"]);
  });

  test("the duplicate window holds at most two generations of its limit", async () => {
    const prefix = freshPrefix();
    const deployment = { clock: "event", dedupeWindowMs: 10, dedupeLimit: 5 } as const;
    const store = await openRedisPartitionStore(redis, { prefix, deployment });
    const { seen } = partitionKeys(prefix, 0);
    for (let n = 0; n < 60; n++) {
      await store.ingest(0, [{ ...event("x"), time: 1_000 + n * 10, fingerprint: { id: `${n}`, body: "x" } }]);
      const sizes = await Promise.all(seen.map((key) => redis.hlen(key)));
      expect(Math.max(...sizes)).toBeLessThanOrEqual(5);
    }
  });

  test("a nonce of another life: an entry that got the same id after a lossy failover is not mistaken", async () => {
    const prefix = freshPrefix();
    const store = await openRedisPartitionStore(redis, { prefix, deployment: { clock: "event" } });
    await store.ingest(0, [{ ...event("lost"), time: 1_000 }]);
    const batch = await store.load(0, ALL);
    // What a replica that never heard of the entry does: it takes over, and the next event gets the id.
    const { inbox, pending } = partitionKeys(prefix, 0);
    await redis.unlink(inbox, pending);
    await store.ingest(0, [{ ...event("another"), time: 1_000 }]);
    const after = await store.load(0, ALL);
    expect(after.entries[0]?.id).toBe(batch.entries[0]?.id);
    expect(after.token).toBe(batch.token);
    const nothing = { snapshots: new Map(), timers: new Map(), records: [], effects: [], counters: {} };
    const commit = { ...nothing, token: batch.token, nextToken: "next", clock: 1_000, consumed: new Map() };
    expect(await store.commit(0, { ...commit, last: batch.entries[0] ?? null })).toEqual({ status: "stale" });
    expect(await store.commit(0, { ...commit, last: after.entries[0] ?? null })).toMatchObject({ status: "committed" });
  });
});

test("scripts are sent again to a server that forgot them", async () => {
  const store = await openRedisPartitionStore(redis, { prefix: freshPrefix() });
  await store.ingest(0, [event("1")]);
  await redis.script("FLUSH");
  await store.ingest(0, [event("2")]);
  await redis.script("FLUSH");
  expect((await store.load(0, ALL)).entries.map(({ body }) => body)).toEqual(["1", "2"]);
});

test("a failure of ours is not blamed on the database", async () => {
  const prefix = freshPrefix();
  const store = await openRedisPartitionStore(redis, { prefix });
  await redis.set(partitionKeys(prefix, 0).inbox, "not a stream");
  const refused = store.ingest(0, [event("1")]);
  await expect(refused).rejects.toThrow(/WRONGTYPE/);
  await expect(refused).rejects.not.toBeInstanceOf(StoreUnavailableError);
});

describe("when the server", () => {
  let own: PrivateRedis;
  let connection: Redis;
  let store: PartitionStore;

  beforeAll(async () => {
    own = await startPrivateRedis();
    connection = await connectStore(own.url);
    store = await openRedisPartitionStore(connection, { deployment: { partitionCount: 2 } });
  });
  afterAll(async () => {
    connection.disconnect();
    await own.stop();
  });

  const failureOf = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => "succeeded",
      (error: unknown) => error,
    );

  test("is out of memory, appends are refused whole, and what waits can still be drained", async () => {
    await store.ingest(0, [event("before")]);
    await connection.config("SET", "maxmemory", "1mb");
    const refused = await failureOf(store.ingest(0, [event("after")]));
    expect(refused).toBeInstanceOf(StoreUnavailableError);
    expect(refused).toMatchObject({ outcomeUnknown: false, retryable: true });

    const { token, entries, horizon } = await store.load(0, ALL);
    expect(entries.map(({ body }) => body)).toEqual(["before"]);
    const last = entries[0] ?? null;
    const changes = { snapshots: new Map([["ann", "s"]]), timers: new Map(), records: [], effects: [], counters: {} };
    const commit = {
      ...changes,
      token,
      nextToken: "next",
      last,
      clock: horizon,
      consumed: new Map([["ann", [last?.id ?? ""]]]),
    };
    expect(await store.commit(0, commit)).toEqual({ status: "committed", drained: true });
    expect((await store.peek(0, "ann")).snapshot).toBe("s");
    await connection.config("SET", "maxmemory", "0");
  });

  test("has too few replicas, it refuses decisions as well as events", async () => {
    await connection.config("SET", "min-replicas-to-write", "1");
    for (const call of [store.ingest(0, [event("1")]), store.peek(0, "ann")])
      expect(await failureOf(call)).toMatchObject({ code: "store.unavailable", outcomeUnknown: false });
    await connection.config("SET", "min-replicas-to-write", "0");
  });

  test("is a replica, decisions are refused and the connection is made anew", async () => {
    await connection.replicaof("127.0.0.1", "1");
    const reconnected = new Promise((resolve) => connection.once("ready", resolve));
    expect(await failureOf(store.peek(0, "ann"))).toMatchObject({ code: "store.unavailable", outcomeUnknown: false });
    await reconnected;
    await connection.replicaof("NO", "ONE");
    expect(await store.peek(0, "ann")).toMatchObject({ snapshot: "s" });
  });

  test("freezes, calls end within 2 s; whether a write happened is then unknown; it serves again when it thaws", async () => {
    process.kill(own.pid, "SIGSTOP");
    try {
      const [write, read] = await Promise.all([
        failureOf(store.ingest(1, [event("1")])),
        failureOf(store.load(1, ALL)),
      ]);
      expect(write).toMatchObject({ code: "store.unavailable", outcomeUnknown: true });
      expect(read).toMatchObject({ code: "store.unavailable", outcomeUnknown: false });
    } finally {
      process.kill(own.pid, "SIGCONT");
    }
    await expect.poll(async () => (await store.load(1, ALL)).entries.map(({ body }) => body)).toEqual(["1"]);
  });

  test("closes the connection, what was under way fails at once, and later calls find a new one", async () => {
    const other = await connectStore(own.url);
    const id = await connection.client("ID");
    // A blocking command keeps the connection busy, so the append behind it is sent but not answered.
    const busy = failureOf(connection.blpop("nothing-here", 0));
    const write = failureOf(store.ingest(1, [event("2")]));
    await expect.poll(async () => String(await other.client("LIST"))).toMatch(/cmd=blpop/);
    const reconnected = new Promise((resolve) => connection.once("ready", resolve));
    await other.client("KILL", "ID", id);
    expect(await write).toMatchObject({ code: "store.unavailable", outcomeUnknown: true });
    expect(await failureOf(store.ingest(1, [event("3")]))).toMatchObject({ outcomeUnknown: false });
    await busy;
    await reconnected;
    await store.ingest(1, [event("4")]);
    expect((await store.load(1, ALL)).entries.map(({ body }) => body)).toEqual(["1", "4"]);
    other.disconnect();
  });
});
