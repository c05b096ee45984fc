/**
 * Bugs put in on purpose, each at the port of the store or beside it, so that the product needs no switch for them: a simulation that does not
 * find them would find no others of their kind.
 */
import { TIMER_EVENTS } from "../../machines/move.js";
import type { JournalRecord } from "../../machines/outcome.js";
import { earliestTimer, type Session } from "../../machines/session/session.js";
import { encodeSession } from "../../machines/session/snapshot.js";
import { effectId } from "../../src/effects/effect-id.js";
import { chainRecords } from "../../src/store/journal-chain.js";
import type { Batch, Commit, PartitionStore } from "../../src/store/partition-store.js";
import { readEffect, readStored } from "../../src/store/partition-view.js";
import type { Bug } from "./fleet.js";
import { PREFIX } from "./server.js";
import { POISON_GROUP } from "./world.js";

const ALL = { entries: 10_000, bytes: 64 * 1024 * 1024 };

type Calls = Partial<PartitionStore>;

/** The store with some calls of its own. */
function withCalls(store: PartitionStore, calls: Calls): PartitionStore {
  return new Proxy(store, {
    get: (target, name: keyof PartitionStore) => calls[name] ?? Reflect.get(target, name, target),
  });
}

const inStore =
  (calls: (store: PartitionStore) => Calls): NonNullable<Bug["store"]> =>
  (store) =>
    withCalls(store, calls(store));

/** What is stored now, as whoever folds would see it. */
async function current(store: PartitionStore, partition: number): Promise<Batch> {
  return store.load(partition, ALL);
}

/** The commit as the server would take it that numbers records itself: what it was folded from does not matter to it. */
async function asIfLoadedNow(store: PartitionStore, partition: number, commit: Commit): Promise<Commit> {
  const { token, seq, head } = await current(store, partition);
  const first = commit.records[0]?.seq ?? seq + 1;
  const moved = (id: string): string => id.replace(/^\d+/, (number) => String(Number(number) - first + seq + 1));
  return {
    ...commit,
    token,
    nextToken: `${commit.nextToken} after ${token}`,
    records: chainRecords(
      head,
      seq + 1,
      commit.records.map(({ body }) => body),
    ),
    effects: commit.effects.map(({ id, body }) => ({ id: moved(id), body })),
  };
}

/** Stored sessions that the commit changes, as they are before it; those that can be read. */
async function before(store: PartitionStore, partition: number, { snapshots }: Commit): Promise<Map<string, Session>> {
  const sessions = new Map<string, Session>();
  for (const key of snapshots.keys()) {
    const text = await store.snapshot(partition, key);
    const stored = text === null ? undefined : readStored(text);
    if (stored !== undefined && !("unreadable" in stored)) sessions.set(key, stored);
  }
  return sessions;
}

/** The commit with these deadlines armed besides. */
function withTimers(commit: Commit, added: ReadonlyMap<string, Session["timers"]>): Commit {
  const snapshots = new Map(commit.snapshots);
  const timers = new Map(commit.timers);
  for (const [key, more] of added) {
    const text = snapshots.get(key);
    const session = typeof text === "string" ? readStored(text) : undefined;
    if (session === undefined || "unreadable" in session) continue;
    const changed = { ...session, timers: { ...more, ...session.timers } };
    snapshots.set(key, encodeSession(changed));
    timers.set(key, earliestTimer(changed));
  }
  return { ...commit, snapshots, timers };
}

const TIMER_IDS: ReadonlyMap<string, string> = new Map([...TIMER_EVENTS].map(([id, { type }]) => [type, id]));

