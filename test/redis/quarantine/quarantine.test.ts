/** Sessions that were set aside, on a real Redis: found, looked at, let go on and given up, whatever comes in between. */
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SessionId } from "../../../machines/session/session.js";
import { ErasureUnfinishedError } from "../../../src/erase/erase-errors.js";
import { erasePerson } from "../../../src/erase/erase-person.js";
import { RulesSource } from "../../../src/control/rules-source.js";
import { createLogger } from "../../../src/log.js";
import { findQuarantined } from "../../../src/quarantine/find-quarantined.js";
import { type Decided, decideQuarantine } from "../../../src/quarantine/decide-quarantine.js";
import { NotQuarantinedError } from "../../../src/quarantine/quarantine-errors.js";
import { readSetAside } from "../../../src/quarantine/set-aside.js";
import { connectStore } from "../../../src/redis/connection.js";
import { readHistory } from "../../../src/sessions/history.js";
import { look } from "../../../src/sessions/look.js";
import { partitionKeys } from "../../../src/store/keys.js";
import type { PartitionStore } from "../../../src/store/partition-store.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import { partitionOf, sessionKey } from "../../../src/store/session-key.js";
import { verifyJournal } from "../../../src/store/verify-journal.js";
import { Drainer } from "../../../workers/drain.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { interposed } from "../../support/interposed.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";

const PARTITIONS = 4;
const WAIT = { waitMs: 5_000 };
const idOf = (subject: string): SessionId => `${TENANT}/${subject}/azure-mobile`;
const ADELE = idOf("phone-1/adele");
const STRICT = { ...samplePolicy("contoso-ios-level2"), minimumRequiredOsVersion: "99.0" };

let server: TestRedis;
let redis: Redis;
let store: PartitionStore;
let deployment: TestDeployment;

beforeEach(async () => {
  server = await startRedis();
  redis = await connectStore(server.url);
  store = await openRedisPartitionStore(redis, {
    prefix: server.prefix,
    deployment: { partitionCount: PARTITIONS, clock: "event" },
  });
  deployment = new TestDeployment(store);
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
  await deployment.getIn("phone-1/adele");
  await deployment.getIn("phone-2/bruno");
  await deployment.drainAll();
});
afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

const send = async (type: string, data: object = {}, subject = "phone-1/adele") => {
  deployment.now += 1_000;
  await deployment.send(deployment.event(type, data, subject));
};

/** A worker under whose rules a device's events can't be processed. */
async function drainPoisoned(device = "phone-1"): Promise<void> {
  const rules = new RulesSource(deployment.catalogues);
  const { rulesOf } = rules;
  Object.defineProperty(rules, "rulesOf", {
    value: ((tenant, version, session) => {
      const healthy = rulesOf(tenant, version, session);
      if (!session.id.includes(`/${device}/`)) return healthy;
      return Object.defineProperty({ ...healthy }, "conditions", {
        get: () => {
          throw new Error("poison");
        },
      });
    }) satisfies typeof rulesOf,
  });
  const drainer = new Drainer({ store, rules, log: createLogger("silent", "test"), onEffects: () => {} });
  for (let partition = 0; partition < PARTITIONS; partition++) await drainer.drain(partition);
}

async function setAside(...further: readonly [string, object?][]): Promise<void> {
  await send("app.launched");
  for (const [type, data] of further) await send(type, data);
  await drainPoisoned();
}

/** Wakes a worker that drains, as a worker process does. */
const target = () => ({ store, wake: (partition: number) => void deployment.drainer.drain(partition) });
const lift = async (id = ADELE, more = {}): Promise<Decided> =>
  decideQuarantine(target(), id, "quarantine.lifted", { ...WAIT, ...more });
const drop = async (id = ADELE): Promise<Decided> => decideQuarantine(target(), id, "quarantine.dropped", WAIT);

