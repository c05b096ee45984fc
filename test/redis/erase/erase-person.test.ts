/** Erasing a person, on a real Redis: what goes, what stays, and what comes in between. */
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { effectId } from "../../../src/effects/effect-id.js";
import { DeliveryQueue } from "../../../src/effects/delivery-queue.js";
import { REMEDIATORS } from "../../../src/remediators/remediation-receiver.js";
import { type EraseTarget, erasePerson, isNothing, previewErasure } from "../../../src/erase/erase-person.js";
import { ErasureUnfinishedError, WipePendingError } from "../../../src/erase/erase-errors.js";
import { readErasures, subjectHash } from "../../../src/erase/erasure-log.js";
import { ingest } from "../../../src/ingest/ingest.js";
import { connectStore } from "../../../src/redis/connection.js";
import { SecretKey } from "../../../src/secrets/secret-key.js";
import { readHistory } from "../../../src/sessions/history.js";
import { look } from "../../../src/sessions/look.js";
import type { PartitionStore } from "../../../src/store/partition-store.js";
import { readEffect } from "../../../src/store/partition-view.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import { verifyJournal } from "../../../src/store/verify-journal.js";
import { RedisUserStore } from "../../../src/users/redis-user-store.js";
import { interposed } from "../../support/interposed.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";

const PARTITIONS = 4;
const ADELE = { tenant: TENANT, user: "adele" };
const SECRET = new SecretKey("x".repeat(32));
const BY = { by: "carol", secretKey: SECRET, despiteWipe: false };

let server: TestRedis;
let redis: Redis;
let store: PartitionStore;
let deployment: TestDeployment;
let target: EraseTarget;

beforeEach(async () => {
  server = await startRedis();
  redis = await connectStore(server.url);
  const { prefix } = server;
  store = await openRedisPartitionStore(redis, { prefix, deployment: { partitionCount: PARTITIONS, clock: "event" } });
  const users = new RedisUserStore(redis, { prefix, deployment: store.deployment });
  deployment = new TestDeployment(store, undefined, undefined, users);
  target = { redis, prefix, store, users, rules: deployment.rules };
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
});
afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

/** Everything under the prefix, as bytes would show it. */
async function everything(): Promise<string> {
  const texts: string[] = [];
  for (const key of (await redis.keys(`${server.prefix}*`)).sort()) {
    const type = await redis.type(key);
    texts.push(key);
    if (type === "hash") texts.push(JSON.stringify(await redis.hgetall(key)));
    else if (type === "stream") texts.push(JSON.stringify(await redis.xrange(key, "-", "+")));
    else if (type === "zset") texts.push(JSON.stringify(await redis.zrange(key, "0", "-1")));
    else texts.push((await redis.get(key)) ?? "");
  }
  return texts.join("\n");
}

async function expectChains(): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++)
    expect(await verifyJournal(store, partition)).toMatchObject({ intact: true });
}

/** Two devices of adele's and one of bruno's, in every place at once: stored, waiting, undelivered, on their way. */
async function aDay(): Promise<void> {
  await deployment.getIn("phone-1/adele");
  await deployment.getIn("tablet-1/adele");
  await deployment.getIn("phone-1/bruno");
  await deployment.send(deployment.event("license.granted", {}, "adele"));
  await deployment.send(deployment.event("app.foregrounded", {}, "phone-9/adele"));
  await deployment.drainAll();
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const effects = (await store.outbox(partition, null, 3)).map(({ id, body }) =>
      readEffect(effectId(server.prefix, partition, id, body), body),
    );
    await new DeliveryQueue(redis, server.prefix, REMEDIATORS).add(effects);
  }
  await deployment.send(deployment.event("app.backgrounded", {}, "phone-1/adele"));
  await deployment.send(deployment.event("app.backgrounded", {}, "phone-1/bruno"));
  await deployment.send(deployment.event("app.backgrounded", {}, "tablet-1/adele"));
}

test("nothing that names the person is left, the others' is all there, and every chain verifies", async () => {
  await aDay();
  const bruno = await readHistoryOf("phone-1/bruno");
  expect(await everything()).toMatch(/adele/);
  const erased = await erasePerson(target, ADELE, BY);
  expect(erased).toMatchObject({ userRecords: 1, indexed: 2, sessions: 2 });
  const { archived, ...inRedis } = erased;
  expect(archived).toBe(0);
  expect(Math.min(...Object.values(inRedis))).toBeGreaterThan(0);
  expect(await everything()).not.toMatch(/adele/);
  expect(await everything()).toMatch(/phone-1\/bruno/);
  expect(await readHistoryOf("phone-1/bruno")).toEqual(bruno);
  await expectChains();
  await deployment.drainAll();
  expect(await everything()).not.toMatch(/adele/);
  expect(await deployment.decide("phone-1", "bruno")).toMatchObject({ decision: "allow" });
  expect(await deployment.counters()).toMatchObject({ "in.active": 1 });
  await expectChains();
});

