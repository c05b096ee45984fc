/** The policy walk over a real Redis: what was published reaches sessions that nothing else touches, once, whoever walks. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Redis } from "ioredis";
import { walkProgress } from "../../src/control/walk-progress.js";
import { connectStore } from "../../src/redis/connection.js";
import { readHistory } from "../../src/sessions/history.js";
import { look } from "../../src/sessions/look.js";
import type { PartitionStore } from "../../src/store/partition-store.js";
import { readState } from "../../src/store/partition-view.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { TENANT, TestDeployment, samplePolicy } from "../support/deployment.js";
import { type TestRedis, startRedis } from "../support/redis-server.js";

const SESSIONS = 700;
const ios = samplePolicy("contoso-ios-level2");
const stricter = { ...ios, minimumRequiredOsVersion: "17.5" };
const otherAttempts = { ...ios, maximumPinRetries: 3 };

let redis: TestRedis;
let connection: Redis;
let store: PartitionStore;
let deployment: TestDeployment;

beforeEach(async () => {
  redis = await startRedis();
  connection = await connectStore(redis.url);
  store = await openRedisPartitionStore(connection, {
    prefix: redis.prefix,
    deployment: { partitionCount: 2, clock: "event" },
  });
  deployment = new TestDeployment(store);
  await deployment.publish(1, [ios]);
  for (let n = 0; n < SESSIONS; n++) await deployment.getIn(`phone-${n}/adele`);
  await deployment.drainAll();
  await deployment.walkAll();
});

afterEach(async () => {
  connection.disconnect();
  await redis.stop();
});

async function publishAndDrain(version: number, policy: unknown): Promise<void> {
  deployment.now += 60_000;
  await deployment.publish(version, [policy]);
  await deployment.drainAll();
}

/** Another process of the same deployment. */
const anotherWorker = () => new TestDeployment(store, deployment.now, deployment.catalogues);

const states = async () => {
  const counters = await deployment.counters();
  return Object.fromEntries(Object.entries(counters).filter(([name, count]) => name.startsWith("in.") && count > 0));
};

const recordsOf = async (n: number) => {
  const { partition, lastRecord } = await look(deployment, `${TENANT}/phone-${n}/adele/azure-mobile`);
  return (await readHistory(store, partition, lastRecord)).records;
};

const versionsToBring = async () => {
  const surveys = await store.survey([0, 1]);
  return surveys.flatMap(({ state }) => readState(state).policies[TENANT]?.broadcasts ?? []);
};

test("idle sessions are judged by the new rules, at the time of the change, and then nothing is left to bring", async () => {
  await publishAndDrain(2, stricter);
  expect(await states()).toEqual({ "in.active": SESSIONS });
  const changedAt = deployment.now;
  await deployment.walkAll();
  expect(await states()).toEqual({ "in.remediating": SESSIONS });
  expect((await recordsOf(0)).at(-1)).toMatchObject({ event: { type: "policy.changed", version: 2 }, at: changedAt });
  expect(await versionsToBring()).toEqual([]);
  expect(await walkProgress(store)).toEqual({ sessions: SESSIONS, seen: SESSIONS, lifted: 0, partitionsWalking: 0 });
});

test("rules that stay the same cost no record", async () => {
  const before = await recordsOf(7);
  const journals = async () => (await store.survey([0, 1])).map(({ token }) => token);
  await publishAndDrain(2, { ...ios, printBlocked: true });
  await deployment.walkAll();
  expect(await recordsOf(7)).toEqual(before);
  expect(await versionsToBring()).toEqual([]);
  const tokens = await journals();
  await deployment.walkAll();
  expect(await journals()).toEqual(tokens);
});

test("a walk that was cut off goes on where it stopped, and lifts each session once", async () => {
  await publishAndDrain(2, otherAttempts);
  const commit = store.commit.bind(store);
  let commits = 0;
  store.commit = async (...call) => {
    if (++commits > 3) throw new Error("cut off");
    return commit(...call);
  };
  await deployment.walkAll();
  const cutOff = await walkProgress(store);
  expect(cutOff.partitionsWalking).toBe(2);
  expect(cutOff.lifted).toBeGreaterThan(0);
  expect(cutOff.seen).toBeLessThan(SESSIONS);

  store.commit = commit;
  const chunks: (string | null)[] = [];
  const chunk = store.chunk.bind(store);
  store.chunk = async (partition, position, count) => {
    chunks.push(position);
    return chunk(partition, position, count);
  };
  await anotherWorker().walkAll();
  expect(chunks).not.toContain(null);
  expect((await walkProgress(store)).partitionsWalking).toBe(0);
  for (const n of [0, 99, 350, SESSIONS - 1]) {
    const changes = (await recordsOf(n)).filter(({ event }) => event.type === "policy.changed");
    expect(changes).toHaveLength(1);
  }
});

test("what is published while a walk is under way reaches everybody too, and the later one wins", async () => {
  await publishAndDrain(2, otherAttempts);
  const chunk = store.chunk.bind(store);
  let published: Promise<void> | undefined;
  store.chunk = async (...call) => {
    const found = await chunk(...call);
    published ??= (async () => {
      deployment.now += 60_000;
      await deployment.publish(3, [stricter]);
    })();
    await published;
    return found;
  };
  await deployment.walkAll();
  await deployment.drainAll();
  await deployment.walkAll();
  expect(await states()).toEqual({ "in.remediating": SESSIONS });
  expect(await versionsToBring()).toEqual([]);
});

test("two workers that walk the same sessions lift each of them once", async () => {
  await publishAndDrain(2, otherAttempts);
  await Promise.all([deployment.walkAll(), anotherWorker().walkAll()]);
  await deployment.walkAll();
  expect(await versionsToBring()).toEqual([]);
  const counters = await deployment.counters();
  expect(counters["own"]).toBe(SESSIONS);
});

test("events that wait are applied after the change, whoever walked before", async () => {
  await publishAndDrain(2, otherAttempts);
  deployment.now += 60_000;
  await deployment.send(deployment.event("app.backgrounded", {}, "phone-5/adele"));
  await deployment.walkAll();
  await deployment.drainAll();
  const [change, event] = (await recordsOf(5)).slice(-2);
  expect(change?.event.type).toBe("policy.changed");
  expect(event).toMatchObject({ event: { type: "app.backgrounded" }, outcome: "applied" });
  expect(event?.at).toBeGreaterThan(change?.at ?? 0);
});

test("a decision obeys what was published, with nobody walking or draining", async () => {
  expect((await deployment.decide("phone-3")).decision).toBe("allow");
  deployment.now += 60_000;
  await deployment.publish(2, [stricter]);
  expect(await deployment.decide("phone-3")).toMatchObject({
    decision: "deny",
    reasons: ["remediating", "noncompliant.osVersion"],
  });
});