const here = async (id = ADELE) => look({ store, users: deployment.users, rules: deployment.rules }, id);
async function history(id = ADELE): Promise<string[]> {
  const { partition, lastRecord } = await here(id);
  const { records } = await readHistory(store, partition, lastRecord);
  return records.map(({ event, outcome }) => `${event.type} ${outcome}`);
}

async function damage(id = ADELE): Promise<void> {
  const device = id.split("/")[1] ?? "";
  const { sessions } = partitionKeys(server.prefix, partitionOf(TENANT, device, PARTITIONS));
  await redis.hset(sessions, sessionKey(id), `{"v":1,"id":"${id}","s":"activ`);
}

let isTampered = false;
beforeEach(() => void (isTampered = false));
afterEach(async () => {
  if (isTampered) return;
  for (let partition = 0; partition < PARTITIONS; partition++)
    expect(await verifyJournal(store, partition)).toMatchObject({ intact: true });
});

describe("finding", () => {
  test("by kind, reason, event, device, user and partition", async () => {
    await setAside();
    await damage(idOf("phone-2/bruno"));
    const all = await findQuarantined(store, TENANT, {});
    expect(all).toMatchObject([
      { session: ADELE, kind: "quarantined", event: "app.launched", reason: expect.stringContaining("poison") },
      { session: idOf("phone-2/bruno"), kind: "unreadable" },
    ]);
    const count = async (filter: object) => (await findQuarantined(store, TENANT, filter)).length;
    expect(await count({ kind: "unreadable" })).toBe(1);
    expect(await count({ reason: "poison" })).toBe(1);
    expect(await count({ event: "pin.set" })).toBe(0);
    expect(await count({ device: "phone-2" })).toBe(1);
    expect(await count({ user: "adele" })).toBe(1);
    expect(await count({ partition: partitionOf(TENANT, "phone-1", PARTITIONS), user: "adele" })).toBe(1);
    expect(await findQuarantined(store, "fabrikam", {})).toEqual([]);
  });

  test("one is told with the record of its reason, and of what came since", async () => {
    await setAside(["app.backgrounded"], ["wipe.requested", { requestId: "w-1", scope: "app" }]);
    const found = await readSetAside(store, ADELE);
    expect(found).toMatchObject({ kind: "quarantined", state: "active", event: "app.launched", isCut: false });
    expect(found?.records.map(({ event, outcome }) => [event.type, outcome])).toEqual([
      ["app.launched", "quarantined"],
      ["app.backgrounded", "quarantined"],
      ["wipe.requested", "quarantined"],
    ]);
    expect(found?.toRedrive).toHaveLength(3);
    expect(found?.toObey).toHaveLength(1);
    await expect(readSetAside(store, idOf("phone-2/bruno"))).rejects.toThrow(NotQuarantinedError);
    expect(await readSetAside(store, idOf("phone-9/nobody"))).toBeUndefined();
  });
});

