/** Sessions that nobody uses any more, on a real Redis: found, retired, and begun anew. */
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SessionId } from "../../../machines/session/session.js";
import { verifyPartition } from "../../../src/replay/verify-partition.js";
import { connectStore } from "../../../src/redis/connection.js";
import { readCounters } from "../../../src/store/counters.js";
import type { PartitionStore } from "../../../src/store/partition-store.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import { sessionKey } from "../../../src/store/session-key.js";
import { MOST_SESSIONS_A_DEVICE, Retirement } from "../../../workers/retire.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";

const DAY_MS = 24 * 3_600_000;
const KEPT_DAYS = 30;

let server: TestRedis;
let redis: Redis;
let store: PartitionStore;
let deployment: TestDeployment;
let retired: SessionId[];
let retirement: Retirement;

beforeEach(async () => {
  server = await startRedis();
  redis = await connectStore(server.url);
  store = await openRedisPartitionStore(redis, {
    prefix: server.prefix,
    deployment: { partitionCount: 1, clock: "event" },
  });
  deployment = new TestDeployment(store);
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")], { wipeOnSignOut: false });
  retired = [];
  retirement = new Retirement({
    store,
    wake: deployment.wake,
    retentionMs: KEPT_DAYS * DAY_MS,
    onError: (error) => {
      throw error;
    },
    onRetire: (sessions) => retired.push(...sessions),
  });
});
afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

const idOf = (subject: string): SessionId => `${TENANT}/${subject}/azure-mobile`;
const snapshot = async (subject: string) => store.snapshot(0, sessionKey(idOf(subject)));
const send = async (type: string, data: object, subject: string) =>
  deployment.send(deployment.event(type, data, subject));

async function days(n: number): Promise<void> {
  deployment.now += n * DAY_MS;
  // The clock is the events' own: somebody else's event tells it.
  await send("account.signedIn", { platform: "ios", interactive: true }, "clock/clock");
  await deployment.drainAll();
}

/** Until every session was looked at. */
async function tend(): Promise<void> {
  const { sessions = 0 } = (await store.survey([0]))[0] ?? {};
  for (let looked = 0; looked <= sessions; looked += 64) await retirement.tend();
  await deployment.drainAll();
}

async function signedOut(subject: string): Promise<void> {
  await deployment.getIn(subject);
  await send("account.signedOut", { initiator: "user" }, subject);
  await deployment.drainAll();
}

describe("a session that was silent for as long as sessions are kept", () => {
  test("is retired, and its device signs in anew", async () => {
    await signedOut("phone-1/adele");
    await days(KEPT_DAYS - 1);
    await tend();
    expect(retired).toEqual([]);
    await days(1);
    await tend();
    expect(retired).toEqual([idOf("phone-1/adele")]);
    expect(await snapshot("phone-1/adele")).toBeNull();

    await deployment.getIn("phone-1/adele");
    await deployment.drainAll();
    expect((await deployment.decide("phone-1", "adele")).decision).toBe("allow");
    const verdict = await verifyPartition(deployment, 0);
    expect(verdict).toMatchObject({ faults: [], notReplayed: { historyMissing: 0 } });
  });

  test("is denied from then on, as if it had never been", async () => {
    await signedOut("phone-1/adele");
    await days(KEPT_DAYS);
    await retirement.tend();
    const before = await deployment.decide("phone-1", "adele");
    await deployment.drainAll();
    expect(before).toEqual(await deployment.decide("phone-1", "adele"));
    expect(before).toMatchObject({ decision: "deny" });
  });

  test("is counted no longer", async () => {
    await signedOut("phone-1/adele");
    expect((await readCounters(store))["in.signedOut"]).toBe(1);
    await days(KEPT_DAYS);
    await tend();
    expect((await readCounters(store))["in.signedOut"]).toBe(0);
  });

  test("is retired although rules changed meanwhile: nobody reported anything of it", async () => {
    await signedOut("phone-1/adele");
    await days(KEPT_DAYS / 2);
    await deployment.publish(2, [{ ...samplePolicy("contoso-ios-level2"), minimumRequiredOsVersion: "17.9" }]);
    await deployment.drainAll();
    await deployment.walker.walk(0);
    await days(KEPT_DAYS / 2);
    await tend();
    expect(retired).toEqual([idOf("phone-1/adele")]);
  });

  test("stays while a wipe is pending", async () => {
    await deployment.getIn("phone-1/adele");
    await send("wipe.requested", { requestId: "w1", scope: "app" }, "phone-1/adele");
    await deployment.drainAll();
    await days(3 * KEPT_DAYS);
    await tend();
    expect(await snapshot("phone-1/adele")).not.toBeNull();

    await send("wipe.completed", { requestId: "w1" }, "phone-1/adele");
    await days(KEPT_DAYS);
    await tend();
    expect(retired).toEqual([idOf("phone-1/adele")]);
  });

  test("stays if its device reports something before the order is carried out", async () => {
    await signedOut("phone-1/adele");
    await days(KEPT_DAYS);
    await send("account.signedIn", { platform: "ios", interactive: true }, "phone-1/adele");
    await tend();
    expect(await snapshot("phone-1/adele")).not.toBeNull();
    await tend();
    expect(await snapshot("phone-1/adele")).not.toBeNull();
  });

  test("is ordered once, however many workers look", async () => {
    await signedOut("phone-1/adele");
    await days(KEPT_DAYS);
    await retirement.tend();
    await retirement.tend();
    expect(retired).toEqual([idOf("phone-1/adele")]);
  });
});

test("a device with more sessions than it may have keeps those that were heard of last, and signed-out ones go first", async () => {
  const users = Array.from({ length: MOST_SESSIONS_A_DEVICE + 2 }, (_, n) => `user-${n}`);
  for (const user of users) {
    deployment.now += 1_000;
    await send("account.signedIn", { platform: "ios", interactive: true }, `shared/${user}`);
  }
  await send("account.signedOut", { initiator: "user" }, "shared/user-9");
  await deployment.drainAll();
  await tend();
  expect(retired.toSorted()).toEqual([idOf("shared/user-0"), idOf("shared/user-9")]);
  await tend();
  expect((await store.survey([0]))[0]?.sessions).toBe(MOST_SESSIONS_A_DEVICE);
  expect(retired.length).toBe(2);
});