test("a preview says how much there is, and changes nothing", async () => {
  await aDay();
  const before = await everything();
  const { found, pendingWipes } = await previewErasure(target, ADELE);
  expect(await everything()).toBe(before);
  expect(pendingWipes).toEqual([]);
  expect(await erasePerson(target, ADELE, BY)).toEqual(found);
  expect(isNothing((await previewErasure(target, ADELE)).found)).toBe(true);
});

test("with a device, what else is known of the person stays", async () => {
  await aDay();
  const erased = await erasePerson(target, { ...ADELE, device: "phone-1" }, BY);
  expect(erased).toMatchObject({ userRecords: 0, indexed: 1, sessions: 1 });
  expect(await everything()).not.toMatch(/phone-1\/adele/);
  expect(await target.users.read(ADELE)).toMatchObject({ licensed: true });
  expect((await target.users.sessionsOf(ADELE, null, 9)).sessions).toMatchObject([{ device: "tablet-1" }]);
  expect(await deployment.decide("tablet-1", "adele")).toMatchObject({ decision: "allow" });
  await expectChains();
});

test("somebody of that name in another tenant is not touched", async () => {
  await aDay();
  const signIn = deployment.event("account.signedIn", { platform: "ios", interactive: true }, "phone-1/adele");
  const granted = deployment.event("license.granted", {}, "adele");
  await ingest({ store, users: target.users, wake: deployment.wake }, "fabrikam", [signIn, granted]);
  await deployment.drainAll();
  await erasePerson(target, ADELE, BY);
  expect(await target.users.read({ tenant: "fabrikam", user: "adele" })).toMatchObject({ licensed: true });
  expect(await look(target, "fabrikam/phone-1/adele/azure-mobile")).toMatchObject({
    session: { state: "unenrolled.checking" },
  });
  expect(await everything()).not.toMatch(new RegExp(`${TENANT}/[^/]+/adele`));
});

test("a later sign-in is a new beginning, with no past", async () => {
  await aDay();
  await erasePerson(target, ADELE, BY);
  expect(await deployment.decide()).toMatchObject({ decision: "deny" });
  await deployment.getIn();
  await deployment.drainAll();
  expect(await deployment.decide()).toMatchObject({ decision: "allow" });
  const { records, cut } = await readHistoryOf("phone-1/adele");
  expect(records[0]?.event.type).toBe("account.signedIn");
  expect(cut).toBeUndefined();
  expect((await target.users.sessionsOf(ADELE, null, 9)).sessions).toHaveLength(1);
  await expectChains();
});

test("ids are compared as the directory does: a GUID in capitals is the same person", async () => {
  const guid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
  await deployment.getIn(`phone-1/${guid.toUpperCase()}`);
  await deployment.drainAll();
  await erasePerson(target, { tenant: TENANT, user: guid }, BY);
  expect((await everything()).toLowerCase()).not.toContain(guid);
});

describe("records of somebody else's session that name the person", () => {
  const removed = (accountId: string) => deployment.event("account.removed", { accountId }, "phone-1/bruno");

  test("become tombstones too, and the history of that session goes on over them", async () => {
    const guid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    await deployment.getIn("phone-1/bruno");
    await deployment.send(removed(guid.toUpperCase()), deployment.event("app.backgrounded", {}, "phone-1/bruno"));
    await deployment.drainAll();
    const before = await readHistoryOf("phone-1/bruno");
    expect(await erasePerson(target, { tenant: TENANT, user: guid }, BY)).toMatchObject({ records: 1, sessions: 0 });
    const { records, erased, cut } = await readHistoryOf("phone-1/bruno");
    expect(records).toEqual(before.records.filter(({ event }) => event.type !== "account.removed"));
    expect({ erased, cut }).toEqual({ erased: 1, cut: undefined });
    await expectChains();
  });

  test("are erased once a worker has processed what waits; until then the erasure is not finished, and says so", async () => {
    await deployment.getIn("phone-1/bruno");
    await deployment.getIn("phone-1/adele");
    await deployment.drainAll();
    await deployment.send(removed("adele"), deployment.event("app.backgrounded", {}, "phone-1/bruno"));
    await expect(erasePerson(target, ADELE, BY)).rejects.toThrow(ErasureUnfinishedError);
    await deployment.drainAll();
    expect(await erasePerson(target, ADELE, BY)).toMatchObject({ records: 1 });
    expect(await everything()).not.toMatch(/adele/);
  });
});

