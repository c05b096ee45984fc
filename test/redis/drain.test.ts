/** Draining partitions of a real Redis: whatever happens to workers and hints, each event counts once and in order. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Redis } from "ioredis";
import { RulesSource } from "../../src/control/rules-source.js";
import { createLogger } from "../../src/log.js";
import { connectStore } from "../../src/redis/connection.js";
import type { PartitionStore } from "../../src/store/partition-store.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { Drainer } from "../../workers/drain.js";
import { Sweep } from "../../workers/sweep.js";
import { TestDeployment, samplePolicy } from "../support/deployment.js";
import { type TestRedis, startRedis } from "../support/redis-server.js";

const log = createLogger("silent", "test");
const DEVICES = 12;

let redis: TestRedis;
let connection: Redis;
let store: PartitionStore;
let deployment: TestDeployment;

beforeEach(async () => {
  redis = await startRedis();
  connection = await connectStore(redis.url);
  store = await openRedisPartitionStore(connection, {
    prefix: redis.prefix,
    deployment: { partitionCount: 4, clock: "event" },
  });
  deployment = new TestDeployment(store);
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
});

afterEach(async () => {
  vi.restoreAllMocks();
  connection.disconnect();
  await redis.stop();
});

const subjects = Array.from({ length: DEVICES }, (_, device) => `phone-${device}/adele`);

async function everybodyGetsInAndOut(): Promise<void> {
  for (const subject of subjects) {
    await deployment.getIn(subject);
    deployment.now += 1_000;
    await deployment.send(
      deployment.event("app.backgrounded", {}, subject),
      deployment.event("app.foregrounded", {}, subject),
      deployment.event("account.signedIn", { platform: "ios" }, subject),
      deployment.event("pin.verified", { method: "pin" }, subject),
    );
  }
}

/** Every session's stored text, in a stable order. */
async function snapshots(): Promise<string[]> {
  const all: string[] = [];
  for (let partition = 0; partition < store.deployment.partitionCount; partition++) {
    for (let from: string | null = "0"; from !== null;) {
      const page: { snapshots: string[]; next: string | null } = await store.scan(
        partition,
        from === "0" ? null : from,
        100,
      );
      all.push(...page.snapshots);
      from = page.next;
    }
  }
  return [...new Set(all)].toSorted();
}

const anotherDrainer = (): Drainer =>
  new Drainer({ store, rules: new RulesSource(deployment.catalogues), log, onEffects: () => {} });

test("a partition that was drained has nothing left, and drains again for nothing", async () => {
  await everybodyGetsInAndOut();
  await deployment.drainAll();
  expect(await deployment.counters()).toMatchObject({ applied: 8 * DEVICES, "in.active": DEVICES });
  const before = await snapshots();
  expect(await deployment.drainer.drain(0)).toBe("drained");
  expect(await snapshots()).toEqual(before);
});

describe("several workers on one partition", () => {
  test("double nothing: events, records and effects are those of one worker", async () => {
    await everybodyGetsInAndOut();
    const workers = [deployment.drainer, anotherDrainer(), anotherDrainer()];
    for (let partition = 0; partition < 4; partition++) {
      let results: string[];
      do {
        results = await Promise.all(workers.map(async (worker) => worker.drain(partition)));
      } while (!results.includes("drained"));
    }
    expect(await deployment.counters()).toMatchObject({ applied: 8 * DEVICES, "in.active": DEVICES });
    const effects = (
      await Promise.all([0, 1, 2, 3].map(async (partition) => store.outbox(partition, null, 10_000)))
    ).flat();
    const grants = effects.filter(({ body }) => body.includes('"grantAccess"'));
    expect(grants).toHaveLength(2 * DEVICES);
  });

  test("one that was paused between reading and writing can't write any more", async () => {
    await everybodyGetsInAndOut();
    const commit = store.commit.bind(store);
    const refused = { stale: 0 };
    vi.spyOn(store, "commit").mockImplementationOnce(async (partition, late) => {
      // Meanwhile another worker takes the partition over.
      await anotherDrainer().drain(partition);
      const result = await commit(partition, late);
      if (result.status === "stale") refused.stale++;
      return result;
    });
    await deployment.drainAll();
    expect(refused.stale).toBe(1);
    expect(await deployment.counters()).toMatchObject({ applied: 8 * DEVICES, "in.active": DEVICES });
  });
});

