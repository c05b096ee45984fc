/** One whole worker over a real Redis and real queues: hints, deliveries, and what happens without them. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Redis } from "ioredis";
import { publish } from "../../src/control/publish.js";
import { RedisCatalogues } from "../../src/control/redis-catalogues.js";
import type { EffectSink } from "../../src/effects/effect-sink.js";
import { createLogger } from "../../src/log.js";
import { Metrics } from "../../src/metrics/metrics.js";
import { EffectsQueue, WakeQueue } from "../../src/queue/queues.js";
import { connectQueue, connectStore } from "../../src/redis/connection.js";
import type { EffectMessage } from "../../src/store/partition-view.js";
import type { PartitionStore } from "../../src/store/partition-store.js";
import { startPrivateRedis } from "../../src/redis/private-server.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { type RunningWorker, startWorker } from "../../workers/worker.js";
import { TENANT, TestDeployment, samplePolicy } from "../support/deployment.js";
import { eventually } from "../support/eventually.js";
import { type TestRedis, startRedis } from "../support/redis-server.js";

let redis: TestRedis;
let storeConnection: Redis;
let queueConnection: Redis;
let store: PartitionStore;
let wakeQueue: WakeQueue;
let deployment: TestDeployment;
const running: RunningWorker[] = [];

/** Remembers what it was given, and lets a test wait for it. */
class RecordingSink implements EffectSink {
  readonly delivered: EffectMessage[] = [];
  failures = 0;
  private readonly waiting: { type: string; resolve: (effect: EffectMessage) => void }[] = [];

  async deliver(effects: readonly EffectMessage[]): Promise<void> {
    if (this.failures > 0) {
      this.failures--;
      throw new Error("the receiver is down");
    }
    for (const effect of effects) {
      this.delivered.push(effect);
      for (const { type, resolve } of this.waiting) if (type === effect.type) resolve(effect);
    }
  }

  async next(type: string): Promise<EffectMessage> {
    const known = this.delivered.find((effect) => effect.type === type);
    return known ?? new Promise((resolve) => this.waiting.push({ type, resolve }));
  }

  async close(): Promise<void> {}
}

async function work(sink: EffectSink, redisUrl = redis.url, metrics?: Metrics): Promise<RunningWorker> {
  const worker = await startWorker({
    redis: redisUrl,
    prefix: redis.prefix,
    wakeShards: 1,
    concurrency: 4,
    shutdownMs: 5_000,
    sink,
    log: createLogger("silent", "test"),
    ...(metrics && { metrics }),
  });
  running.push(worker);
  return worker;
}

beforeEach(async () => {
  redis = await startRedis();
  storeConnection = await connectStore(redis.url);
  queueConnection = connectQueue(redis.url);
  store = await openRedisPartitionStore(storeConnection, { prefix: redis.prefix, deployment: { partitionCount: 4 } });
  wakeQueue = new WakeQueue(queueConnection, { prefix: redis.prefix, wakeShards: 1 });
  deployment = new TestDeployment(store, Date.now());
  Object.assign(deployment, { wake: wakeQueue.wake });
  const catalogues = new RedisCatalogues(storeConnection, redis.prefix);
  const policies = [samplePolicy("contoso-ios-level2")];
  await publish({ store, catalogues, wake: wakeQueue.wake }, TENANT, { policies, conditionalAccess: [], settings: {} });
  deployment.catalogues.add({ version: 1, policies, conditionalAccess: [], settings: {} });
});

afterEach(async () => {
  await Promise.all(running.splice(0).map(async (worker) => worker.stop()));
  await wakeQueue.close();
  storeConnection.disconnect();
  queueConnection.disconnect();
  await redis.stop();
});

test("an event that is accepted is processed, and what follows is delivered once", async () => {
  const sink = new RecordingSink();
  await work(sink);
  await deployment.getIn();
  const granted = await sink.next("grantAccess");
  expect(granted).toMatchObject({ session: `${TENANT}/phone-1/adele/azure-mobile`, revision: 4, kind: "state" });
  expect((await deployment.decide()).decision).toBe("allow");
  expect(new Set(sink.delivered.map(({ id }) => id)).size).toBe(sink.delivered.length);
});

test("effects that a receiver did not take are offered again, with the same ids", async () => {
  const sink = new RecordingSink();
  sink.failures = 1;
  await work(sink);
  await deployment.getIn();
  await sink.next("grantAccess");
  expect(sink.failures).toBe(0);
});

describe("with every key of the queues deleted", () => {
  test("the sweep still processes what was accepted", async () => {
    const sink = new RecordingSink();
    await deployment.getIn();
    await wakeQueue.settled();
    const keys = await storeConnection.keys(`{${redis.prefix}:wake-0}*`);
    expect(keys.length).toBeGreaterThan(0);
    await storeConnection.del(...keys);
    await work(sink);
    await sink.next("grantAccess");
  });
});

test("S14: a forged job names nothing and delivers nothing, and is counted", async () => {
  const sink = new RecordingSink();
  const metrics = new Metrics();
  await work(sink, redis.url, metrics);
  const forger = new EffectsQueue(queueConnection, { prefix: redis.prefix, wakeShards: 1 });
  await forger.handOver(3, ["999-0"]);
  await forger.handOver(99, ["1-0"]);
  await deployment.getIn();
  await sink.next("grantAccess");
  expect(sink.delivered.every(({ session }) => session.startsWith(TENANT))).toBe(true);
  // The other one names an effect that is not there, as a true job does that comes twice.
  await eventually(() => metrics.text()).toContain('gatehouse_jobs_left_alone_total{queue="effects"} 1');
  await forger.close();
});

test("stopping ends within its deadline though Redis is gone", async () => {
  // Its own server: the other test files still need theirs.
  const own = await startPrivateRedis({ fsync: "everysec" });
  const worker = await work(new RecordingSink(), own.url);
  await own.stop();
  await worker.stop();
  running.length = 0;
});
