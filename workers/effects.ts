/**
 * The effects queue's job: reads the effects it names from the outbox, delivers them, and takes them off. A job that names what
 * is not there delivers nothing.
 */
import { Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { EffectSink } from "../src/effects/effect-sink.js";
import type { Logger } from "../src/log.js";
import { EFFECTS_QUEUE, EffectsJob, queuePrefix } from "../src/queue/queues.js";
import { readEffect } from "../src/store/partition-view.js";
import type { PartitionStore } from "../src/store/partition-store.js";
import { LOCK_DURATION_MS, NEVER_GIVE_UP, STALLED_INTERVAL_MS } from "./bullmq-settings.js";

/** Jobs delivered side by side. */
const CONCURRENCY = 4;

export function startEffectsWorker(
  store: PartitionStore,
  sink: EffectSink,
  log: Logger,
  { connection, prefix }: { connection: Redis; prefix: string },
): Worker {
  const worker = new Worker(EFFECTS_QUEUE, async ({ data }) => deliver(store, sink, log, data), {
    connection,
    prefix: queuePrefix(prefix, EFFECTS_QUEUE),
    concurrency: CONCURRENCY,
    lockDuration: LOCK_DURATION_MS,
    stalledInterval: STALLED_INTERVAL_MS,
    maxStalledCount: NEVER_GIVE_UP,
  });
  worker.on("error", (error) => log.warn({ err: error }, "the effects queue can't be reached"));
  worker.on("failed", (job, error) =>
    log.warn({ err: error, attempts: job?.attemptsMade }, "effects were not delivered; they are tried again"),
  );
  return worker;
}

async function deliver(store: PartitionStore, sink: EffectSink, log: Logger, data: unknown): Promise<void> {
  const job = EffectsJob.safeParse(data);
  if (!job.success || job.data.partition >= store.deployment.partitionCount) {
    log.warn("an effects job names no effects of this deployment; left alone");
    return;
  }
  const { partition, ids } = job.data;
  const waiting = await store.effects(partition, ids);
  if (waiting.length === 0) return;
  await sink.deliver(waiting.map(({ id, body }) => readEffect(partition, id, body)));
  await store.acknowledge(
    partition,
    waiting.map(({ id }) => id),
  );
}
