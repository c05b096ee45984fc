/** The store in memory keeps the port's contract, and takes time and chance only from outside. */
import { expect, test } from "vitest";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import { describePartitionStore } from "../../redis/partition-store.contract.js";

describePartitionStore("memory", async (deployment) => new MemoryPartitionStore({ deployment }));

const limits = { entries: 10, bytes: 1_000 };
const append = { session: "ann", body: "b", time: 0, fingerprint: null };

test("a server clock that goes back takes the partition's with it no further than the newest entry", async () => {
  let now = 1_000;
  const store = new MemoryPartitionStore({ now: () => now });
  const first = await store.ingest(0, [append]);
  now = 400;
  const second = await store.ingest(0, [append]);
  expect([first.results, second.results]).toEqual([
    [{ status: "accepted", id: "1000-0" }],
    [{ status: "accepted", id: "1000-1" }],
  ]);
  expect((await store.load(0, limits)).now).toBe(1_000);
});

test("deadlines do not pass before an event that was accepted after the server's clock was set back", async () => {
  let now = 1_000;
  const store = new MemoryPartitionStore({ now: () => now });
  const batch = await store.load(0, limits);
  now = 400;
  await store.ingest(0, [append]);
  const nothing = {
    snapshots: new Map(),
    timers: new Map(),
    consumed: new Map(),
    records: [],
    effects: [],
    counters: {},
  };
  const commit = { ...nothing, last: null, token: batch.token, nextToken: "next", clock: batch.horizon };
  expect(await store.commit(0, commit)).toEqual({ status: "stale" });
  expect(await store.load(0, limits)).toMatchObject({ token: batch.token, horizon: 400, entries: [{ id: "400-0" }] });
});

test("the same calls give the same answers in every run", async () => {
  const run = async () => {
    const store = new MemoryPartitionStore({ now: () => 5 });
    await store.ingest(0, [append, append]);
    return store.load(0, limits);
  };
  expect(await run()).toEqual(await run());
});

test("nonces come from the source that was handed in", async () => {
  let n = 0;
  const store = new MemoryPartitionStore({ now: () => 5, nonce: () => `mine-${n++}` });
  await store.ingest(0, [append]);
  expect((await store.load(0, limits)).entries[0]?.nonce).toMatch(/^mine-/);
});
