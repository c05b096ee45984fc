/**
 * The effects queue's job: reads the effects it names from the outbox, hands them over to whoever is to have them, and takes them off.
 * A job that names what is not there hands over nothing.
 */
import { Worker } from "bullmq";
import type { RedisConnection } from "../src/redis/connection.js";
import { effectId } from "../src/effects/effect-id.js";
import type { EffectSink } from "../src/effects/effect-sink.js";
import type { Logger } from "../src/log.js";
import type { Metrics } from "../src/metrics/metrics.js";
import { EFFECTS_QUEUE, EffectsJob, queuePrefix } from "../src/queue/queues.js";
import { type EffectMessage, readEffect } from "../src/store/partition-view.js";
import type { PartitionStore } from "../src/store/partition-store.js";
import { LOCK_DURATION_MS, NEVER_GIVE_UP, STALLED_INTERVAL_MS } from "./bullmq-settings.js";

/** Jobs delivered side by side. */
const CONCURRENCY = 4;

export interface EffectsDependencies {
  readonly store: PartitionStore;
  /** Prefix of the deployment's keys. */
  readonly prefix: string;
  readonly sink: EffectSink;
  /** Stores deliveries of them. Told of an effect twice, it stores one. */
  readonly handOver: (effects: readonly EffectMessage[]) => Promise<void>;
  readonly log: Logger;
  readonly metrics?: Metrics;
}

export function startEffectsWorker(dependencies: EffectsDependencies, connection: RedisConnection): Worker {
  const { prefix, log } = dependencies;
  const worker = new Worker(EFFECTS_QUEUE, async ({ data }) => deliver(dependencies, data), {
    connection,
    prefix: queuePrefix(prefix, EFFECTS_QUEUE),
    concurrency: CONCURRENCY,
    lockDuration: LOCK_DURATION_MS,
    stalledInterval: STALLED_INTERVAL_MS,
    maxStalledCount: NEVER_GIVE_UP,
  });
  worker.on("error", (error) => log.warn({ err: error }, "the effects queue can't be reached"));
  worker.on("failed", (job, error) =>
    log.warn({ err: error, attempts: job?.attemptsMade }, "effects were not handed over; they are tried again"),
  );
  return worker;
}

/** @param data the job's: what is not its shape is left alone. @throws whatever kept an effect from being handed over; then none is taken off */
export async function deliver(
  { store, prefix, sink, handOver, log, metrics }: EffectsDependencies,
  data: unknown,
): Promise<void> {
  const job = EffectsJob.safeParse(data);
  if (!job.success || job.data.partition >= store.deployment.partitionCount) {
    metrics?.leftAlone("effects");
    log.warn("an effects job names no effects of this deployment; left alone");
    return;
  }
  const { partition, ids } = job.data;
  const waiting = await store.effects(partition, ids);
  if (waiting.length === 0) return;
  const effects = waiting.map(({ id, body }) => readEffect(effectId(prefix, partition, id, body), body));
  // First, because it may be done twice without harm.
  await handOver(effects);
  await sink.deliver(effects);
  await store.acknowledge(
    partition,
    waiting.map(({ id }) => id),
  );
}
