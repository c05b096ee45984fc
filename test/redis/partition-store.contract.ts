/**
 * The contract of the store port. Both implementations run it, so whoever holds a PartitionStore may rely on every
 * sentence here without knowing which one it is.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { newDeployment, type DeploymentRequest } from "../../src/store/deployment.js";
import { compareIds, firstOf } from "../../src/store/entry-id.js";
import { bodyHash, chainRecords, GENESIS_HEAD, isTombstone } from "../../src/store/journal-chain.js";
import {
  BROADCAST,
  MAX_APPENDS,
  type Append,
  type Appended,
  type Batch,
  type Commit,
  type CommitResult,
  type Erasure,
  type JournalEntry,
  MAX_ERASED,
  type PartitionStore,
  type Place,
} from "../../src/store/partition-store.js";
import { verifyJournal } from "../../src/store/verify-journal.js";

const HOUR_MS = 3_600_000;
const NOON = Date.parse("2026-03-02T12:00:00Z");
const ANN = "ann-session-key-";
const BOB = "bob-session-key-";
const EVE = "eve-session-key-";
const P0 = 0;
const ALL = { entries: 256, bytes: 262_144 };

let tokens = 0;

function event(session: string, body: string, time = NOON): Append {
  return { session, body, time, fingerprint: null };
}

function named(id: string, body: string, time = NOON): Append {
  return { session: ANN, body, time, fingerprint: { id, body: `hash of ${body}` } };
}

function statuses({ results }: Appended): string[] {
  return results.map((result) => result.status);
}

/** Ids of appends that must all have been accepted. */
function idsOf({ results }: Appended): string[] {
  return results.map((result) => {
    if (result.status !== "accepted") throw new Error(`expected an accepted append, got ${result.status}`);
    return result.id;
  });
}

/** The commit of a fold that did nothing but take the batch's entries off the inbox. */
function consuming(batch: Batch, changes: Partial<Commit> = {}): Commit {
  const consumed = new Map<string, string[]>();
  for (const { session, id } of batch.entries) consumed.set(session, [...(consumed.get(session) ?? []), id]);
  return {
    token: batch.token,
    nextToken: `token-${(tokens += 1)}`,
    last: batch.entries.at(-1) ?? null,
    clock: batch.horizon,
    snapshots: new Map(),
    timers: new Map(),
    consumed,
    records: [],
    effects: [],
    counters: {},
    ...changes,
  };
}

/** The first `count` entries of a batch, as if it had been loaded with that limit. */
function cut(batch: Batch, count: number): Batch {
  return { ...batch, entries: batch.entries.slice(0, count) };
}

const bodyOf = (entry: JournalEntry | null): string | null =>
  entry === null ? null : isTombstone(entry) ? "erased" : entry.body;

/** An erasure of nothing, but for these. */
function erasing(what: Partial<Erasure> = {}): Erasure {
  const nothing = { sessions: new Map(), entries: [], records: [], effects: [], counters: {}, at: NOON };
  return { ...nothing, nextToken: `token-${(tokens += 1)}`, placeholder: "the clock", ...what };
}

function bodiesOf({ entries }: { entries: readonly { body: string }[] }): string[] {
  return entries.map((entry) => entry.body);
}