test("a commit whose answer was lost is neither lost nor doubled", async () => {
  await everybodyGetsInAndOut();
  const commit = store.commit.bind(store);
  vi.spyOn(store, "commit").mockImplementationOnce(async (...given) => {
    await commit(...given);
    throw new Error("the answer was lost");
  });
  await deployment.drainAll();
  await deployment.drainAll();
  expect(await deployment.counters()).toMatchObject({ applied: 8 * DEVICES, "in.active": DEVICES });
});

describe("the sweep", () => {
  const sweep = (): Sweep =>
    new Sweep({ store, drainer: deployment.drainer, walker: deployment.walker, effects: null, log });

  test("drains what no hint led to, once it has seen that nobody works on it", async () => {
    await everybodyGetsInAndOut();
    const looking = sweep();
    await looking.look();
    expect((await deployment.counters())["applied"]).toBeUndefined();
    await looking.look();
    expect(await deployment.counters()).toMatchObject({ applied: 8 * DEVICES });
  });

  test("leaves a partition alone that another worker commits on", async () => {
    await everybodyGetsInAndOut();
    const looking = sweep();
    await looking.look();
    for (let partition = 0; partition < 4; partition++) await anotherDrainer().drain(partition);
    await deployment.send(deployment.event("app.backgrounded", {}, subjects[0]));
    const applied = (await deployment.counters())["applied"];
    await looking.look();
    expect((await deployment.counters())["applied"]).toBe(applied);
  });

  test("goes on at the next look with a partition that it drained itself: without hints nobody waits for two looks", async () => {
    await everybodyGetsInAndOut();
    const looking = sweep();
    await looking.look();
    await looking.look();
    const applied = (await deployment.counters())["applied"] as number;
    for (let turn = 1; turn <= 3; turn++) {
      await deployment.send(deployment.event("app.backgrounded", {}, subjects[0]));
      await looking.look();
      expect((await deployment.counters())["applied"]).toBe(applied + turn);
    }
  });

  test("fires the deadline of a session that nobody touches", async () => {
    await deployment.getIn(subjects[0]);
    await deployment.send(deployment.event("app.backgrounded", {}, subjects[0]));
    await deployment.drainAll();
    deployment.now += 30 * 60_000;
    // Another device's event moves its partition's clock, and a broadcast moves all of them.
    await deployment.publish(2, [samplePolicy("contoso-ios-level2")]);
    const looking = sweep();
    await looking.look();
    await looking.look();
    expect((await deployment.counters())["in.locked"]).toBe(1);
  });

  test("hands over again the effects that stay in the outbox", async () => {
    await deployment.getIn(subjects[0]);
    await deployment.drainAll();
    const handedOver: string[] = [];
    const handOver = async (_partition: number, ids: readonly string[]): Promise<void> => {
      handedOver.push(...ids);
    };
    const looking = new Sweep({
      store,
      drainer: deployment.drainer,
      walker: deployment.walker,
      effects: { handOver },
      log,
    });
    for (let look = 0; look < 7; look++) await looking.look();
    const waiting = (
      await Promise.all([0, 1, 2, 3].map(async (partition) => store.outbox(partition, null, 100)))
    ).flat();
    expect(handedOver.toSorted()).toEqual(waiting.map(({ id }) => id).toSorted());
  });
});

test("a guard that throws sets that session aside and lets the others go on", async () => {
  await deployment.getIn(subjects[0]);
  await deployment.getIn(subjects[1]);
  await deployment.drainAll();
  const poisoned = new RulesSource(deployment.catalogues);
  const { rulesOf } = poisoned;
  Object.defineProperty(poisoned, "rulesOf", {
    value: ((tenant, version, session) => {
      const rules = rulesOf(tenant, version, session);
      if (!session.id.includes("/phone-0/")) return rules;
      return Object.defineProperty({ ...rules }, "conditions", {
        get: () => {
          throw new Error("poison");
        },
      });
    }) satisfies typeof rulesOf,
  });
  const worker = new Drainer({ store, rules: poisoned, log, onEffects: () => {} });
  await deployment.send(
    deployment.event("app.launched", {}, subjects[0]),
    deployment.event("app.launched", {}, subjects[1]),
    deployment.event("app.launched", {}, subjects[0]),
  );
  for (let partition = 0; partition < 4; partition++) await worker.drain(partition);
  expect(await deployment.counters()).toMatchObject({ quarantined: 2, applied: 9 });
  expect(await deployment.decide("phone-0")).toMatchObject({ decision: "deny", reasons: ["session.quarantined"] });
  expect((await deployment.decide("phone-1")).decision).toBe("allow");
});
