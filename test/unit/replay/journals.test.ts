/** Whole journals folded again: what was recorded comes out, every change to it shows, and other policies give what they would have given. */
import { beforeEach, describe, expect, test } from "vitest";
import type { SessionEvent } from "../../../machines/events/catalogue.js";
import type { JournalRecord } from "../../../machines/outcome.js";
import { eventBody } from "../../../src/ingest/inbox-body.js";
import { replayPartition } from "../../../src/replay/replay-partition.js";
import { type PartitionVerdict, verifyPartition } from "../../../src/replay/verify-partition.js";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import { chainRecords, GENESIS_HEAD, isTombstone, verifyChain } from "../../../src/store/journal-chain.js";
import type { JournalEntry, SessionKey, StoredRecord } from "../../../src/store/partition-store.js";
import { MachineVersionError } from "../../../src/store/partition-view.js";
import { sessionKey } from "../../../src/store/session-key.js";
import { POSTURE, TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";

const MINUTE_MS = 60_000;
const DEVICES = ["phone-1", "phone-2", "phone-3"];

const ios = samplePolicy("contoso-ios-level2");
const strict = { ...ios, minimumRequiredOsVersion: "18.0" };

let deployment: TestDeployment;
let store: MemoryPartitionStore;

/** A morning: three people get in, come and go; at noon stricter rules; one phone is updated in time. */
beforeEach(async () => {
  store = new MemoryPartitionStore({ deployment: { partitionCount: 1, clock: "event" } });
  deployment = new TestDeployment(store);
  await deployment.publish(1, [ios]);
  for (const device of DEVICES) await deployment.getIn(`${device}/adele`);
  for (let turn = 0; turn < 3; turn++) {
    deployment.now += MINUTE_MS;
    await deployment.send(...DEVICES.map((device) => deployment.event("app.backgrounded", {}, `${device}/adele`)));
    deployment.now += 45 * MINUTE_MS;
    await deployment.send(...DEVICES.map((device) => deployment.event("app.foregrounded", {}, `${device}/adele`)));
  }
  await deployment.drainAll();
});

async function publishStrict(): Promise<void> {
  deployment.now += MINUTE_MS;
  await deployment.send(deployment.event("posture.reported", { ...POSTURE, osVersion: "18.1" }, "phone-2/adele"));
  deployment.now += MINUTE_MS;
  await deployment.publish(2, [strict]);
  deployment.now += 60 * MINUTE_MS;
  await deployment.send(...DEVICES.map((device) => deployment.event("app.launched", {}, `${device}/adele`)));
  await deployment.drainAll();
  await deployment.walkAll();
}

const journal = async (): Promise<readonly StoredRecord[]> => {
  const { seq } = await store.chunk(0, null, 1);
  const all = await store.records(
    0,
    Array.from({ length: seq }, (_, n) => n + 1),
  );
  return all.filter((entry): entry is StoredRecord => entry !== null && !isTombstone(entry));
};

/** The partition as it is, but for its journal. */
async function verifyWith(records: readonly (JournalEntry | null)[]): Promise<PartitionVerdict> {
  const bySeq = new Map(records.flatMap((entry) => (entry === null ? [] : [[entry.seq, entry]])));
  const tampered = new Proxy(store, {
    get: (target, name) =>
      name === "records"
        ? async (_: number, seqs: readonly number[]) => seqs.map((seq) => bySeq.get(seq) ?? null)
        : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
  });
  return verifyPartition({ store: tampered, catalogues: deployment.catalogues }, 0);
}

const verify = async () => verifyPartition({ store, catalogues: deployment.catalogues }, 0);
const rechained = (bodies: readonly string[]) => chainRecords(GENESIS_HEAD, 1, bodies);

describe("verify", () => {
  test("holds where two versions were published while the clock stood still, and sessions had the first before the second came", async () => {
    await deployment.publish(2, [strict]);
    await deployment.drainAll();
    await deployment.walkAll();
    await deployment.publish(3, [ios]);
    await deployment.drainAll();
    await deployment.walkAll();
    expect(await verify()).toMatchObject({ faultCount: 0, compared: 3 });
    const versions = (await journal())
      .map(({ body }) => JSON.parse(body) as JournalRecord)
      .flatMap(({ event, version }) => (event.type === "policy.changed" ? [`version ${version}`] : []));
    expect(versions.sort()).toEqual([2, 2, 2, 3, 3, 3].map((version) => `version ${version}`));
  });

  test("what was written holds, and every stored session is where its records lead", async () => {
    await publishStrict();
    expect(await verify()).toMatchObject({
      compared: 3,
      faultCount: 0,
      faults: [],
      notReplayed: { historyMissing: 0 },
    });
  });

  test("a session that was set aside long after its last record is no fault, whoever brought it up to then", async () => {
    deployment.now += MINUTE_MS;
    await deployment.publish(2, [ios]);
    await deployment.drainAll();
    await deployment.walkAll();
    deployment.now += 5 * MINUTE_MS;
    const [session, device, id] = [`${TENANT}/phone-1/adele/azure-mobile`, "phone-1", "poison"];
    const event = { type: "membership.changed", groups: null } as unknown as SessionEvent;
    const body = eventBody({ session, device, source: "app://test", id, time: deployment.now, event });
    await store.ingest(0, [{ session: sessionKey(session), body, time: deployment.now, fingerprint: null }]);
    await deployment.drainAll();
    expect(await store.snapshot(0, sessionKey(session))).toContain("membership.changed");
    expect(await verify()).toMatchObject({ compared: 3, faultCount: 0, faults: [] });
  });

  test("events that wait for a worker are no fault", async () => {
    await deployment.send(deployment.event("account.disabled", {}, "phone-1/adele"));
    expect((await verify()).faultCount).toBe(0);
  });

  test.each([
    [
      "a body changed",
      (records) => records.with(7, { ...records[7]!, body: records[7]!.body.replace("adele", "alice") }),
      8,
      "altered",
    ],
    ["a hash changed", (records) => records.with(7, { ...records[7]!, hash: GENESIS_HEAD }), 8, "altered"],
    ["a record removed", (records) => records.toSpliced(7, 1), 8, "missing"],
    [
      "two bodies swapped",
      (records) =>
        records.with(7, { ...records[7]!, body: records[8]!.body }).with(8, { ...records[8]!, body: records[7]!.body }),
      8,
      "altered",
    ],
    [
      "a record inserted",
      (records) => [
        ...records.slice(0, 7),
        ...rechained([records[0]!.body]).map(({ body, hash }) => ({ seq: 8, body, hash })),
        ...records.slice(7).map((one) => ({ ...one, seq: one.seq + 1 })),
      ],
      8,
      "altered",
    ],
  ] satisfies [string, (records: readonly StoredRecord[]) => readonly JournalEntry[], number, string][])(
    "%s: the first bad record is named",
    async (_, change, seq, what) => {
      const { faults } = await verifyWith(change(await journal()));
      expect(faults.find((fault) => ["altered", "missing", "head"].includes(fault.what))).toMatchObject({ seq, what });
    },
  );

  test("a journal that was altered and chained anew is found by what it leads to", async () => {
    const bodies = (await journal()).map(({ body }) => body);
    const place = bodies.findIndex((body) => body.includes('"pin.set"'));
    const record = JSON.parse(bodies[place]!) as { effects: unknown[] };
    record.effects = [];
    const { faults } = await verifyWith(rechained(bodies.with(place, JSON.stringify(record))));
    expect(faults.map(({ what }) => what)).toEqual(["diverged", "head"]);
    expect(faults[0]).toMatchObject({
      seq: place + 1,
      detail: { replayed: { event: "pin.set", effects: ["grantAccess"] } },
    });
  });

  test("a stored session that is not where its records lead is found", async () => {
    const { snapshots, token } = await store.chunk(0, null, 10);
    const [[key, text] = ["", ""]] = snapshots;
    await store.commit(0, {
      token,
      nextToken: "another",
      last: null,
      clock: 0,
      snapshots: new Map([
        [key, text.replace('"s":"active"', '"s":"locked"').replace('"s":"locked"', '"s":"pinSetup"')],
      ]),
      timers: new Map(),
      consumed: new Map(),
      records: [],
      effects: [],
      counters: {},
    });
    expect((await verify()).faults.map(({ what }) => what)).toEqual(["snapshot"]);
  });

  test("sessions whose first records were trimmed are counted, and the rest is checked", async () => {
    const all = await journal();
    const first = all.findIndex(({ body }) => (JSON.parse(body) as JournalRecord).session.includes("phone-2"));
    const kept = all.slice(first);
    const trimmed = new Proxy(store, {
      get: (target, name) =>
        name === "oldestRecord"
          ? async () => kept[0]!.seq
          : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
    });
    const verdict = await verifyPartition({ store: trimmed, catalogues: deployment.catalogues }, 0);
    expect(verdict).toMatchObject({
      oldest: kept[0]!.seq,
      faultCount: 0,
      compared: 2,
      notReplayed: { historyMissing: 1 },
    });
  });
});

test("a record behind the last one that the partition names is a strange hand's", async () => {
  const { length } = await journal();
  const longer = new Proxy(store, {
    get: (target, name) =>
      name === "newestRecord"
        ? async () => length + 1
        : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
  });
  const { faults } = await verifyPartition({ store: longer, catalogues: deployment.catalogues }, 0);
  expect(faults).toMatchObject([{ what: "surplus", seq: length + 1 }]);
});

describe("P9: random changes", () => {
  let random = 20_260_302;
  const next = (below: number) => {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((random / 2_147_483_648) * below);
  };
  const flip = (text: string, at = next(text.length)) =>
    text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);

  test(
    "8,000 of 8,000 to a journal are found: flipped, removed, swapped and inserted",
    { timeout: 60_000 },
    async () => {
      const records = await journal();
      const { head } = await store.chunk(0, null, 1);
      const changes: readonly ((n: number) => readonly JournalEntry[])[] = [
        (n) => records.with(n, { ...records[n]!, body: flip(records[n]!.body) }),
        (n) => records.with(n, { ...records[n]!, hash: flip(records[n]!.hash) }),
        (n) => records.toSpliced(n, 1).map((one, place) => ({ ...one, seq: place + 1 })),
        (n) => {
          const other = (n + 1 + next(records.length - 1)) % records.length;
          return records.with(n, { ...records[other]!, seq: n + 1 }).with(other, { ...records[n]!, seq: other + 1 });
        },
        (n) =>
          records.toSpliced(n, 0, records[next(records.length)]!).map((one, place) => ({ ...one, seq: place + 1 })),
      ];
      let found = 0;
      for (let run = 0; run < 8_000; run++) {
        const change = changes[run % changes.length]!;
        const verdict = verifyChain(GENESIS_HEAD, 1, change(next(records.length)));
        if (!verdict.intact || verdict.head !== head) found++;
      }
      expect(found).toBe(8_000);
    },
  );

  test(
    "2,000 of 2,000 to stored sessions are found: flipped, cut, removed, swapped and inserted",
    { timeout: 60_000 },
    async () => {
      const whole = await store.chunk(0, null, 10);
      const stored = [...whole.snapshots] as const;
      const one = () => stored[next(stored.length)] as (typeof stored)[number];
      const withText = (change: (text: string) => string) => {
        const [key, text] = one();
        return new Map(stored).set(key, change(text));
      };
      const changes: readonly (() => ReadonlyMap<SessionKey, string>)[] = [
        () => withText((text) => flip(text)),
        () => withText((text) => text.replace(/\d(?=[^\d]*$)/, (digit) => String((Number(digit) + 1) % 10))),
        () => withText((text) => text.slice(0, next(text.length))),
        () => withText((text) => text.replace(/,"f":\{/, `,"f":{"note":"${next(1_000)}",`)),
        () => {
          const [key] = one();
          return new Map(stored.filter(([other]) => other !== key));
        },
        () => {
          const [key, text] = one();
          const [other, others] = stored.find(([another]) => another !== key) as (typeof stored)[number];
          return new Map(stored).set(key, others).set(other, text);
        },
        () => {
          const [, text] = one();
          const id = `${TENANT}/phone-${next(1_000_000)}/mallory/azure-mobile` as const;
          return next(2) === 0
            ? new Map(stored).set(sessionKey(id), text)
            : new Map(stored).set(sessionKey(id), text.replace(/"id":"[^"]*"/, `"id":"${id}"`));
        },
      ];
      let found = 0;
      for (let run = 0; run < 2_000; run++) {
        const snapshots = changes[run % changes.length]!();
        const changed = new Proxy(store, {
          get: (target, name) =>
            name === "chunk"
              ? async () => ({ ...whole, snapshots })
              : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
        });
        // A version that this machine does not know is no verdict: the whole check stops and says so.
        const faults = await verifyPartition({ store: changed, catalogues: deployment.catalogues }, 0).then(
          ({ faultCount }) => faultCount,
          (error: unknown) => (error instanceof MachineVersionError ? 1 : Promise.reject(error)),
        );
        if (faults > 0) found++;
      }
      expect(found).toBe(2_000);
    },
  );
});

describe("what-if", () => {
  const imagine = async (policies: readonly unknown[], at: number) =>
    replayPartition({ store, catalogues: deployment.catalogues }, 0, {
      scope: { tenant: TENANT },
      imagined: { tenant: TENANT, at, content: { policies, conditionalAccess: [], settings: {} } },
    });

  test("what a publication then did was predicted: nobody ends elsewhere, at no other time", async () => {
    const at = deployment.now + 2 * MINUTE_MS;
    await publishStrict();
    const { diverged, elsewhere, lockouts, recordedLockouts, recordedStates, states } = await imagine([strict], at);
    expect([diverged, elsewhere]).toEqual([0, 0]);
    expect(states).toEqual(recordedStates);
    expect(lockouts).toBe(recordedLockouts);
    expect(recordedLockouts).toBe(2);
  });

  test("had it never been published, two would not have been locked out", async () => {
    await publishStrict();
    const report = await imagine([ios], 0);
    expect(report).toMatchObject({
      sessions: 3,
      elsewhere: 2,
      gainAccess: 2,
      loseAccess: 0,
      recordedLockouts: 2,
      lockouts: 0,
    });
    expect(report.fates.map(({ session }) => session.split("/")[1])).toEqual(["phone-1", "phone-3"]);
  });

  test("stricter rules from the beginning: who loses access, and since when", async () => {
    const report = await imagine([strict], 0);
    expect(report).toMatchObject({ elsewhere: 3, loseAccess: 3, wiped: 0 });
    expect(report.fates[0]).toMatchObject({
      recorded: { decision: "challenge" },
      imagined: { decision: "deny" },
      since: Date.parse("2026-03-02T08:00:00Z"),
    });
  });

  test("policies of one tenant change nothing for another", async () => {
    const { elsewhere, sessions } = await replayPartition({ store, catalogues: deployment.catalogues }, 0, {
      scope: {},
      imagined: { tenant: "fabrikam", at: 0, content: { policies: [strict], conditionalAccess: [], settings: {} } },
    });
    expect([sessions, elsewhere]).toEqual([3, 0]);
  });
});