describe("redriving", () => {
  test("applies what was set aside, in order, and access is back", async () => {
    await setAside(["app.backgrounded"], ["app.foregrounded"]);
    expect(await deployment.decide()).toMatchObject({ decision: "deny", reasons: ["session.quarantined"] });
    expect(await lift()).toEqual({ status: "done", events: 3, state: "active" });
    expect((await deployment.decide()).decision).toBe("allow");
    expect((await history()).slice(-4)).toEqual([
      "quarantine.lifted applied",
      "app.launched applied",
      "app.backgrounded applied",
      "app.foregrounded applied",
    ]);
    expect(await deployment.counters()).toMatchObject({ quarantined: 3, redriven: 3 });
  });

  test("twice does no harm, one after the other or at once", async () => {
    await setAside(["wipe.requested", { requestId: "w-1", scope: "app" }]);
    const both = await Promise.all([lift(), lift()]);
    expect(both.map(({ status }) => status).sort()).toEqual(expect.arrayContaining(["done"]));
    expect(await lift()).toEqual({ status: "free" });
    const applied = (await history()).filter((line) => line === "wipe.requested applied");
    expect(applied).toHaveLength(1);
  });

  test("sent but cut short before a worker came is the same one when run again", async () => {
    await setAside();
    const asleep = { store, wake: () => undefined };
    expect(await decideQuarantine(asleep, ADELE, "quarantine.lifted", { waitMs: 50 })).toEqual({ status: "waiting" });
    expect(await decideQuarantine(asleep, ADELE, "quarantine.lifted", { waitMs: 50 })).toEqual({ status: "waiting" });
    await deployment.drainAll();
    expect(await lift()).toEqual({ status: "free" });
    expect((await history()).filter((line) => line.startsWith("quarantine.lifted"))).toEqual([
      "quarantine.lifted applied",
    ]);
  });

  test("loses nothing of what is accepted between the look and the decision", async () => {
    await setAside();
    let isLate = false;
    const busy = new Proxy(store, {
      get: (inner, name) =>
        name === "ingest" && !isLate
          ? async (...args: Parameters<PartitionStore["ingest"]>) => {
              isLate = true;
              await send("app.backgrounded");
              return inner.ingest(...args);
            }
          : (Reflect.get(inner, name).bind?.(inner) ?? Reflect.get(inner, name)),
    });
    const result = await decideQuarantine({ ...target(), store: busy }, ADELE, "quarantine.lifted", WAIT);
    expect(result).toMatchObject({ status: "done", events: 2 });
    expect((await history()).slice(-5)).toEqual([
      "app.backgrounded quarantined",
      "quarantine.lifted stale",
      "quarantine.lifted applied",
      "app.launched applied",
      "app.backgrounded applied",
    ]);
  });

  test("while the cause is still there says so, and keeps all of it for the next time", async () => {
    await setAside(["app.backgrounded"]);
    const wake = () => void drainPoisoned();
    const result = await decideQuarantine({ store, wake }, ADELE, "quarantine.lifted", WAIT);
    expect(result).toMatchObject({ status: "again", reason: expect.stringContaining("poison"), events: 2 });
    await send("app.foregrounded");
    await deployment.drainAll();
    expect(await lift()).toMatchObject({ status: "done", events: 3 });
  });

  test("brings deadlines that passed meanwhile and policies that were published, each in its time", async () => {
    await setAside();
    deployment.now += 200 * 24 * 3_600_000;
    await deployment.publish(2, [STRICT]);
    await send("app.foregrounded");
    await deployment.drainAll();
    expect(await lift()).toMatchObject({ status: "done" });
    const lines = await history();
    const [launched, expired, changed] = [
      "app.launched applied",
      "offlineGrace.expired applied",
      "policy.changed applied",
    ].map((line) => lines.indexOf(line));
    expect(launched).toBeGreaterThan(0);
    expect(expired).toBeGreaterThan(launched!);
    expect(changed).toBeGreaterThan(expired!);
  });

  test("a version that a walk brought to everybody else counts from where the session stopped", async () => {
    await setAside();
    await deployment.publish(2, [STRICT]);
    await deployment.drainAll();
    await deployment.walkAll();
    expect(await lift()).toMatchObject({ status: "done" });
    expect((await history()).slice(-3)).toEqual([
      "quarantine.lifted applied",
      "policy.changed applied",
      "app.launched applied",
    ]);
    expect((await deployment.decide()).decision).toBe("deny");
  });

  test("is refused where the journal no longer holds all, unless somebody insists", async () => {
    await setAside(["app.backgrounded"]);
    const { partition } = await here();
    const { journal } = partitionKeys(server.prefix, partition);
    const found = await readSetAside(store, ADELE);
    isTampered = true;
    await redis.xdel(journal, `${found!.records[0]!.seq}-0`);
    expect(await lift()).toEqual({ status: "cut" });
    expect(await lift(ADELE, { despiteLoss: true })).toMatchObject({ status: "done", events: 1 });
  });

  test("leaves a session alone whose snapshot can't be read", async () => {
    await damage();
    expect(await lift()).toEqual({ status: "unreadable" });
    expect(await lift(idOf("phone-2/bruno"))).toEqual({ status: "free" });
    expect(await lift(idOf("phone-9/nobody"))).toEqual({ status: "unknown" });
  });
});

