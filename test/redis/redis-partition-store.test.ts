/** The store on Redis: the port's contract, and what only a server can do: refuse, vanish, forget and be shared. */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { StoreUnavailableError } from "../../src/errors.js";
import { connectStore } from "../../src/redis/connection.js";
import { startPrivateRedis, type PrivateRedis } from "../../src/redis/private-server.js";
import { DeploymentConflictError } from "../../src/store/deployment.js";
import { copyKey, deploymentKey, partitionKeys } from "../../src/store/keys.js";
import { bodyHash, chainRecords, GENESIS_HEAD } from "../../src/store/journal-chain.js";
import { MAX_ERASED, type Append, type PartitionStore } from "../../src/store/partition-store.js";
import { changeJournalLimits, openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { Script } from "../../src/store/redis/script.js";
import { verifyJournal } from "../../src/store/verify-journal.js";
import { eventually } from "../support/eventually.js";
import { forManyStores } from "../support/many-stores.js";
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
  redis = forManyStores(await connectStore(server.url));
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

  test("takes other limits of its journals in its life, and nothing else", async () => {
    const prefix = freshPrefix();
    await expect(changeJournalLimits(redis, prefix, { journalMaxBytes: 5 })).rejects.toThrow(DeploymentConflictError);
    const { deployment } = await openRedisPartitionStore(redis, { prefix, deployment: { partitionCount: 8 } });
    await changeJournalLimits(redis, prefix, { journalMaxAgeMs: 5_000, journalMaxBytes: undefined });
    const changed = await changeJournalLimits(redis, prefix, { journalMaxBytes: 9_000 });
    expect(changed).toEqual({ ...deployment, journalMaxAgeMs: 5_000, journalMaxBytes: 9_000 });
    expect((await openRedisPartitionStore(redis, { prefix })).deployment).toEqual(changed);
    await expect(changeJournalLimits(redis, prefix, { journalMaxBytes: 0 })).rejects.toThrow(RangeError);
  });

  test("that was created before journals had an age keeps records of any", async () => {
    const prefix = freshPrefix();
    await openRedisPartitionStore(redis, { prefix });
    await redis.hdel(deploymentKey(prefix), "journalMaxAgeMs");
    expect((await openRedisPartitionStore(redis, { prefix })).deployment.journalMaxAgeMs).toBe(0);
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
      records: [1, 2].map((seq) => ({ seq, body: "r", hash: "h" })),
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
    await store.erase(3, {
      nextToken: "erased",
      sessions: new Map(),
      entries: [],
      placeholder: "",
      records: [{ seq: 1, bodyHash: "0".repeat(64) }],
      effects: [],
      counters: {},
      at: 1,
    });
    await store.purge(3);
    const keys = await redis.keys(`${prefix}:*`);
    const own = Object.values(partitionKeys(prefix, 3)).flat();
    expect(new Set(keys)).toEqual(new Set([...own, deploymentKey(prefix)]));
  });

  test("of what was erased not even its bytes, once that is purged", async () => {
    const own = await startPrivateRedis({ fsync: "everysec" });
    onTestFinished(async () => own.stop());
    const connection = await connectStore(own.url);
    onTestFinished(() => connection.disconnect());
    const store = await openRedisPartitionStore(connection);
    await store.ingest(3, [event("said by ann", "ann"), event("said by bob", "bob"), event("said by eve", "eve")]);
    const { entries, token } = await store.load(3, ALL);
    const bodies = Array.from({ length: 2_000 }, (_, n) => `record of ${n % 2 === 0 ? "ann" : "bob"}, the ${n}th`);
    const records = chainRecords(GENESIS_HEAD, 1, bodies);
    await store.commit(3, {
      token,
      nextToken: "next",
      last: null,
      clock: 0,
      snapshots: new Map(),
      timers: new Map(),
      consumed: new Map(),
      records,
      effects: records.slice(0, 20).map(({ seq, body }) => ({ id: `${seq}-0`, body })),
      counters: {},
    });
    const ofAnn = records.filter(({ body }) => body.includes("ann"));
    for (let from = 0; from < ofAnn.length; from += MAX_ERASED)
      await store.erase(3, {
        nextToken: `erased ${from}`,
        sessions: new Map([["ann", null]]),
        entries: [entries[0]?.id as string],
        placeholder: "",
        records: ofAnn.slice(from, from + MAX_ERASED).map(({ seq, body }) => ({ seq, bodyHash: bodyHash(body) })),
        effects: ofAnn.slice(0, 10).map(({ seq }) => `${seq}-0`),
        counters: {},
        at: 1,
      });
    await connection.config("SET", "rdbcompression", "no");
    const bytes = async (): Promise<string> => {
      const dumps = await Promise.all((await connection.keys("*")).map(async (key) => connection.dumpBuffer(key)));
      return Buffer.concat(dumps).toString("latin1");
    };
    expect(await bytes()).toMatch(/by ann|of ann/);
    await store.purge(3);
    expect(await bytes()).not.toMatch(/by ann|of ann/);
    expect(await bytes()).toMatch(/by bob/);
    expect(await verifyJournal(store, 3)).toMatchObject({ intact: true, records: 2_000 });
  });

  describe("a journal that is written anew", () => {
    const base = {
      last: null,
      snapshots: new Map(),
      timers: new Map(),
      consumed: new Map(),
      effects: [],
      counters: {},
    };
    const nothing = {
      sessions: new Map(),
      entries: [],
      placeholder: "",
      records: [],
      effects: [],
      counters: {},
      at: 1,
    };
    const body = (seq: number) => `${seq}`.padEnd(100, ".");
    const erasureOf = (seq: number) => ({
      ...nothing,
      nextToken: `erased ${seq}`,
      records: [{ seq, bodyHash: bodyHash(body(seq)) }],
    });

    async function grow(store: PartitionStore, count: number): Promise<void> {
      const { token, seq, head, now } = await store.load(3, ALL);
      const bodies = Array.from({ length: count }, (_, n) => body(seq + 1 + n));
      await store.commit(3, {
        ...base,
        token,
        nextToken: `at ${seq}`,
        clock: now,
        records: chainRecords(head, seq + 1, bodies),
      });
    }

    /** Half-way through a purge. */
    async function begun(journalMaxBytes: number) {
      const prefix = freshPrefix();
      const store = await openRedisPartitionStore(redis, { prefix, deployment: { journalMaxBytes } });
      await grow(store, 600);
      await store.erase(3, erasureOf(5));
      const { journal, meta } = partitionKeys(prefix, 3);
      const copy = new Script("stream-copy");
      expect(await copy.run(redis, [journal, copyKey(journal), meta], [200, 0, ""])).toBe(0);
      expect(await redis.xlen(copyKey(journal))).toBe(200);
      return { store, copy: copyKey(journal) };
    }

    test("does not bring back what is erased meanwhile", async () => {
      const { store, copy } = await begun(1_000_000);
      await store.erase(3, erasureOf(7));
      await store.purge(3);
      expect(await store.records(3, [5, 7])).toMatchObject([
        { bodyHash: bodyHash(body(5)) },
        { bodyHash: bodyHash(body(7)) },
      ]);
      expect((await store.search(3, "journal", body(7), null, 1_000)).found).toEqual([]);
      expect(await redis.exists(copy)).toBe(0);
      expect(await verifyJournal(store, 3)).toMatchObject({ intact: true, records: 600 });
    });

    test("does not bring back what is trimmed meanwhile, and has what is committed meanwhile", async () => {
      const { store } = await begun(120_000);
      await grow(store, 300);
      const oldest = (await store.oldestRecord(3)) as number;
      expect(oldest).toBeGreaterThan(100);
      await store.purge(3);
      expect(await store.oldestRecord(3)).toBe(oldest);
      expect(await verifyJournal(store, 3)).toMatchObject({ intact: true, seq: 900 });
    });
  });

  test("committed entries leave the inbox, but for the cursor's own", async () => {
    const prefix = freshPrefix();
    const store = await openRedisPartitionStore(redis, { prefix });
    const { results } = await store.ingest(
      0,
      ["1", "2", "3"].map((body) => event(body)),
    );
    const { token, entries, horizon } = await store.load(0, { ...ALL, entries: 2 });
    const nothing = { snapshots: new Map(), timers: new Map(), records: [], effects: [], counters: {} };
    const last = entries[1] ?? null;
    await store.commit(0, { ...nothing, token, nextToken: "next", last, clock: horizon, consumed: new Map() });
    const kept = await redis.xrange(partitionKeys(prefix, 0).inbox, "-", "+");
    expect(kept.map(([id]) => id)).toEqual(results.slice(1).map((result) => "id" in result && result.id));
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
    for (const call of [async () => store.ingest(0, [event("1")]), async () => store.peek(0, "ann")])
      expect(await failureOf(call())).toMatchObject({ code: "store.unavailable", outcomeUnknown: false });
    await connection.config("SET", "min-replicas-to-write", "0");
  });

  test("is a replica, decisions are refused and the connection is made anew", async () => {
    await connection.replicaof("127.0.0.1", "1");
    const reconnected = new Promise((resolve) => connection.once("ready", resolve));
    expect(await failureOf(store.peek(0, "ann"))).toMatchObject({ code: "store.unavailable", outcomeUnknown: false });
    await reconnected;
    await connection.replicaof("NO", "ONE");
    // It is another server now, and what it lacks would be found out first.
    await eventually(async () => store.peek(0, "ann").catch((error: unknown) => error)).toMatchObject({
      snapshot: "s",
    });
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
