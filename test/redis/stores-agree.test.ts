/**
 * The two stores answer alike, call by call, to histories that nobody thought of: small pools of sessions and ids make
 * duplicates, conflicts, stale commits and half-drained inboxes common.
 */
import fc from "fast-check";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectStore } from "../../src/redis/connection.js";
import { GENESIS_HEAD, bodyHash, chainRecords } from "../../src/store/journal-chain.js";
import { MemoryPartitionStore } from "../../src/store/memory/memory-partition-store.js";
import {
  BROADCAST,
  type Append,
  type Batch,
  type PartitionStore,
  type StoredRecord,
} from "../../src/store/partition-store.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { forManyStores } from "../support/many-stores.js";
import { startRedis, type TestRedis } from "../support/redis-server.js";

let server: TestRedis;
let redis: Redis;
let runs = 0;

beforeAll(async () => {
  server = await startRedis();
  redis = forManyStores(await connectStore(server.url));
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const session = fc.constantFrom("ann", "bob", "eve", BROADCAST);
const append = fc.record<Append>({
  session,
  body: fc.string({ unit: "grapheme", maxLength: 8 }),
  time: fc.integer({ min: 0, max: 60 }),
  fingerprint: fc.option(fc.record({ id: fc.constantFrom("a", "b", "c", "d"), body: fc.constantFrom("x", "y") })),
});
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("ingest" as const), appends: fc.array(append, { maxLength: 6 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("load" as const),
      limits: fc.record({ entries: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 1, max: 40 }) }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      entries: fc.nat(5),
      snapshot: fc.option(fc.string({ maxLength: 4 })),
      timer: fc.option(fc.integer({ min: 0, max: 80 })),
      state: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
      records: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("acknowledge" as const), seq: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("note" as const), seq: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("erase" as const),
      who: fc.constantFrom("ann", "bob"),
      stored: fc.boolean(),
      entries: fc.nat(6),
      seq: fc.integer({ min: 1, max: 6 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Plays one history against one store and returns every answer, without what is random by design. */
async function play(store: PartitionStore, history: readonly Step[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  let batch: Batch = await store.load(0, { entries: 5, bytes: 100 });
  for (const [index, now] of history.entries()) {
    if (now.do === "ingest") answers.push(await store.ingest(0, now.appends));
    else if (now.do === "acknowledge") await store.acknowledge(0, [`${now.seq}-0`]);
    else if (now.do === "note") answers.push(await note(store, now.seq));
    else if (now.do === "erase") answers.push(await erase(store, now, `token-${index}`));
    else if (now.do === "load") batch = await store.load(0, now.limits);
    else answers.push(await commit(store, batch, now, `token-${index}`));
    const peeks = await Promise.all(["ann", "bob"].map((who) => store.peek(0, who)));
    // Random, and what each counts by itself.
    const {
      token: _,
      journalBytes: _bytes,
      ...survey
    } = (await store.survey([0]))[0] ?? { token: "", journalBytes: 0 };
    const { token: __, ...view } = await store.load(0, { entries: 3, bytes: 30 });
    answers.push({ step: now, peeks, survey, view, outbox: await store.outbox(0, null, 50) });
  }
  answers.push(await store.image(0), await store.records(0, [1, 2, 3, 4, 5]), await store.counters(0));
  return answers.map(comparable);
}

/** With the hash that the record would have in a journal whose commits had a record each. */
function note(store: PartitionStore, seq: number): Promise<boolean> {
  const { hash } = chainRecords(
    GENESIS_HEAD,
    1,
    Array.from({ length: seq }, () => "record 0"),
  ).at(-1) as StoredRecord;
  return store.noteArchived(0, { seq, checkpoint: seq - 1, hash });
}

/** The oldest entries of one session, those of another, which stay; and one record with its effect. */
async function erase(store: PartitionStore, now: Extract<Step, { do: "erase" }>, nextToken: string) {
  const { found } = await store.search(0, "inbox", "e", null, 1_000);
  const held = await Promise.all([now.who, "eve"].map(async (who) => waiting(store, who)));
  const snapshot = await store.snapshot(0, now.who);
  const result = await store.erase(0, {
    nextToken,
    sessions: new Map([[now.who, now.stored ? snapshot : null]]),
    entries: held.flatMap((ids) => ids.slice(0, now.entries)),
    placeholder: "e",
    records: [{ seq: now.seq, bodyHash: bodyHash(`record ${now.seq}`), previous: 0 }],
    effects: [`${now.seq}-0`],
    counters: { erased: 1 },
    at: 1,
  });
  await store.purge(0);
  return { result, found, oldest: await store.oldestRecord(0), newest: await store.newestRecord(0) };
}

async function waiting(store: PartitionStore, who: string): Promise<string[]> {
  const { entries } = await store.peek(0, who);
  return entries.filter(({ session: whose }) => whose === who).map(({ id }) => id);
}

/** Without nonces, and with maps that JSON can hold. */
function comparable(answer: unknown): unknown {
  const text = JSON.stringify(answer, (key, value: unknown) => {
    if (key === "nonce") return undefined;
    return value instanceof Map ? Object.fromEntries(value) : value;
  });
  return JSON.parse(text);
}

function commit(store: PartitionStore, batch: Batch, now: Extract<Step, { do: "commit" }>, nextToken: string) {
  const folded = batch.entries.slice(0, now.entries);
  const consumed = new Map<string, string[]>();
  for (const { session: who, id } of folded) consumed.set(who, [...(consumed.get(who) ?? []), id]);
  const records = chainRecords(
    batch.head,
    batch.seq + 1,
    Array.from({ length: now.records }, (_, n) => `record ${n}`),
  );
  return store.commit(0, {
    token: batch.token,
    nextToken,
    last: folded.at(-1) ?? null,
    clock: batch.horizon,
    ...(now.state !== undefined && { state: now.state }),
    snapshots: new Map([["ann", now.snapshot]]),
    timers: new Map([
      ["ann", now.timer],
      ["bob", now.timer === null ? 30 : now.timer + 1],
    ]),
    consumed,
    records,
    effects: records.map(({ seq }) => ({ id: `${seq}-0`, body: "effect" })),
    counters: { commits: 1, records: now.records },
  });
}

test("memory and Redis give the same answers", () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (history) => {
      const deployment = { partitionCount: 1, clock: "event", dedupeWindowMs: 20, dedupeLimit: 2 } as const;
      const onRedis = await openRedisPartitionStore(redis, { prefix: `${server.prefix}-${(runs += 1)}`, deployment });
      const inMemory = new MemoryPartitionStore({ deployment });
      expect(await play(inMemory, history)).toEqual(await play(onRedis, history));
    }),
    { numRuns: 150 },
  ));
