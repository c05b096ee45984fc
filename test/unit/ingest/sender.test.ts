/** A long stream is sent in order and counted once, whatever becomes of the store's answers. */
import { describe, expect, test } from "vitest";
import { StoreUnavailableError } from "../../../src/errors.js";
import { readEntry } from "../../../src/ingest/inbox-body.js";
import { CHUNK_EVENTS, Sender, SendingStoppedError, type Outgoing } from "../../../src/ingest/sender.js";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import type { Append, PartitionStore } from "../../../src/store/partition-store.js";
import { newDeployment } from "../../../src/store/deployment.js";
import { MemoryUserStore } from "../../../src/users/memory-user-store.js";

const EVENTS = 2_500;
const users = new MemoryUserStore({ deployment: newDeployment({}) });

const event = (n: number): Outgoing => ({
  place: n,
  input: {
    specversion: "1.0",
    id: String(n),
    source: "test",
    type: "app.launched",
    subject: `phone-${n % 3}/adele`,
    time: new Date(1_000 * n).toISOString(),
  },
});

function chunksOf(events: readonly Outgoing[]): Outgoing[][] {
  const chunks: Outgoing[][] = [];
  for (let from = 0; from < events.length; from += CHUNK_EVENTS) chunks.push(events.slice(from, from + CHUNK_EVENTS));
  return chunks;
}

const stream = (): Outgoing[] => Array.from({ length: EVENTS }, (_, n) => event(n));

/** A call: carried out and answered, carried out with its answer lost, lost on its way, or known to have gone nowhere. */
type Fate = "answered" | "answerLost" | "lost" | "unsent";

/** @param fates of the calls to come, in order; when they are spent, all is well */
function storeWith(fates: readonly Fate[]): PartitionStore {
  const store = new MemoryPartitionStore({ deployment: { partitionCount: 2, clock: "event" } });
  const carryOut = store.ingest.bind(store);
  const toCome = [...fates];
  store.ingest = async (partition: number, appends: readonly Append[]) => {
    const fate = toCome.shift() ?? "answered";
    if (fate === "lost") throw new StoreUnavailableError("gone", { outcomeUnknown: true });
    if (fate === "unsent") throw new StoreUnavailableError("not connected", { outcomeUnknown: false });
    const appended = await carryOut(partition, appends);
    if (fate === "answerLost") throw new StoreUnavailableError("silent", { outcomeUnknown: true });
    return appended;
  };
  return store;
}

/** Ids of the events in each inbox, in order. */
async function inboxes(store: PartitionStore): Promise<number[][]> {
  return Promise.all(
    [0, 1].map(async (partition) => {
      const { entries } = await store.load(partition, { entries: 10_000, bytes: 64 * 1024 * 1024 });
      return entries.map((entry) => {
        const read = readEntry(entry);
        return read.kind === "event" ? Number(read.occurrence.origin?.id) : Number.NaN;
      });
    }),
  );
}

const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((one, other) => one - other);

describe.each<[string, Fate[]]>([
  ["all is well", []],
  ["answers are lost", ["answerLost", "answered", "answerLost", "answerLost"]],
  ["calls are lost", ["lost", "lost", "answered", "lost"]],
  ["an answer is lost, and then nothing can be sent", ["answerLost", "answerLost", "unsent", "unsent"]],
  ["both", ["answered", "lost", "answerLost", "lost", "answerLost"]],
])("%s", (_, fates) => {
  test("every event is stored once, in order, and counted as accepted", async () => {
    const store = storeWith(fates);
    const sender = new Sender({ store, users, wake: () => {} }, "contoso", { retryForMs: 10_000 });
    await sender.sendAll(chunksOf(stream()));
    expect(sender.totals).toEqual({
      sent: EVENTS,
      accepted: EVENTS,
      duplicate: 0,
      conflict: 0,
      refused: 0,
      unknown: 0,
    });
    const stored = await inboxes(store);
    for (const ids of stored) expect(ids).toEqual(ascending(ids));
    expect(stored.flat().length).toBe(EVENTS);
  });
});

test("what was there before looks accepted where the first answer was lost, and it is told of how many that may be so", async () => {
  const store = storeWith(["answered", "answered", "answerLost"]);
  const sender = new Sender({ store, users, wake: () => {} }, "contoso", { retryForMs: 10_000 });
  // Of one device, so of one partition: what comes again is answered by one call.
  const day = [0, 3, 6].map(event);
  await sender.send(day);
  await sender.send(day);
  expect([sender.totals.duplicate, sender.takenForAccepted]).toEqual([3, 0]);
  await sender.send([...day, event(9)]);
  expect(sender.totals).toMatchObject({ accepted: 7, duplicate: 3, unknown: 0 });
  expect(sender.takenForAccepted).toBe(4);
  expect((await inboxes(store)).flat()).toHaveLength(4);
});

test("what was there before is a duplicate, and what is refused is told with its place", async () => {
  const store = storeWith([]);
  const told: [number, string][] = [];
  const options = {
    retryForMs: 0,
    onNotTaken: (place: number, problem: "conflict" | { readonly code: string }) =>
      void told.push([place, problem === "conflict" ? problem : problem.code]),
  };
  const send = async (...chunk: Outgoing[]) => {
    const sender = new Sender({ store, users, wake: () => {} }, "contoso", options);
    await sender.send(chunk);
    return sender.totals;
  };
  await send(event(1));
  const changed = { ...(event(1) as { input: object }).input, subject: "phone-1/bruno" };
  const totals = await send(event(1), { place: 7, input: changed }, { place: 8, input: {} }, event(9));
  expect(totals).toEqual({ sent: 4, accepted: 1, duplicate: 1, conflict: 1, refused: 1, unknown: 0 });
  expect(told).toEqual([
    [7, "conflict"],
    [8, "event.invalid"],
  ]);
});

test("a store that stays silent stops the sending, and the first event without an answer is named", async () => {
  const store = storeWith(["answered", "answered", "answered", "lost", "lost", "lost", "lost"]);
  const outages: string[] = [];
  const sender = new Sender({ store, users, wake: () => {} }, "contoso", {
    retryForMs: 150,
    onOutage: (outage) => outages.push(outage),
  });
  const error = await sender.sendAll(chunksOf(stream())).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SendingStoppedError);
  const { accepted, unknown, sent } = sender.totals;
  expect([accepted + unknown, outages]).toEqual([sent, ["began"]]);
  // Sent again from there, all are in, once and in order.
  const { resumeFrom } = error as SendingStoppedError;
  const rest = new Sender({ store, users, wake: () => {} }, "contoso", { retryForMs: 10_000 });
  await rest.sendAll(chunksOf(stream().slice(resumeFrom)));
  const stored = await inboxes(store);
  for (const ids of stored) expect(ids).toEqual(ascending(ids));
  expect(stored.flat().length).toBe(EVENTS);
});
