/** The wake queue's job: drain the partitions that it names. */
import { Worker } from "bullmq";
import type { RedisConnection } from "../src/redis/connection.js";
import type { Logger } from "../src/log.js";
import type { Metrics } from "../src/metrics/metrics.js";
import { type QueueSettings, WakeJob, type WakeQueue, queuePrefix, wakeQueueName } from "../src/queue/queues.js";
import { LOCK_DURATION_MS, NEVER_GIVE_UP, STALLED_INTERVAL_MS } from "./bullmq-settings.js";
import type { Drainer } from "./drain.js";
import { Turns } from "./turns.js";

export interface WakeWorkerOptions extends QueueSettings {
  readonly connection: RedisConnection;
  readonly partitionCount: number;
  readonly metrics?: Metrics;
  /** Partitions drained side by side, over all shards. */
  readonly concurrency: number;
}

export function startWakeWorkers(
  drainer: Drainer,
  wakeQueue: WakeQueue,
  log: Logger,
  { connection, prefix, wakeShards, partitionCount, concurrency, metrics }: WakeWorkerOptions,
): readonly Worker[] {
  const turns = new Turns(concurrency);
  return Array.from({ length: wakeShards }, (_, shard) => {
    const name = wakeQueueName(shard);
    const worker = new Worker(
      name,
      async ({ data }) => {
        const job = WakeJob.safeParse(data);
        if (!job.success || job.data.partitions.some((partition) => partition >= partitionCount)) {
          metrics?.leftAlone("wake");
          log.warn({ queue: name }, "a wake job names no partition of this deployment; left alone");
          return;
        }
        await Promise.all(
          job.data.partitions.map(async (partition) => {
            metrics?.woken("hint");
            if ((await turns.take(() => drainer.drain(partition))) === "more") wakeQueue.wake(partition);
          }),
        );
      },
      {
        connection,
        prefix: queuePrefix(prefix, name),
        concurrency: Math.max(1, Math.ceil(concurrency / wakeShards)),
        lockDuration: LOCK_DURATION_MS,
        stalledInterval: STALLED_INTERVAL_MS,
        maxStalledCount: NEVER_GIVE_UP,
      },
    );
    worker.on("error", (error) => log.warn({ err: error, queue: name }, "the wake queue can't be reached"));
    return worker;
  });
}
