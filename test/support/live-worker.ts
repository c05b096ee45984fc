/**
 * A worker over a real Redis and real queues that tells how long each event waited from the answer `accepted` to its commit; events come
 * at a steady rate, whatever becomes of earlier ones.
 */
import type { Redis } from "ioredis";
import { setTimeout as delay } from "node:timers/promises";
import { publish } from "../../src/control/publish.js";
import { RedisCatalogues } from "../../src/control/redis-catalogues.js";
import { discardSink } from "../../src/effects/effect-sink.js";
import { createLogger } from "../../src/log.js";
import type { Metrics } from "../../src/metrics/metrics.js";
import { WakeQueue } from "../../src/queue/queues.js";
import { connectQueue, connectStore } from "../../src/redis/connection.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { partitionOf } from "../../src/store/session-key.js";
import type { Appended, PartitionStore } from "../../src/store/partition-store.js";
import { startWorker } from "../../workers/worker.js";
import { TENANT, TestDeployment, samplePolicy } from "./deployment.js";
import { interposed } from "./interposed.js";
import { type TestRedis, startRedis } from "./redis-server.js";

const PARTITIONS = 8;
const CONTENT = { policies: [samplePolicy("contoso-ios-level2")], conditionalAccess: [] };

export interface LiveWorker {
  readonly redis: TestRedis;
  readonly connection: Redis;
  readonly store: PartitionStore;
  readonly deployment: TestDeployment;
  /** Sends so many of these a second for that long, and resolves with ms each, when all are committed. */
  wait(options: {
    readonly perSecond: number;
    readonly forMs: number;
    readonly event: (n: number) => object;
  }): Promise<number[]>;
  stop(): Promise<void>;
}

/** @param settings of the tenant. @param metrics that the worker counts in */
export async function startLiveWorker(settings: object = {}, metrics?: Metrics): Promise<LiveWorker> {
  const content = { ...CONTENT, settings };
  const redis = await startRedis();
  const { prefix } = redis;
  const connection = await connectStore(redis.url);
  let appended = 0;
  const opened = await openRedisPartitionStore(connection, { prefix, deployment: { partitionCount: PARTITIONS } });
  const store = interposed(opened, async (call, carryOut) => {
    const answer = await carryOut();
    if (call === "ingest")
      appended += (answer as Appended).results.filter(({ status }) => status === "accepted").length;
    return answer;
  });
  const queueConnection = connectQueue(redis.url);
  const wakeQueue = new WakeQueue(queueConnection, { prefix, wakeShards: 1 });
  const deployment = new TestDeployment(store, Date.now());
  Object.assign(deployment, { wake: wakeQueue.wake });
  deployment.catalogues.add({ ...content, version: 1 });
  const commits: { readonly partition: number; readonly entries: number; readonly at: number }[] = [];
  let committed = 0;
  const worker = await startWorker({
    redis: redis.url,
    prefix,
    wakeShards: 1,
    concurrency: 4,
    shutdownMs: 5_000,
    sink: discardSink,
    ...(metrics && { metrics }),
    log: createLogger("silent", "test"),
    onCommit: (partition, entries) => {
      committed += entries;
      commits.push({ partition, entries, at: performance.now() });
    },
  });
  const catalogues = new RedisCatalogues(connection, prefix);
  await publish({ store, catalogues, wake: wakeQueue.wake }, TENANT, content);
  const untilCommitted = async (): Promise<void> => {
    while (committed < appended) await delay(10);
  };
  return {
    redis,
    connection,
    store,
    deployment,
    wait: async ({ perSecond, forMs, event }) => {
      await untilCommitted();
      commits.length = 0;
      const accepted: number[][] = Array.from({ length: PARTITIONS }, () => []);
      const startedAt = performance.now();
      for (let n = 0; n < (forMs / 1_000) * perSecond; n++) {
        const early = startedAt + (n * 1_000) / perSecond - performance.now();
        if (early > 0) await delay(early);
        deployment.now = Date.now();
        const one = event(n) as { readonly subject: string };
        const { totals } = await deployment.send(one);
        if (totals.accepted !== 1) throw new Error(`not accepted: ${JSON.stringify(totals)}`);
        accepted[partitionOf(TENANT, one.subject.split("/", 1)[0] as string, PARTITIONS)]?.push(performance.now());
      }
      await untilCommitted();
      // A partition commits in the order of acceptance.
      return commits.flatMap(({ partition, entries, at }) =>
        (accepted[partition]?.splice(0, entries) ?? []).map((acceptedAt) => Math.max(0, at - acceptedAt)),
      );
    },
    stop: async () => {
      await worker.stop();
      await wakeQueue.close();
      queueConnection.disconnect();
      connection.disconnect();
      await redis.stop();
    },
  };
}