export function describePartitionStore(
  name: string,
  open: (deployment: DeploymentRequest) => Promise<PartitionStore>,
): void {
  describe(`${name}: a partition store`, () => {
    let store: PartitionStore;

    beforeEach(async () => {
      store = await open({ partitionCount: 4, clock: "event" });
    });

    /** Loads everything and commits it with these changes. */
    async function drain(changes: Partial<Commit> = {}): Promise<CommitResult> {
      return store.commit(P0, consuming(await store.load(P0, ALL), changes));
    }

    /** All that can be seen of a partition, but for its clock. */
    async function seen(): Promise<unknown> {
      const { token, cursor, seq, head, state, entries } = await store.load(P0, ALL);
      const [survey] = await store.survey([P0]);
      const { snapshots } = await store.scan(P0, null, 1_000);
      return {
        token,
        cursor,
        seq,
        head,
        state,
        entries,
        nextTimer: survey?.nextTimer,
        snapshots: snapshots.sort(),
        records: await store.records(P0, [1, 2, 3, 4, 5]),
        outbox: await store.outbox(P0, null, 100),
        counters: await store.counters(P0),
        pending: (await store.peek(P0, ANN)).entries,
      };
    }

    describe("deployment", () => {
      test("tells what it was created with", async () => {
        const request = {
          partitionCount: 2,
          clock: "event",
          dedupeWindowMs: 5,
          dedupeLimit: 6,
          journalMaxBytes: 7,
          journalMaxAgeMs: 8,
        } as const;
        expect((await open(request)).deployment).toEqual(request);
      });

      test("takes defaults for what is left out", async () => {
        expect((await open({})).deployment).toEqual(newDeployment({}));
      });

      test.each([{ partitionCount: 0 }, { partitionCount: 4097 }, { dedupeWindowMs: -1 }, { journalMaxBytes: 0.5 }])(
        "refuses %o, naming the setting",
        async (request) => {
          await expect(open(request)).rejects.toThrow(Object.keys(request)[0]);
        },
      );

      test("a partition outside of it is refused, saying which there are", async () => {
        await expect(store.ingest(4, [])).rejects.toThrow(/from 0 to 3, not 4/);
        await expect(store.load(-1, ALL)).rejects.toThrow(RangeError);
      });
    });

    describe("a fresh partition", () => {
      test("has nothing but a token that stays", async () => {
        const batch = await store.load(P0, ALL);
        expect(batch).toMatchObject({
          partition: 0,
          cursor: "0-0",
          seq: 0,
          head: GENESIS_HEAD,
          state: "",
          now: 0,
          horizon: 0,
        });
        expect(batch).toMatchObject({ entries: [], due: [] });
        expect(batch.snapshots.size).toBe(0);
        expect(batch.token).not.toBe("");
        expect((await store.load(P0, ALL)).token).toBe(batch.token);
        expect((await store.load(1, ALL)).token).not.toBe(batch.token);
      });

      test("is fenced from its very first commit on", async () => {
        const batch = await store.load(P0, ALL);
        expect(await store.commit(P0, consuming({ ...batch, token: "" }))).toEqual({ status: "stale" });
        expect(await store.commit(P0, consuming(batch))).toEqual({ status: "committed", drained: true });
      });
    });

    describe("ingest", () => {
      test("keeps the order of acceptance across calls", async () => {
        const first = idsOf(await store.ingest(P0, [event(ANN, "1"), event(BOB, "2")]));
        const second = idsOf(await store.ingest(P0, [event(ANN, "3")]));
        const { entries } = await store.load(P0, ALL);
        expect(entries).toMatchObject([
          { id: first[0], session: ANN, body: "1" },
          { id: first[1], session: BOB, body: "2" },
          { id: second[0], session: ANN, body: "3" },
        ]);
        const ids = entries.map((entry) => entry.id);
        expect([...ids].sort(compareIds)).toEqual(ids);
        expect(new Set(ids).size).toBe(3);
      });

      test("partitions do not see each other", async () => {
        await store.ingest(0, [event(ANN, "zero")]);
        await store.ingest(1, [event(ANN, "one")]);
        expect(bodiesOf(await store.load(0, ALL))).toEqual(["zero"]);
        expect(bodiesOf(await store.load(1, ALL))).toEqual(["one"]);
      });

      test("every call marks its entries with a nonce of its own", async () => {
        await store.ingest(P0, [event(ANN, "1")]);
        await store.ingest(P0, [event(ANN, "2")]);
        const [one, two] = (await store.load(P0, ALL)).entries;
        expect(one?.nonce).toMatch(/./);
        expect(one?.nonce).not.toBe(two?.nonce);
      });

      test.each([
        "",
        "\u0000\r\n\t",
        "日本語 🔐 é",
        '{"nested":"\\"quotes\\""}',
        "x".repeat(16_384),
        "$5\r\nhello\r\n",
      ])("a body comes back as it was sent (%#)", async (body) => {
        await store.ingest(P0, [event(ANN, body)]);
        expect(bodiesOf(await store.load(P0, ALL))).toEqual([body]);
        expect(bodiesOf(await store.peek(P0, ANN))).toEqual([body]);
      });

      test("no appends: nothing happens and nobody is woken", async () => {
        expect(await store.ingest(P0, [])).toEqual({ results: [], wake: false });
      });

      test(`takes ${MAX_APPENDS} appends at once, and says so of one more`, async () => {
        const many = Array.from({ length: MAX_APPENDS }, (_, n) => ({
          ...named(`id${n}`, `${n}`),
          session: `s${n % 700}`,
        }));
        expect(idsOf(await store.ingest(P0, many))).toHaveLength(MAX_APPENDS);
        await expect(store.ingest(P0, [...many, event(ANN, "one more")])).rejects.toThrow(
          /at most 1000 appends, not 1001/,
        );
        expect((await store.load(P0, { entries: 5_000, bytes: 1e6 })).entries).toHaveLength(MAX_APPENDS);
      });

      test.each([-1, Number.NaN, Infinity, 0.5, 9e15])("refuses the time %s and appends nothing", async (time) => {
        await expect(store.ingest(P0, [event(ANN, "fine"), event(ANN, "not", time)])).rejects.toThrow(
          /epoch milliseconds/,
        );
        expect((await store.load(P0, ALL)).entries).toEqual([]);
      });
    });

    describe("wake", () => {
      test("is for the append that ends idleness, not for those that find others waiting", async () => {
        expect((await store.ingest(P0, [event(ANN, "1"), event(ANN, "2")])).wake).toBe(true);
        expect((await store.ingest(P0, [event(BOB, "3")])).wake).toBe(false);
        await drain();
        expect((await store.ingest(P0, [event(BOB, "4")])).wake).toBe(true);
      });

      test("is not for a partition that was drained only in part", async () => {
        await store.ingest(P0, [event(ANN, "1"), event(ANN, "2")]);
        const batch = await store.load(P0, { ...ALL, entries: 1 });
        expect(await store.commit(P0, consuming(batch))).toEqual({ status: "committed", drained: false });
        expect((await store.ingest(P0, [event(ANN, "3")])).wake).toBe(false);
      });

      test("is not for duplicates: they leave nothing to drain", async () => {
        await store.ingest(P0, [named("a", "x")]);
        await drain();
        expect((await store.ingest(P0, [named("a", "x")])).wake).toBe(false);
      });
    });

    describe("duplicates", () => {
      test("the same id and body is a duplicate, another body a conflict; neither is stored", async () => {
        expect(statuses(await store.ingest(P0, [named("a", "x")]))).toEqual(["accepted"]);
        expect(statuses(await store.ingest(P0, [named("a", "x"), named("a", "y"), named("b", "x")]))).toEqual([
          "duplicate",
          "conflict",
          "accepted",
        ]);
        expect(bodiesOf(await store.load(P0, ALL))).toEqual(["x", "x"]);
      });

      test("are found within one call too", async () => {
        const appended = await store.ingest(P0, [named("a", "x"), named("a", "x"), named("a", "y")]);
        expect(statuses(appended)).toEqual(["accepted", "duplicate", "conflict"]);
      });

      test("a conflict does not replace what the id stands for", async () => {
        await store.ingest(P0, [named("a", "x")]);
        await store.ingest(P0, [named("a", "y")]);
        expect(statuses(await store.ingest(P0, [named("a", "x"), named("a", "y")]))).toEqual(["duplicate", "conflict"]);
      });

      test("are still known after the event was committed", async () => {
        await store.ingest(P0, [named("a", "x")]);
        await drain();
        expect(statuses(await store.ingest(P0, [named("a", "x")]))).toEqual(["duplicate"]);
      });

      test("without a fingerprint nothing is ever a duplicate", async () => {
        const same = [event(ANN, "x"), event(ANN, "x")];
        expect(statuses(await store.ingest(P0, same))).toEqual(["accepted", "accepted"]);
        expect(statuses(await store.ingest(P0, same))).toEqual(["accepted", "accepted"]);
      });

      describe("window of 1 h and 3 ids", () => {
        beforeEach(async () => {
          store = await open({ partitionCount: 1, clock: "event", dedupeWindowMs: HOUR_MS, dedupeLimit: 3 });
        });

        test("an id is remembered within the window, however many follow", async () => {
          await store.ingest(P0, [named("a", "x", NOON)]);
          for (let n = 0; n < 50; n++) await store.ingest(P0, [named(`n${n}`, "x", NOON + n)]);
          expect(statuses(await store.ingest(P0, [named("a", "x", NOON + HOUR_MS - 1)]))).toEqual(["duplicate"]);
        });

        test("an id is remembered for the next 3 ids, however late they come", async () => {
          await store.ingest(P0, [named("a", "x", NOON)]);
          for (let n = 1; n <= 3; n++) {
            await store.ingest(P0, [named(`n${n}`, "x", NOON + n * 24 * HOUR_MS)]);
            expect(statuses(await store.ingest(P0, [named("a", "x")])), `after ${n} more`).toEqual(["duplicate"]);
          }
        });

        test("beyond both, ids are forgotten: what is held does not grow for ever", async () => {
          await store.ingest(P0, [named("a", "x", NOON)]);
          for (let n = 1; n <= 12; n++) await store.ingest(P0, [named(`n${n}`, "x", NOON + n * HOUR_MS)]);
          expect(statuses(await store.ingest(P0, [named("a", "x", NOON + 12 * HOUR_MS)]))).toEqual(["accepted"]);
        });
      });
    });

    describe("clock `event`", () => {
      test("an entry's time is its event's", async () => {
        const [id] = idsOf(await store.ingest(P0, [event(ANN, "1", NOON)]));
        expect(id).toBe(`${NOON}-0`);
        expect(await store.load(P0, ALL)).toMatchObject({ now: NOON, horizon: NOON });
      });

      test("never goes back: a late event is accepted at the time it has got to", async () => {
        const ids = idsOf(
          await store.ingest(P0, [event(ANN, "1", NOON), event(ANN, "late", NOON - 5_000), event(ANN, "3", NOON + 1)]),
        );
        expect(ids).toEqual([`${NOON}-0`, `${NOON}-1`, `${NOON + 1}-0`]);
        const [next] = idsOf(await store.ingest(P0, [event(ANN, "late again", 0)]));
        expect(next).toBe(`${NOON + 1}-1`);
      });

      test("a broadcast with a fingerprint is later than what came before it, though the clock stands still", async () => {
        const published = (id: string) => ({ ...named(id, id), session: BROADCAST });
        const together = await store.ingest(P0, [published("v1"), event(ANN, "1"), published("v2"), event(ANN, "2")]);
        expect(idsOf(together)).toEqual([`${NOON}-0`, `${NOON}-1`, `${NOON + 1}-0`, `${NOON + 1}-1`]);
        await drain();
        expect(idsOf(await store.ingest(P0, [published("v3"), published("v4")]))).toEqual([
          `${NOON + 2}-0`,
          `${NOON + 3}-0`,
        ]);
        expect((await store.peek(P0, ANN)).now).toBe(NOON + 3);
      });

      test("never falls below the horizon up to which timers fired", async () => {
        await drain({ clock: NOON + HOUR_MS });
        await drain({ clock: NOON });
        expect((await store.load(P0, ALL)).now).toBe(NOON + HOUR_MS);
        expect((await store.peek(P0, ANN)).now).toBe(NOON + HOUR_MS);
        const [id] = idsOf(await store.ingest(P0, [event(ANN, "late", NOON)]));
        expect(firstOf(id as string)).toBe(NOON + HOUR_MS);
      });

      test("stands still after a commit until the next event", async () => {
        await store.ingest(P0, [event(ANN, "1", NOON)]);
        await drain();
        expect((await store.load(P0, ALL)).now).toBe(NOON);
        expect((await store.survey([P0]))[0]?.now).toBe(NOON);
      });
    });

    describe("clock `redis`", () => {
      beforeEach(async () => {
        store = await open({ partitionCount: 1, clock: "redis" });
      });

      test("an entry's time is when it was accepted, whatever the producer says", async () => {
        const before = Date.now();
        const [id] = idsOf(await store.ingest(P0, [event(ANN, "1", 5)]));
        expect(firstOf(id as string)).toBeGreaterThanOrEqual(before);
        expect(firstOf(id as string)).toBeLessThanOrEqual(Date.now());
      });

      test("goes on without events", async () => {
        const { now } = await store.load(P0, ALL);
        await expect.poll(async () => (await store.load(P0, ALL)).now).toBeGreaterThan(now);
      });

      test("never falls below the horizon up to which timers fired, even if the server's clock is behind it", async () => {
        const ahead = Date.now() + HOUR_MS;
        await drain({ clock: ahead });
        const [id] = idsOf(await store.ingest(P0, [event(ANN, "1")]));
        expect(firstOf(id as string)).toBe(ahead);
        expect((await store.load(P0, ALL)).now).toBe(ahead);
        expect((await store.peek(P0, ANN)).now).toBe(ahead);
      });
    });

    describe("load", () => {
      test("takes at most as many entries as asked for, oldest first", async () => {
        await store.ingest(
          P0,
          ["1", "2", "3"].map((body) => event(ANN, body)),
        );
        expect(bodiesOf(await store.load(P0, { ...ALL, entries: 2 }))).toEqual(["1", "2"]);
      });

      test("takes at most as many bytes of bodies as asked for, counted in UTF-8", async () => {
        await store.ingest(
          P0,
          ["éé", "éé", "é", "x"].map((body) => event(ANN, body)),
        );
        expect(bodiesOf(await store.load(P0, { ...ALL, bytes: 8 }))).toEqual(["éé", "éé"]);
        expect(bodiesOf(await store.load(P0, { ...ALL, bytes: 9 }))).toEqual(["éé", "éé"]);
        expect(bodiesOf(await store.load(P0, { ...ALL, bytes: 10 }))).toEqual(["éé", "éé", "é"]);
      });

      test("the first entry always fits", async () => {
        await store.ingest(P0, [event(ANN, "x".repeat(100)), event(ANN, "y")]);
        expect(bodiesOf(await store.load(P0, { ...ALL, bytes: 1 }))).toEqual(["x".repeat(100)]);
      });

      test.each([64, 128, 200])("is exact at %i entries", async (entries) => {
        const many = Array.from({ length: 201 }, (_, n) => event(ANN, `${n}`));
        await store.ingest(P0, many);
        expect(bodiesOf(await store.load(P0, { ...ALL, entries }))).toEqual(
          bodiesOf({ entries: many.slice(0, entries) }),
        );
      });

      test("goes on behind the cursor", async () => {
        await store.ingest(
          P0,
          ["1", "2", "3"].map((body) => event(ANN, body)),
        );
        const batch = await store.load(P0, { ...ALL, entries: 2 });
        await store.commit(P0, consuming(batch));
        const next = await store.load(P0, ALL);
        expect(next.cursor).toBe(batch.entries[1]?.id);
        expect(bodiesOf(next)).toEqual(["3"]);
      });

      test("brings the stored snapshots of the sessions it names, and no others", async () => {
        await drain({
          snapshots: new Map([ANN, BOB, EVE].map((session) => [session, `snapshot of ${session}`])),
          timers: new Map([[BOB, NOON]]),
        });
        await store.ingest(P0, [
          event(ANN, "1"),
          event("new-session-key-", "2"),
          event(ANN, "3"),
          event(BROADCAST, "4"),
        ]);
        const batch = await store.load(P0, ALL);
        expect(batch.due).toEqual([BOB]);
        expect(batch.snapshots).toEqual(
          new Map([
            [ANN, `snapshot of ${ANN}`],
            [BOB, `snapshot of ${BOB}`],
          ]),
        );
      });

      test.each([
        { entries: 0, bytes: 1 },
        { entries: 1.5, bytes: 1 },
        { entries: 1, bytes: 0 },
      ])("refuses %o", async (limits) => {
        await expect(store.load(P0, limits)).rejects.toThrow(RangeError);
      });
    });

    describe("timers", () => {
      const arm = (timers: [string, number | null][]) => drain({ timers: new Map(timers) });

      test("are due at their time and not before, earliest first", async () => {
        await arm([
          [ANN, NOON + 2],
          [BOB, NOON + 1],
          [EVE, NOON + 3],
        ]);
        await store.ingest(P0, [event("other-session-ky", "tick", NOON + 2)]);
        expect((await store.load(P0, ALL)).due).toEqual([BOB, ANN]);
      });

      test("a session has one: the newest replaces it, null removes it", async () => {
        await arm([
          [ANN, NOON],
          [BOB, NOON],
        ]);
        await arm([
          [ANN, NOON + HOUR_MS],
          [BOB, null],
        ]);
        await store.ingest(P0, [event(EVE, "tick", NOON)]);
        expect((await store.load(P0, ALL)).due).toEqual([]);
        expect((await store.survey([P0]))[0]?.nextTimer).toBe(NOON + HOUR_MS);
      });

      test("no more sessions come due at once than the limit says", async () => {
        await arm([
          [ANN, NOON + 2],
          [BOB, NOON + 1],
        ]);
        await store.ingest(P0, [event(EVE, "tick", NOON + 5)]);
        expect((await store.load(P0, { ...ALL, entries: 1 })).due).toEqual([BOB]);
      });

      test("none beyond the horizon: the last entry's time while more entries wait, else now", async () => {
        await arm([[EVE, NOON + 5]]);
        await store.ingest(P0, [event(ANN, "1", NOON), event(ANN, "2", NOON + 10)]);
        expect(await store.load(P0, { ...ALL, entries: 1 })).toMatchObject({ horizon: NOON, now: NOON + 10, due: [] });
        expect(await store.load(P0, { ...ALL, bytes: 1 })).toMatchObject({ horizon: NOON, due: [] });
        expect(await store.load(P0, { ...ALL, entries: 2 })).toMatchObject({ horizon: NOON + 10, due: [EVE] });
      });
    });

    describe("commit", () => {
      const everything = (batch: Batch): Commit =>
        consuming(batch, {
          state: "walking to version 7",
          snapshots: new Map([
            [ANN, "snapshot é"],
            [BOB, null],
          ]),
          timers: new Map([[ANN, NOON + HOUR_MS]]),
          records: chainRecords(batch.head, batch.seq + 1, ["first", "second"]),
          effects: [
            { id: `${batch.seq + 1}-0`, body: "promptPin" },
            { id: `${batch.seq + 1}-1`, body: "notify" },
            { id: `${batch.seq + 2}-0`, body: "wipe" },
          ],
          counters: { applied: 2, sessions: -1 },
        });

      test("writes snapshots, timers, records, effects, counters, state and cursor together", async () => {
        await drain({ snapshots: new Map([[BOB, "to be removed"]]) });
        await store.ingest(P0, [event(ANN, "1"), event(BOB, "2")]);
        const batch = await store.load(P0, ALL);
        const commit = everything(batch);
        expect(await store.commit(P0, commit)).toEqual({ status: "committed", drained: true });

        expect(await store.load(P0, ALL)).toMatchObject({
          token: commit.nextToken,
          cursor: batch.entries[1]?.id,
          seq: 2,
          head: commit.records[1]?.hash,
          state: "walking to version 7",
          entries: [],
        });
        expect(await store.snapshot(P0, ANN)).toBe("snapshot é");
        expect(await store.snapshot(P0, BOB)).toBeNull();
        expect(await store.records(P0, [1, 2])).toEqual(commit.records);
        expect(await store.outbox(P0, null, 10)).toEqual(commit.effects);
        expect(await store.counters(P0)).toEqual({ applied: 2, sessions: -1 });
        expect((await store.survey([P0]))[0]?.nextTimer).toBe(NOON + HOUR_MS);
      });

      test("goes on from what is there: state stays if not given, counters add up, records continue", async () => {
        await store.ingest(P0, [event(ANN, "1")]);
        await store.commit(P0, everything(await store.load(P0, ALL)));
        const batch = await store.load(P0, ALL);
        const { state: _, ...commit } = everything(batch);
        expect(await store.commit(P0, commit)).toMatchObject({ status: "committed" });
        expect(await store.load(P0, ALL)).toMatchObject({ seq: 4, state: "walking to version 7" });
        expect(await store.counters(P0)).toEqual({ applied: 4, sessions: -2 });
        expect((await store.records(P0, [1, 2, 3, 4])).map((record) => record?.seq)).toEqual([1, 2, 3, 4]);
      });

      test("can set the state back to empty", async () => {
        await drain({ state: "walking" });
        await drain({ state: "" });
        expect((await store.load(P0, ALL)).state).toBe("");
      });

      test("without entries leaves the cursor where it is", async () => {
        await store.ingest(P0, [event(ANN, "1")]);
        await drain();
        const { cursor } = await store.load(P0, ALL);
        await drain({ snapshots: new Map([[ANN, "woken by a timer"]]) });
        expect(await store.load(P0, ALL)).toMatchObject({ cursor, entries: [] });
      });

      test("takes thousands of changes at once", async () => {
        const sessions = Array.from({ length: 2_500 }, (_, n) => `session-${n}`);
        await store.ingest(
          P0,
          sessions.slice(0, 1_000).map((session) => event(session, "1")),
        );
        await store.ingest(
          P0,
          sessions.slice(1_000, 2_000).map((session) => event(session, "2")),
        );
        const batch = await store.load(P0, { entries: 5_000, bytes: 1e6 });
        const all = <Value>(value: Value) => new Map(sessions.map((session) => [session, value]));
        expect(await store.commit(P0, consuming(batch, { snapshots: all("s"), timers: all(NOON + 1) }))).toEqual({
          status: "committed",
          drained: true,
        });
        await store.ingest(P0, [event(ANN, "tick", NOON + 1)]);
        const due = await store.load(P0, { entries: 5_000, bytes: 1e6 });
        expect([due.due.length, due.snapshots.size]).toEqual([2_500, 2_500]);
        expect((await store.peek(P0, "session-1999")).entries).toEqual([]);
        await drain({ snapshots: all(null), timers: all(null) });
        expect((await store.scan(P0, null, 10)).snapshots).toEqual([]);
      });

      describe("fence", () => {
        test("of two workers with one batch only the first commits, and the other changes nothing", async () => {
          await store.ingest(P0, [event(ANN, "1")]);
          const batch = await store.load(P0, ALL);
          expect(await store.commit(P0, consuming(batch))).toMatchObject({ status: "committed" });
          const before = await seen();
          expect(await store.commit(P0, everything(batch))).toEqual({ status: "stale" });
          expect(await seen()).toEqual(before);
        });

        test("a commit that changed nothing but the token fences too", async () => {
          const batch = await store.load(P0, ALL);
          await store.commit(P0, consuming(batch));
          expect(await store.commit(P0, consuming(batch))).toEqual({ status: "stale" });
        });

        test("1,000 of 1,000 commits from a stolen partition are refused", async () => {
          let refused = 0;
          for (let n = 0; n < 1_000; n++) {
            if (n % 3 === 0) await store.ingest(P0, [event(ANN, `${n}`, NOON + n)]);
            const stolen = await store.load(P0, ALL);
            await drain();
            const result = await store.commit(P0, consuming(stolen, { snapshots: new Map([[ANN, "stolen"]]) }));
            if (result.status === "stale") refused += 1;
          }
          expect(refused).toBe(1_000);
          expect(await store.snapshot(P0, ANN)).toBeNull();
        });

        test("an entry with the right id but another nonce is not the one that was folded", async () => {
          await store.ingest(P0, [event(ANN, "1")]);
          const batch = await store.load(P0, ALL);
          const before = await seen();
          const last = { id: batch.entries[0]?.id as string, nonce: "another" };
          expect(await store.commit(P0, { ...everything(batch), last })).toEqual({ status: "stale" });
          expect(await seen()).toEqual(before);
        });

        test("deadlines do not pass beyond an entry that waits", async () => {
          await store.ingest(P0, [event(ANN, "1"), event(ANN, "2", NOON + HOUR_MS)]);
          const batch = cut(await store.load(P0, ALL), 1);
          const before = await seen();
          const early = { ...everything(batch), clock: NOON + HOUR_MS + 1 };
          expect(await store.commit(P0, early)).toEqual({ status: "stale" });
          expect(await seen()).toEqual(before);
          expect(await store.commit(P0, consuming(batch, { clock: NOON + HOUR_MS }))).toMatchObject({
            status: "committed",
          });
        });

        test("nor is an entry that does not exist", async () => {
          await store.ingest(P0, [event(ANN, "1")]);
          const batch = await store.load(P0, ALL);
          const before = await seen();
          const last = { id: `${NOON + 1}-0`, nonce: batch.entries[0]?.nonce as string };
          expect(await store.commit(P0, { ...everything(batch), last })).toEqual({ status: "stale" });
          expect(await seen()).toEqual(before);
        });

        test("the cursor never goes back to an entry already committed", async () => {
          await store.ingest(P0, [event(ANN, "1"), event(ANN, "2")]);
          const first = (await store.load(P0, ALL)).entries[0];
          await drain();
          expect(await drain({ last: first ?? null })).toEqual({ status: "stale" });
        });
      });

      describe("what contradicts itself is refused, and nothing is written", () => {
        const record = (seq: number) => ({ seq, body: "r", hash: "h" });
        test.each<[string, Partial<Commit>, RegExp]>([
          [
            "records that do not follow the last one",
            { records: [record(2)], effects: [] },
            /start at 2 but the journal ends at 0/,
          ],
          ["records with a gap", { records: [record(1), record(3)], effects: [] }, /record 2 is missing/],
          ["an effect of no record", { effects: [{ id: "9-0", body: "e" }] }, /effect 9-0 belongs to no record/],
          ["a malformed effect id", { effects: [{ id: "1-x", body: "e" }] }, /effect 1-x/],
          [
            "effects out of order",
            {
              effects: [
                { id: "2-0", body: "e" },
                { id: "1-0", body: "e" },
              ],
            },
            /effect 1-0 follows 2-0/,
          ],
          ["a timer without a time", { timers: new Map([[ANN, Number.NaN]]) }, /timer of ann-session-key- must be/],
          ["a counter that grows by a fraction", { counters: { applied: 0.5 } }, /counter applied/],
          ["a clock that is none", { clock: -1 }, /clock must be/],
          ["a snapshot of all sessions", { snapshots: new Map([[BROADCAST, "s"]]) }, /names no session/],
          ["no next token", { nextToken: "" }, /next token/],
        ])("%s", async (_, fault, message) => {
          await store.ingest(P0, [event(ANN, "1")]);
          const batch = await store.load(P0, ALL);
          const before = await seen();
          const refused = store.commit(P0, { ...everything(batch), ...fault });
          await expect(refused).rejects.toThrow(RangeError);
          await expect(refused).rejects.toThrow(message);
          expect(await seen()).toEqual(before);
        });

        test("a token used twice", async () => {
          const batch = await store.load(P0, ALL);
          await expect(store.commit(P0, consuming(batch, { nextToken: batch.token }))).rejects.toThrow(/fresh/);
        });
      });

      describe("drained", () => {
        test("not while an entry waits that came after the batch", async () => {
          await store.ingest(P0, [event(ANN, "1")]);
          const batch = await store.load(P0, ALL);
          await store.ingest(P0, [event(ANN, "2")]);
          expect(await store.commit(P0, consuming(batch))).toEqual({ status: "committed", drained: false });
          expect(await drain()).toEqual({ status: "committed", drained: true });
        });

        test("not while a timer is due, even one that this commit armed", async () => {
          await store.ingest(P0, [event(ANN, "1", NOON)]);
          expect(await drain({ timers: new Map([[ANN, NOON]]) })).toMatchObject({ drained: false });
          expect(await drain({ timers: new Map([[ANN, NOON + 1]]) })).toMatchObject({ drained: true });
        });
      });
    });

    describe("peek", () => {
      test("of a session that does not exist", async () => {
        expect(await store.peek(P0, ANN)).toEqual({ now: 0, snapshot: null, state: "", entries: [] });
      });

      test("brings the snapshot and the session's own uncommitted entries, with broadcasts, in order of acceptance", async () => {
        await drain({ snapshots: new Map([[ANN, "snapshot"]]), state: "walking" });
        await store.ingest(P0, [event(ANN, "1"), event(BROADCAST, "2"), event(BOB, "3"), event(ANN, "4")]);
        await store.ingest(P0, [event(BROADCAST, "5", NOON + 9), event(ANN, "6", NOON + 9)]);
        const { entries } = await store.load(P0, ALL);
        const peek = await store.peek(P0, ANN);
        expect(peek).toMatchObject({ now: NOON + 9, snapshot: "snapshot", state: "walking" });
        expect(peek.entries).toEqual(entries.filter((entry) => entry.session !== BOB));
        expect(bodiesOf(peek)).toEqual(["1", "2", "4", "5", "6"]);
        expect(bodiesOf(await store.peek(P0, EVE))).toEqual(["2", "5"]);
      });

      test("orders a dozen entries of one millisecond by their counter, not by their text", async () => {
        const many = Array.from({ length: 12 }, (_, n) => event(n % 2 === 0 ? ANN : BROADCAST, `${n}`));
        await store.ingest(P0, many);
        expect(bodiesOf(await store.peek(P0, ANN))).toEqual(bodiesOf({ entries: many }));
      });

      test("no longer brings what was committed", async () => {
        await store.ingest(P0, [event(ANN, "1"), event(BROADCAST, "2"), event(ANN, "3"), event(ANN, "4")]);
        await store.commit(P0, consuming(cut(await store.load(P0, ALL), 3)));
        expect(bodiesOf(await store.peek(P0, ANN))).toEqual(["4"]);
        await store.ingest(P0, [event(ANN, "5")]);
        expect(bodiesOf(await store.peek(P0, ANN))).toEqual(["4", "5"]);
        await drain();
        expect(bodiesOf(await store.peek(P0, ANN))).toEqual([]);
        await store.ingest(P0, [event(ANN, "6")]);
        expect(bodiesOf(await store.peek(P0, ANN))).toEqual(["6"]);
      });

      test("brings an entry accepted while the batch before it was folded", async () => {
        await store.ingest(P0, [event(ANN, "1")]);
        const batch = await store.load(P0, ALL);
        await store.ingest(P0, [event(ANN, "2")]);
        await store.commit(P0, consuming(batch));
        expect(bodiesOf(await store.peek(P0, ANN))).toEqual(["2"]);
      });
    });

    describe("survey", () => {
      test("tells the facts of each partition asked for, in that order", async () => {
        await store.ingest(2, [event(ANN, "1", NOON), event(ANN, "2", NOON + 5)]);
        const batch = await store.load(2, { ...ALL, entries: 1 });
        const commit = consuming(batch, {
          state: "walking",
          snapshots: new Map([[ANN, "ann"]]),
          timers: new Map([
            [ANN, NOON + 70],
            [BOB, NOON + 60],
          ]),
          records: chainRecords(batch.head, 1, ["r"]),
          effects: [
            { id: "1-0", body: "e" },
            { id: "1-1", body: "f" },
          ],
        });
        await store.commit(2, commit);
        const [two, zero] = await store.survey([2, 0]);
        expect(two).toEqual({
          partition: 2,
          token: commit.nextToken,
          behind: true,
          waiting: 1,
          oldestWaiting: NOON + 5,
          nextTimer: NOON + 60,
          timersDue: 0,
          now: NOON + 5,
          outboxSize: 2,
          outboxHead: "1-0",
          sessions: 1,
          state: "walking",
          seq: 1,
          journalBytes: expect.any(Number),
          archive: null,
        });
        expect(zero).toMatchObject({
          partition: 0,
          behind: false,
          waiting: 0,
          oldestWaiting: null,
          nextTimer: null,
          timersDue: 0,
          outboxSize: 0,
          outboxHead: null,
          sessions: 0,
          state: "",
          seq: 0,
        });
      });

      test("counts what waits and what is due", async () => {
        await store.ingest(P0, [event(ANN, "1", NOON), event(BOB, "2", NOON + 5), event(ANN, "3", NOON + 60)]);
        expect((await store.survey([P0]))[0]).toMatchObject({ waiting: 3 });
        const commit = {
          timers: new Map([
            [ANN, NOON + 50],
            [BOB, NOON + 70],
          ]),
        };
        await store.commit(P0, consuming(await store.load(P0, { ...ALL, entries: 1 }), commit));
        expect((await store.survey([P0]))[0]).toMatchObject({ waiting: 2, timersDue: 1 });
      });

      test("a drained partition is not behind", async () => {
        await store.ingest(P0, [event(ANN, "1")]);
        await drain();
        expect((await store.survey([P0]))[0]).toMatchObject({ behind: false, waiting: 0, oldestWaiting: null });
      });
    });

    describe("chunk", () => {
      test("hands over sessions with what a commit of their fold needs", async () => {
        await store.ingest(P0, [event(ANN, "1", NOON), event(BOB, "2", NOON + 5)]);
        const batch = await store.load(P0, { ...ALL, entries: 1 });
        const commit = consuming(batch, {
          state: "walking",
          snapshots: new Map([
            [ANN, "ann"],
            [EVE, "eve"],
          ]),
          records: chainRecords(batch.head, 1, ["r"]),
        });
        await store.commit(P0, commit);
        expect(await store.chunk(P0, null, 100)).toEqual({
          partition: P0,
          token: commit.nextToken,
          seq: 1,
          head: commit.records[0]?.hash,
          state: "walking",
          clock: NOON,
          snapshots: commit.snapshots,
          next: null,
          restarted: false,
        });
      });

      test("what was folded from it is refused once anybody else committed", async () => {
        await drain({ snapshots: new Map([[ANN, "ann"]]) });
        const chunk = await store.chunk(P0, null, 100);
        const folded = { ...chunk, cursor: "0-0", now: NOON, horizon: NOON, entries: [], due: [] };
        await drain({ snapshots: new Map([[ANN, "newer"]]) });
        const late = consuming(folded, { snapshots: new Map([[ANN, "older"]]) });
        expect(await store.commit(P0, late)).toEqual({ status: "stale" });
        expect(await store.snapshot(P0, ANN)).toBe("newer");
      });

      test("a partition that nobody ever committed on has a token, too", async () => {
        const chunk = await store.chunk(P0, null, 100);
        expect(chunk).toMatchObject({ seq: 0, head: GENESIS_HEAD, state: "", next: null });
        expect(chunk.token).toBe((await store.load(P0, ALL)).token);
      });

      test("chunk after chunk visits every session that is there all the while, whatever else changes", async () => {
        const sessions = Array.from({ length: 700 }, (_, n) => `session-${n}`);
        await drain({ snapshots: new Map(sessions.map((session) => [session, session.padEnd(100, ".")])) });
        const visited = new Set<string>();
        let position: string | null = null;
        let chunks = 0;
        do {
          const chunk: Awaited<ReturnType<PartitionStore["chunk"]>> = await store.chunk(P0, position, 50);
          for (const session of chunk.snapshots.keys()) visited.add(session);
          position = chunk.next;
          chunks += 1;
          await drain({
            snapshots: new Map([
              [`session-${chunks}`, null],
              [`another-${chunks}`, "new"],
            ]),
          });
        } while (position !== null);
        expect(chunks).toBeGreaterThan(2);
        expect([...visited]).toEqual(expect.arrayContaining(sessions.slice(chunks + 1)));
      });

      test.each([0, 1_001, 1.5])("refuses to read %s sessions", async (count) => {
        await expect(store.chunk(P0, null, count)).rejects.toThrow(RangeError);
      });
    });

    describe("scan", () => {
      test("visits every snapshot that is there all the while, whatever else changes", async () => {
        const sessions = Array.from({ length: 500 }, (_, n) => `session-${n}`);
        const body = (session: string) => session.padEnd(100, ".");
        await drain({ snapshots: new Map(sessions.map((session) => [session, body(session)])) });
        const visited = new Set<string>();
        let from: string | null = null;
        let pages = 0;
        do {
          const page: Awaited<ReturnType<PartitionStore["scan"]>> = await store.scan(P0, from, 50);
          for (const snapshot of page.snapshots) visited.add(snapshot);
          from = page.next;
          pages += 1;
          await drain({
            snapshots: new Map([
              [`session-${pages}`, null],
              [`another-${pages}`, "new"],
            ]),
          });
        } while (from !== null);
        expect(pages).toBeGreaterThan(2);
        expect([...visited]).toEqual(expect.arrayContaining(sessions.slice(pages + 1).map(body)));
      });

      test("of a partition without sessions ends at once", async () => {
        expect(await store.scan(P0, null, 10)).toEqual({ snapshots: [], next: null });
      });
    });

    describe("records", () => {
      test("come in the order asked for; one that does not exist is null", async () => {
        const records = chainRecords(GENESIS_HEAD, 1, ["a", "b", "c", "d"]);
        await drain({ records });
        const found = await store.records(P0, [3, 9, 1, 2, 4, 5]);
        expect(found.map(bodyOf)).toEqual(["c", null, "a", "b", "d", null]);
        expect(found[2]).toEqual(records[0]);
        expect(await store.records(P0, [])).toEqual([]);
      });

      test("the oldest are trimmed when the journal grows beyond its size, about", async () => {
        const journalMaxBytes = 100_000;
        store = await open({ partitionCount: 1, clock: "event", journalMaxBytes });
        let head = GENESIS_HEAD;
        for (let seq = 1; seq <= 1_000; seq += 100) {
          const bodies = Array.from({ length: 100 }, (_, n) => `${seq + n}`.padEnd(1_000, "."));
          const records = chainRecords(head, seq, bodies);
          await drain({ records });
          head = records.at(-1)?.hash as string;
        }
        const all = await store.records(
          P0,
          Array.from({ length: 1_000 }, (_, n) => n + 1),
        );
        const kept = all.filter((record) => record !== null);
        expect(kept.length * 1_000).toBeGreaterThan(journalMaxBytes / 2);
        expect(kept.length * 1_000).toBeLessThan(journalMaxBytes * 1.5);
        expect(kept.map((record) => record.seq)).toEqual(
          Array.from({ length: kept.length }, (_, n) => 1_001 - kept.length + n),
        );
        expect(await store.load(P0, ALL)).toMatchObject({ seq: 1_000, head });
      });
    });

    describe("a journal that is archived", () => {
      const journalMaxBytes = 50_000;
      /** A hundred records of about 1,000 bytes, at a time. */
      const grow = async (at = NOON): Promise<void> => {
        const { seq, head } = await store.load(P0, ALL);
        const bodies = Array.from({ length: 100 }, (_, n) => `${seq + n}`.padEnd(1_000, "."));
        const batch = await store.load(P0, ALL);
        await store.commit(P0, consuming(batch, { clock: at, records: chainRecords(head, seq + 1, bodies) }));
      };
      const noted = async (seq: number, checkpoint: number): Promise<boolean> => {
        const [record] = await store.records(P0, [seq]);
        return store.noteArchived(P0, { seq, checkpoint, hash: record?.hash ?? "" });
      };
      const archiveNote = async () => (await store.survey([P0]))[0]?.archive;

      beforeEach(async () => {
        store = await open({ partitionCount: 1, clock: "event", journalMaxBytes });
      });

      test("is trimmed up to what is archived and has a checkpoint, and no further, however large it grows", async () => {
        await store.noteArchived(P0, { seq: 0, checkpoint: 0, hash: "" });
        for (let n = 0; n < 5; n++) await grow();
        expect(await store.oldestRecord(P0)).toBe(1);
        expect(await store.newestRecord(P0)).toBe(500);
        expect(await noted(300, 200)).toBe(true);
        for (let n = 0; n < 3; n++) await grow();
        const oldest = (await store.oldestRecord(P0)) as number;
        expect(oldest).toBeGreaterThan(100);
        expect(oldest).toBeLessThanOrEqual(201);
        expect(await noted(400, 400)).toBe(true);
        await grow();
        expect(await store.oldestRecord(P0)).toBeGreaterThan(300);
        expect(await store.oldestRecord(P0)).toBeLessThanOrEqual(401);
        expect(await verifyJournal(store, P0)).toMatchObject({ intact: true, seq: 900 });
      });

      test("tombstones behind what is archived stay, too", async () => {
        await store.noteArchived(P0, { seq: 0, checkpoint: 0, hash: "" });
        await grow();
        const all = await store.records(
          P0,
          Array.from({ length: 100 }, (_, n) => n + 1),
        );
        const records = all.map((entry) => ({ seq: entry?.seq ?? 0, bodyHash: bodyHash(bodyOf(entry) ?? "") }));
        await store.erase(P0, erasing({ records }));
        for (let n = 0; n < 4; n++) await grow();
        expect(await store.oldestRecord(P0)).toBe(1);
        expect(await verifyJournal(store, P0)).toMatchObject({ intact: true, seq: 500, records: 500 });
      });

      test("is not noted where the journal has another record of that number, or none yet", async () => {
        await grow();
        const hash = "f".repeat(64);
        expect(await store.noteArchived(P0, { seq: 90, checkpoint: 0, hash })).toBe(false);
        expect(await store.noteArchived(P0, { seq: 101, checkpoint: 0, hash })).toBe(false);
        expect(await archiveNote()).toBeNull();
        expect(await noted(90, 20)).toBe(true);
        expect(await archiveNote()).toEqual({ seq: 90, checkpoint: 20 });
      });

      test("an erased record is known by the hash of its tombstone", async () => {
        await grow();
        const [entry] = await store.records(P0, [97]);
        await store.erase(
          P0,
          erasing({ records: [{ seq: 97, bodyHash: bodyHash(bodyOf(entry as JournalEntry) ?? "") }] }),
        );
        expect(await store.noteArchived(P0, { seq: 97, checkpoint: 0, hash: "f".repeat(64) })).toBe(false);
        expect(await noted(97, 0)).toBe(true);
      });

      test("is trimmed by bytes alone again once it is said that there is no archive", async () => {
        await store.noteArchived(P0, { seq: 0, checkpoint: 0, hash: "" });
        for (let n = 0; n < 3; n++) await grow();
        expect(await store.noteArchived(P0, null)).toBe(true);
        await grow();
        expect(await store.oldestRecord(P0)).toBeGreaterThan(300);
        expect(await archiveNote()).toBeNull();
      });

      test.each([
        { seq: -1, checkpoint: 0 },
        { seq: 1.5, checkpoint: 0 },
        { seq: 5, checkpoint: 6 },
        { seq: 5, checkpoint: -1 },
      ])("refuses %j", async (note) => {
        await expect(store.noteArchived(P0, { ...note, hash: "" })).rejects.toThrow(RangeError);
      });

      describe("or has an age", () => {
        const HOURS = 16;
        beforeEach(async () => {
          const journalMaxAgeMs = HOURS * HOUR_MS;
          store = await open({ partitionCount: 1, clock: "event", journalMaxBytes: 10_000_000, journalMaxAgeMs });
        });

        test("keeps what is younger, and not much of what is older", async () => {
          for (let hour = 0; hour < 40; hour++) await grow(NOON + hour * HOUR_MS);
          const oldest = (await store.oldestRecord(P0)) as number;
          // The records of hour h end at (h + 1) · 100: those of hour 23 are 16 hours old.
          expect(oldest).toBeLessThanOrEqual(2_401);
          expect(oldest).toBeGreaterThan(2_000);
        });

        test("keeps all that is not archived, and lets it go when it is", async () => {
          await store.noteArchived(P0, { seq: 0, checkpoint: 0, hash: "" });
          for (let hour = 0; hour < 40; hour++) await grow(NOON + hour * HOUR_MS);
          expect(await store.oldestRecord(P0)).toBe(1);
          expect(await noted(4_000, 1_500)).toBe(true);
          await grow(NOON + 40 * HOUR_MS);
          const oldest = (await store.oldestRecord(P0)) as number;
          expect(oldest).toBeLessThanOrEqual(1_501);
          expect(oldest).toBeGreaterThan(1_300);
        });
      });
    });

    describe("the image of a partition", () => {
      test("is nothing at first", async () => {
        expect(await store.image(P0)).toEqual({
          seq: 0,
          head: GENESIS_HEAD,
          cursor: "0-0",
          state: "",
          clock: 0,
          snapshots: new Map(),
        });
      });

      test("has every session, and what they were committed with", async () => {
        await store.ingest(P0, [event(ANN, "waits not", NOON)]);
        const batch = await store.load(P0, ALL);
        const snapshots = new Map(Array.from({ length: 2_500 }, (_, n) => [`session-${n}`, `snapshot ${n} ü`]));
        const records = chainRecords(GENESIS_HEAD, 1, ["r1", "r2"]);
        await store.commit(P0, consuming(batch, { snapshots, records, state: "policies" }));
        await store.ingest(P0, [event(BOB, "waits", NOON + 5)]);
        expect(await store.image(P0)).toEqual({
          seq: 2,
          head: records[1]?.hash,
          cursor: batch.entries[0]?.id,
          state: "policies",
          clock: NOON,
          snapshots,
        });
      });
    });

    describe("outbox", () => {
      const effects = ["1-0", "1-1", "2-0", "10-0", "10-10"].map((id) => ({ id, body: `effect ${id}` }));

      beforeEach(async () => {
        await drain({
          records: chainRecords(
            GENESIS_HEAD,
            1,
            Array.from({ length: 10 }, () => "r"),
          ),
          effects,
        });
      });

      test("is read oldest first, from behind an id, as many as asked for", async () => {
        expect(await store.outbox(P0, null, 100)).toEqual(effects);
        expect(await store.outbox(P0, "1-0", 2)).toEqual([effects[1], effects[2]]);
        expect(await store.outbox(P0, "2-0", 100)).toEqual([effects[3], effects[4]]);
        expect(await store.outbox(P0, "10-10", 100)).toEqual([]);
      });

      test("an acknowledged effect is gone, the others stay; doing it again does no harm", async () => {
        await store.acknowledge(P0, ["1-1", "10-0"]);
        await store.acknowledge(P0, ["1-1", "77-0"]);
        await store.acknowledge(P0, []);
        expect((await store.outbox(P0, null, 100)).map(({ id }) => id)).toEqual(["1-0", "2-0", "10-10"]);
        expect((await store.survey([P0]))[0]).toMatchObject({ outboxSize: 3, outboxHead: "1-0" });
      });

      test("effects are found by id; those that are gone or never were are absent", async () => {
        await store.acknowledge(P0, ["2-0"]);
        expect(await store.effects(P0, ["10-0", "2-0", "5-5", "1-0"])).toEqual([effects[3], effects[0]]);
        expect(await store.effects(P0, [])).toEqual([]);
      });

      test("goes on where it was after it had been emptied", async () => {
        await store.acknowledge(
          P0,
          effects.map(({ id }) => id),
        );
        const batch = await store.load(P0, ALL);
        const later = { id: "11-0", body: "later" };
        await store.commit(P0, consuming(batch, { records: chainRecords(batch.head, 11, ["r"]), effects: [later] }));
        expect(await store.outbox(P0, null, 100)).toEqual([later]);
      });
    });

    describe("search", () => {
      const BODIES = ["of ann", "of bob %a+", "Of Ann", "of ann and bob"];

      beforeEach(async () => {
        const sessions = BODIES.map((body, n) => [`session-${n}`, body] as const);
        await drain({
          records: chainRecords(GENESIS_HEAD, 1, BODIES),
          effects: BODIES.map((body, n) => ({ id: `${n + 1}-0`, body })),
          snapshots: new Map(sessions),
        });
        await store.ingest(
          P0,
          BODIES.map((body) => event(ANN, body)),
        );
      });

      async function searched(place: Place, text: string, count: number, from: string | null = null) {
        const bodies: string[] = [];
        const ids: string[] = [];
        let position = from;
        do {
          const { found, next }: Awaited<ReturnType<PartitionStore["search"]>> = await store.search(
            P0,
            place,
            text,
            position,
            count,
          );
          for (const { id, body } of found) {
            ids.push(id);
            bodies.push(body);
          }
          position = next;
        } while (position !== null);
        return { ids, bodies: bodies.sort() };
      }

      test.each(["inbox", "sessions", "journal", "outbox"] as const)(
        "finds every text of the %s that contains another, as it is written and not as a pattern, page by page",
        async (place) => {
          for (const count of [1, 2, 4, 100]) {
            expect((await searched(place, "ann", count)).bodies).toEqual(["of ann", "of ann and bob"]);
            expect((await searched(place, "%a+", count)).bodies).toEqual(["of bob %a+"]);
            expect((await searched(place, "nobody", count)).bodies).toEqual([]);
          }
        },
      );

      test("names what it finds as others do, and goes on behind an id", async () => {
        expect((await searched("journal", "ann", 2)).ids).toEqual(["1-0", "4-0"]);
        expect((await searched("journal", "ann", 2, "1-0")).ids).toEqual(["4-0"]);
        expect((await searched("outbox", "bob", 2)).ids).toEqual(["2-0", "4-0"]);
        expect((await searched("sessions", "bob", 2)).ids.sort()).toEqual(["session-1", "session-3"]);
        const { entries } = await store.load(P0, ALL);
        expect((await searched("inbox", "bob", 2)).ids).toEqual([entries[1]?.id, entries[3]?.id]);
      });

      test("finds the committed entry that the inbox still holds", async () => {
        await drain();
        expect((await searched("inbox", "ann and", 5)).bodies).toEqual(["of ann and bob"]);
      });
    });

    describe("erase", () => {
      const RECORDS = ["ann in", "bob in", "ann out", "eve in"];
      const bodies = RECORDS.map((body) => ({ hash: bodyHash(body) }));
      const record = (seq: number) => ({ seq, bodyHash: bodies[seq - 1]?.hash as string });

      beforeEach(async () => {
        await drain({
          records: chainRecords(GENESIS_HEAD, 1, RECORDS),
          effects: [1, 2, 3, 4].map((seq) => ({ id: `${seq}-0`, body: `effect ${seq}` })),
          snapshots: new Map([
            [ANN, "ann is active"],
            [BOB, "bob is active"],
          ]),
          timers: new Map([
            [ANN, NOON + 1],
            [BOB, NOON + HOUR_MS],
          ]),
          counters: { "in.active": 2 },
        });
      });

      test("removes sessions with their deadlines, entries, effects and what records said, and nothing else", async () => {
        await store.ingest(P0, [event(ANN, "1"), event(BOB, "2"), event(ANN, "3"), event(BOB, "4")]);
        const { entries } = await store.load(P0, ALL);
        const result = await store.erase(
          P0,
          erasing({
            sessions: new Map([[ANN, "ann is active"]]),
            entries: entries.filter(({ session }) => session === ANN).map(({ id }) => id),
            records: [record(1), record(3)],
            effects: ["1-0", "3-0"],
            counters: { "in.active": -1 },
          }),
        );
        expect(result).toEqual({ status: "erased", sessions: 1, entries: 2, records: 2, effects: 2 });
        expect(await store.snapshot(P0, ANN)).toBeNull();
        expect(await store.snapshot(P0, BOB)).toBe("bob is active");
        expect(bodiesOf(await store.load(P0, ALL))).toEqual(["2", "4"]);
        expect((await store.peek(P0, ANN)).entries).toEqual([]);
        expect(bodiesOf(await store.peek(P0, BOB))).toEqual(["2", "4"]);
        expect((await store.outbox(P0, null, 9)).map(({ id }) => id)).toEqual(["2-0", "4-0"]);
        expect(await store.counters(P0)).toEqual({ "in.active": 1 });
        expect((await store.survey([P0]))[0]).toMatchObject({ sessions: 1, nextTimer: NOON + HOUR_MS });
      });

      test("leaves a tombstone of each record, and the chain holds over it and goes on", async () => {
        const [one] = await store.records(P0, [1]);
        await store.erase(P0, erasing({ records: [record(1), { ...record(3), previous: 2 }] }));
        expect(await store.records(P0, [1, 3])).toEqual([
          { seq: 1, bodyHash: bodies[0]?.hash, hash: one?.hash, erasedAt: NOON },
          expect.objectContaining({ seq: 3, previous: 2 }),
        ]);
        expect((await store.records(P0, [1, 2, 3, 4, 5])).map(bodyOf)).toEqual([
          "erased",
          "bob in",
          "erased",
          "eve in",
          null,
        ]);
        expect(await verifyJournal(store, P0)).toMatchObject({ intact: true, records: 4, seq: 4 });
        const batch = await store.load(P0, ALL);
        await drain({ records: chainRecords(batch.head, 5, ["bob out"]) });
        expect(await verifyJournal(store, P0)).toMatchObject({ intact: true, records: 5, seq: 5 });
      });

      test("a hash that is not the body's shows in the chain", async () => {
        await store.erase(P0, erasing({ records: [{ seq: 2, bodyHash: bodyHash("bob stayed out") }] }));
        expect(await verifyJournal(store, P0)).toEqual({ intact: false, seq: 2, reason: "altered" });
      });

      test("whoever folded what is gone can't commit it back", async () => {
        await store.ingest(P0, [event(ANN, "1")]);
        const batch = await store.load(P0, ALL);
        const sessions = new Map([[ANN, "ann is active"]]);
        await store.erase(P0, erasing({ sessions, entries: batch.entries.map(({ id }) => id) }));
        for (const last of [batch.entries[0] ?? null, null]) {
          const late = consuming(batch, { last, snapshots: new Map([[ANN, "ann is locked"]]) });
          expect(await store.commit(P0, late)).toEqual({ status: "stale" });
        }
        expect(await store.snapshot(P0, ANN)).toBeNull();
      });

      test("is stale, and removes nothing, when a session is another one by now", async () => {
        const before = await seen();
        for (const stored of ["ann is locked", null]) {
          const sessions = new Map([[ANN, stored]]);
          expect(await store.erase(P0, erasing({ sessions, records: [record(1)], effects: ["1-0"] }))).toEqual({
            status: "stale",
          });
        }
        expect(await store.erase(P0, erasing({ sessions: new Map([[EVE, "eve"]]) }))).toEqual({ status: "stale" });
        expect(await seen()).toEqual(before);
      });

      test("done again finds nothing", async () => {
        const what = { records: [record(1)], effects: ["1-0"], sessions: new Map([[EVE, null]]) };
        await store.erase(P0, erasing(what));
        const before = await seen();
        expect(await store.erase(P0, erasing(what))).toEqual({
          status: "erased",
          sessions: 0,
          entries: 0,
          records: 0,
          effects: 0,
        });
        expect({ ...((await seen()) as object), token: "" }).toEqual({ ...(before as object), token: "" });
      });

      test("an entry of another session stays, whoever names it", async () => {
        await store.ingest(P0, [event(BOB, "1")]);
        const { entries } = await store.load(P0, ALL);
        const sessions = new Map([[ANN, "ann is active"]]);
        await store.erase(P0, erasing({ sessions, entries: entries.map(({ id }) => id) }));
        expect(bodiesOf(await store.load(P0, ALL))).toEqual(["1"]);
      });

      test("an entry that came meanwhile stays, and is found by a decision", async () => {
        await store.ingest(P0, [event(ANN, "1")]);
        const { entries } = await store.load(P0, ALL);
        await store.ingest(P0, [event(ANN, "2")]);
        const sessions = new Map([[ANN, "ann is active"]]);
        await store.erase(P0, erasing({ sessions, entries: entries.map(({ id }) => id) }));
        expect(bodiesOf(await store.peek(P0, ANN))).toEqual(["2"]);
      });

      test("the clock does not go back when the newest entry goes: a broadcast of its time takes its place", async () => {
        await store.ingest(P0, [event(ANN, "1", NOON + HOUR_MS)]);
        const { entries, now } = await store.load(P0, ALL);
        const sessions = new Map([[ANN, "ann is active"]]);
        await store.erase(P0, erasing({ sessions, entries: entries.map(({ id }) => id) }));
        const batch = await store.load(P0, ALL);
        expect(bodiesOf(batch)).toEqual(["the clock"]);
        expect(batch.now).toBe(now);
        const [id = ""] = idsOf(await store.ingest(P0, [event(BOB, "2", NOON)]));
        expect(firstOf(id)).toBe(NOON + HOUR_MS);
        expect(bodiesOf(await store.load(P0, ALL))).toEqual(["the clock", "2"]);
      });

      test("the cursor's own entry can go, and ids ascend as before", async () => {
        await store.ingest(P0, [event(ANN, "1")]);
        await drain();
        const { cursor } = await store.load(P0, ALL);
        const sessions = new Map([[ANN, "ann is active"]]);
        expect(await store.erase(P0, erasing({ sessions, entries: [cursor] }))).toMatchObject({ entries: 1 });
        expect((await store.survey([P0]))[0]).toMatchObject({ behind: false });
        const [id = ""] = idsOf(await store.ingest(P0, [event(BOB, "2")]));
        expect(compareIds(id, cursor)).toBeGreaterThan(0);
        expect(bodiesOf(await store.load(P0, ALL))).toEqual(["2"]);
      });

      test("purging changes nothing that can be seen, and work goes on", async () => {
        await store.ingest(P0, [event(ANN, "1"), event(BOB, "2")]);
        const { entries } = await store.load(P0, ALL);
        const sessions = new Map([[ANN, "ann is active"]]);
        const gone = { entries: [entries[0]?.id as string], records: [record(1), record(4)], effects: ["4-0"] };
        await store.erase(P0, erasing({ sessions, ...gone }));
        const before = await seen();
        await store.purge(P0);
        expect(await seen()).toEqual(before);
        expect(await verifyJournal(store, P0)).toMatchObject({ intact: true });
        const batch = await store.load(P0, ALL);
        const effect = { id: "5-0", body: "effect 5" };
        await drain({ records: chainRecords(batch.head, 5, ["bob out"]), effects: [effect] });
        expect((await store.records(P0, [4, 5])).map(bodyOf)).toEqual(["erased", "bob out"]);
        expect((await store.outbox(P0, "3-0", 9)).map(({ id }) => id)).toEqual(["5-0"]);
      });

      test("tombstones are trimmed with the journal", async () => {
        const journalMaxBytes = 100_000;
        store = await open({ partitionCount: 1, clock: "event", journalMaxBytes });
        let head = GENESIS_HEAD;
        for (let seq = 1; seq <= 2_000; seq += 100) {
          const texts = Array.from({ length: 100 }, (_, n) => `${seq + n}`.padEnd(1_000, "."));
          const records = chainRecords(head, seq, texts);
          await drain({ records });
          const odd = records.filter((one) => one.seq % 2 === 1);
          await store.erase(
            P0,
            erasing({ records: odd.map((one) => ({ seq: one.seq, bodyHash: bodyHash(one.body) })) }),
          );
          head = records.at(-1)?.hash as string;
        }
        const oldest = (await store.oldestRecord(P0)) as number;
        expect(oldest).toBeGreaterThan(1_400);
        expect(oldest).toBeLessThan(1_950);
        const before = await store.records(
          P0,
          Array.from({ length: oldest - 1 }, (_, n) => n + 1),
        );
        expect(before.every((entry) => entry === null)).toBe(true);
        expect(await verifyJournal(store, P0)).toMatchObject({ intact: true, seq: 2_000 });
      });

      test("a journal of which everything is erased stays bounded", async () => {
        store = await open({ partitionCount: 1, clock: "event", journalMaxBytes: 50_000 });
        let head = GENESIS_HEAD;
        for (let seq = 1; seq <= 2_000; seq += 100) {
          const records = chainRecords(
            head,
            seq,
            Array.from({ length: 100 }, () => "r"),
          );
          await drain({ records });
          const all = records.map((one) => ({ seq: one.seq, bodyHash: bodyHash(one.body) }));
          await store.erase(P0, erasing({ records: all }));
          head = records.at(-1)?.hash as string;
        }
        await drain();
        expect((await store.oldestRecord(P0)) as number).toBeGreaterThan(1_500);
        expect(await verifyJournal(store, P0)).toMatchObject({ intact: true, seq: 2_000 });
      });

      test.each<[string, Partial<Erasure>]>([
        ["no token", { nextToken: "" }],
        ["a broadcast for a session", { sessions: new Map([[BROADCAST, null]]) }],
        ["more than it takes", { effects: Array.from({ length: MAX_ERASED + 1 }, (_, n) => `${n + 1}-0`) }],
        ["a body in a hash's place", { records: [{ seq: 1, bodyHash: "ann in" }] }],
        ["a record without number", { records: [{ ...record(1), seq: 0 }] }],
        ["half a counter", { counters: { "in.active": 0.5 } }],
      ])("refuses %s, and removes nothing", async (_, what) => {
        const before = await seen();
        await expect(store.erase(P0, erasing({ records: [record(1)], ...what }))).rejects.toThrow(RangeError);
        expect(await seen()).toEqual(before);
      });
    });

    test("counters of a partition without any are empty", async () => {
      expect(await store.counters(P0)).toEqual({});
    });
  });
}