export const PLANTED: Readonly<Record<string, Bug>> = {
  "no commit token": {
    store: inStore((store) => ({
      commit: async (partition, commit) => store.commit(partition, await asIfLoadedNow(store, partition, commit)),
    })),
  },
  "no check of the last entry's nonce": {
    store: inStore((store) => ({
      commit: async (partition, commit) => {
        const { last } = commit;
        const entry = last && (await current(store, partition)).entries.find(({ id }) => id === last.id);
        return store.commit(partition, entry ? { ...commit, last: { id: entry.id, nonce: entry.nonce } } : commit);
      },
    })),
  },
  "stale snapshot cache": {
    process: (store) => {
      const cache = new Map<string, string | null>();
      return withCalls(store, {
        load: async (partition, limits) => {
          const batch = await store.load(partition, limits);
          const snapshots = new Map(batch.snapshots);
          for (const [key, text] of batch.snapshots) {
            const cached = cache.get(`${partition} ${key}`);
            if (typeof cached === "string") snapshots.set(key, cached);
            else cache.set(`${partition} ${key}`, text);
          }
          return { ...batch, snapshots };
        },
        commit: async (partition, commit) => {
          const result = await store.commit(partition, commit);
          if (result.status === "committed")
            for (const [key, text] of commit.snapshots) cache.set(`${partition} ${key}`, text);
          return result;
        },
      });
    },
  },
  "write before validate": {
    store: inStore((store) => ({
      commit: async (partition, commit) => {
        const result = await store.commit(partition, commit);
        if (result.status === "stale") {
          const { token } = await current(store, partition);
          const { snapshots, timers } = commit;
          const nothing = { consumed: new Map(), records: [], effects: [], counters: {}, clock: 0, last: null };
          await store.commit(partition, { token, nextToken: `${token}+`, snapshots, timers, ...nothing });
        }
        return result;
      },
    })),
  },
  "effect outside the commit": {
    process: (store, fleet) =>
      withCalls(store, {
        commit: async (partition, commit) => {
          const result = await store.commit(partition, { ...commit, effects: [] });
          if (result.status === "committed")
            fleet.take(commit.effects.map(({ id, body }) => readEffect(effectId(PREFIX, partition, id, body), body)));
          return result;
        },
      }),
  },
  "duplicate check off": {
    store: inStore((store) => ({
      ingest: async (partition, appends) =>
        store.ingest(
          partition,
          appends.map((append) => ({ ...append, fingerprint: null })),
        ),
    })),
  },
  "trim above the cursor": {
    store: inStore((store) => {
      // What was trimmed is simply not there: the newest but one of those that wait.
      const trimmed = new Set<string>();
      const isThere = ({ nonce, id }: { readonly nonce: string; readonly id: string }) =>
        !trimmed.has(`${id} ${nonce}`);
      return {
        commit: async (partition, commit) => {
          const result = await store.commit(partition, commit);
          const { entries } = await current(store, partition);
          const over = entries.length > 3 ? entries.at(-2) : undefined;
          if (result.status === "committed" && over !== undefined) trimmed.add(`${over.id} ${over.nonce}`);
          return result;
        },
        load: async (partition, limits) => {
          const batch = await store.load(partition, limits);
          return { ...batch, entries: batch.entries.filter(isThere) };
        },
        peek: async (partition, session) => {
          const peek = await store.peek(partition, session);
          return { ...peek, entries: peek.entries.filter(isThere) };
        },
      };
    }),
  },
  "timer not cancelled": {
    store: inStore((store) => ({
      commit: async (partition, commit) => {
        const passed = firedBy(commit);
        const added = new Map<string, Session["timers"]>();
        for (const [key, session] of await before(store, partition, commit)) {
          const kept = Object.entries(session.timers).filter(([id]) => !passed.has(`${session.id} ${id}`));
          added.set(key, Object.fromEntries(kept));
        }
        return store.commit(partition, withTimers(commit, added));
      },
    })),
  },
  "timer fired twice": {
    store: inStore((store) => ({
      commit: async (partition, commit) => {
        const passed = firedBy(commit);
        const added = new Map<string, Session["timers"]>();
        for (const [key, session] of await before(store, partition, commit)) {
          const again = Object.entries(session.timers).filter(([id]) => passed.has(`${session.id} ${id}`));
          // Once is enough: what passed a moment after itself was put there by this.
          added.set(
            key,
            Object.fromEntries(
              again.filter(([, due]) => due % 1_000 !== 7).map(([id, due]) => [id, due - (due % 1_000) + 1_007]),
            ),
          );
        }
        return store.commit(partition, withTimers(commit, added));
      },
    })),
  },
  "sweeper off": { withoutSweep: true },
  "decision ignores uncommitted events": {
    store: inStore((store) => ({
      peek: async (partition, session) => ({ ...(await store.peek(partition, session)), entries: [] }),
    })),
  },
  "decision ignores validUntil": {
    store: inStore((store) => ({
      peek: async (partition, session) => {
        const peek = await store.peek(partition, session);
        const stored = peek.snapshot === null ? undefined : readStored(peek.snapshot);
        return stored === undefined || "unreadable" in stored ? peek : { ...peek, now: stored.asOf };
      },
    })),
  },
  "poison event skipped in silence": {
    store: inStore((store) => ({
      load: async (partition, limits) => {
        const batch = await store.load(partition, limits);
        const entries = batch.entries.filter(({ body }) => !body.includes(`"${POISON_GROUP}"`));
        // The last one stays, so that the cursor moves.
        return entries.length === 0 ? batch : { ...batch, entries };
      },
    })),
  },
};

/** `session timer`, for each deadline that passed in the commit. */
function firedBy({ records }: Commit): Set<string> {
  return new Set(
    records.flatMap(({ body }) => {
      const { session, event } = JSON.parse(body) as JournalRecord;
      const id = TIMER_IDS.get(event.type);
      return id === undefined ? [] : [`${session} ${id}`];
    }),
  );
}