describe("dropping", () => {
  test("signs out, and the next sign-in begins anew", async () => {
    await setAside(["app.backgrounded"]);
    expect(await drop()).toEqual({ status: "done", events: 0, state: "signedOut" });
    expect(await deployment.decide()).toMatchObject({ decision: "deny", reasons: ["signedOut.givenUp"] });
    await deployment.getIn();
    await deployment.drainAll();
    expect((await deployment.decide()).decision).toBe("allow");
  });

  test("still obeys what the organisation said meanwhile", async () => {
    await setAside(["wipe.requested", { requestId: "w-1", scope: "app" }]);
    expect(await drop()).toMatchObject({ status: "done", events: 1 });
    const { session } = await here();
    expect(session).toMatchObject({ facts: { wipe: { requestId: "w-1", status: "pending" } } });
  });

  test("works for one that can't be read: from then on it can, and its history goes on", async () => {
    await send("wipe.requested", { requestId: "w-1", scope: "app" });
    await deployment.drainAll();
    await damage();
    await send("compliance.evaluated", { verdict: "noncompliant", scope: "mam" });
    await deployment.drainAll();
    expect(await deployment.decide()).toMatchObject({ decision: "deny", reasons: ["snapshot.unreadable"] });
    expect(await drop()).toMatchObject({ status: "done", state: "signedOut" });
    const { session } = await here();
    expect(session).toMatchObject({
      facts: { wipe: { requestId: "w-1", status: "pending" }, mamNoncompliant: true },
    });
    expect(await history()).toContain("quarantine.dropped applied");
    expect(await deployment.decide()).toMatchObject({ reasons: ["signedOut.givenUp"] });
  });

  test("of one that can't be read: a wipe that comes between the look and the decision is still to be done", async () => {
    await damage();
    let isFirst = true;
    const meanwhile = interposed(store, async (call, carryOut) => {
      if (call === "ingest" && isFirst) {
        isFirst = false;
        await send("wipe.requested", { requestId: "w-2", scope: "app" });
        await deployment.drainAll();
      }
      return carryOut();
    });
    const decided = await decideQuarantine({ ...target(), store: meanwhile }, ADELE, "quarantine.dropped", WAIT);
    expect(decided).toMatchObject({ status: "done", state: "signedOut" });
    await deployment.drainAll();
    const { session } = await here();
    expect(session).toMatchObject({ facts: { wipe: { requestId: "w-2", status: "pending" } } });
  });

  test("twice does no harm", async () => {
    await setAside();
    await drop();
    const before = await history();
    expect(await drop()).toEqual({ status: "free" });
    expect(await history()).toEqual(before);
  });
});

test("somebody named by an event that was set aside is not called erased before a worker has come to it", async () => {
  await send("app.launched");
  await send("account.removed", { accountId: "carla" });
  await drainPoisoned();
  const asleep = { store, wake: () => undefined };
  await decideQuarantine(asleep, ADELE, "quarantine.lifted", { waitMs: 0 });
  const person = { tenant: TENANT, user: "carla" };
  const erasing = { redis, prefix: server.prefix, store, users: deployment.users, rules: deployment.rules };
  const by = { by: "dora", despiteWipe: false };
  await expect(erasePerson(erasing, person, by)).rejects.toThrow(ErasureUnfinishedError);
  // The last entry that was processed is kept until there is another.
  await send("app.backgrounded");
  await deployment.drainAll();
  await erasePerson(erasing, person, by);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const { inbox, journal, sessions } = partitionKeys(server.prefix, partition);
    const texts = [
      await redis.xrange(inbox, "-", "+"),
      await redis.xrange(journal, "-", "+"),
      await redis.hvals(sessions),
    ];
    expect(JSON.stringify(texts)).not.toContain("carla");
  }
});