describe("while a wipe is pending", () => {
  beforeEach(async () => {
    await aDay();
    await deployment.send(deployment.event("wipe.requested", { requestId: "w-1", scope: "app" }, "tablet-1/adele"));
  });

  test("nothing is erased, whether a worker has processed the wipe or not", async () => {
    for (const happens of [async () => undefined, async () => deployment.drainAll()]) {
      await happens();
      const before = await everything();
      await expect(erasePerson(target, ADELE, BY)).rejects.toThrow(WipePendingError);
      expect(await everything()).toBe(before);
    }
    expect((await previewErasure(target, ADELE)).pendingWipes).toEqual([`${TENANT}/tablet-1/adele/azure-mobile`]);
  });

  test("another device can be erased, and all once the wipe was reported or somebody insists", async () => {
    await erasePerson(target, { ...ADELE, device: "phone-1" }, BY);
    await expect(erasePerson(target, ADELE, BY)).rejects.toThrow(WipePendingError);
    await deployment.send(deployment.event("wipe.completed", { requestId: "w-1" }, "tablet-1/adele"));
    await erasePerson(target, ADELE, BY);
    expect(await everything()).not.toMatch(/adele/);
  });

  test("who insists, erases", async () => {
    await erasePerson(target, ADELE, { ...BY, despiteWipe: true });
    expect(await everything()).not.toMatch(/adele/);
    expect(await readErasures(redis, server.prefix, TENANT)).toMatchObject([{ despiteWipe: true }]);
  });
});

describe("while the person's sessions are written", () => {
  test("it goes on until nothing is left", async () => {
    await aDay();
    let sent = 0;
    const busy = interposed(store, async (call, carryOut) => {
      if (call !== "erase") return carryOut();
      if (sent++ < 6) {
        await deployment.send(
          deployment.event(sent % 2 ? "app.foregrounded" : "app.backgrounded", {}, "phone-1/adele"),
        );
        await deployment.drainAll();
      }
      return carryOut();
    });
    await erasePerson({ ...target, store: busy }, ADELE, BY);
    expect(sent).toBeGreaterThan(6);
    expect(await everything()).not.toMatch(/adele/);
    await expectChains();
  });

  test("what never ends is not called finished", async () => {
    await aDay();
    const busy = interposed(store, async (call, carryOut) => {
      if (call !== "erase") return carryOut();
      await deployment.send(deployment.event("app.foregrounded", {}, "phone-1/adele"));
      return carryOut();
    });
    await expect(erasePerson({ ...target, store: busy }, ADELE, BY)).rejects.toThrow(/kept coming/);
  });
});

test("cut short at any call, a second run finishes", async () => {
  for (let after = 0; ; after++) {
    await aDay();
    let calls = 0;
    const failing = interposed(store, async (call, carryOut) => {
      if (call !== "erase") return carryOut();
      if (calls++ === after) throw new Error("the process died");
      return carryOut();
    });
    const first = await erasePerson({ ...target, store: failing }, ADELE, BY).catch(() => "died");
    if (first !== "died") break;
    await erasePerson(target, ADELE, BY);
    expect(await everything()).not.toMatch(/adele/);
    await expectChains();
  }
});

test("the log says when, who and how much, and of whom only to those who hold the secret", async () => {
  await aDay();
  const erased = await erasePerson(target, ADELE, BY);
  const [entry, ...others] = await readErasures(redis, server.prefix, TENANT);
  expect(others).toEqual([]);
  expect(entry).toMatchObject({ by: "carol", what: "person", despiteWipe: false, erased });
  expect(entry?.subject).toBe(subjectHash(ADELE, SECRET));
  expect(entry?.subject).not.toBe(subjectHash(ADELE, new SecretKey("y".repeat(32))));
  expect(await readErasures(redis, server.prefix, "fabrikam")).toEqual([]);
});

async function readHistoryOf(subject: string) {
  const { partition, lastRecord } = await look(target, `${TENANT}/${subject}/azure-mobile` as never);
  return readHistory(store, partition, lastRecord);
}
