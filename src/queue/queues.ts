/**
 * The two queues. A wake job says "look at these partitions", an effects job says "deliver these": both are hints that
 * carry no facts, so a forged, doubled or lost job costs work or time and nothing else.
 */
import { Queue, type QueueOptions } from "bullmq";
import type { RedisConnection } from "../redis/connection.js";
import { z } from "zod";
import type { Wake } from "../ingest/ingest.js";
import { MAX_PARTITIONS } from "../store/deployment.js";

export const WakeJob = z.strictObject({ partitions: z.array(z.int().min(0)).min(1).max(MAX_PARTITIONS) });
export type WakeJob = z.infer<typeof WakeJob>;

/** Effect ids as in the outbox, `<seq>-<n>`. */
export const EffectsJob = z.strictObject({
  partition: z.int().min(0),
  ids: z
    .array(z.string().regex(/^\d+-\d+$/))
    .min(1)
    .max(1_000),
});
export type EffectsJob = z.infer<typeof EffectsJob>;

export interface QueueSettings {
  /** Prefix of the deployment's keys. */
  readonly prefix: string;
  /** Wake queues; more of them spread over a cluster's nodes. */
  readonly wakeShards: number;
}

/** Effects named in one job: enough to spare jobs, few enough to be tried again together. */
const EFFECTS_PER_JOB = 250;

/** Attempts before an effects job rests; what it did not deliver stays in the outbox and is handed over again by the sweep. */
const DELIVERY_ATTEMPTS = 8;
const DELIVERY_BACKOFF_MS = 1_000;

/** BullMQ's prefix is a hash tag, so that all keys of a queue share a slot of a cluster. */
export const wakeQueueName = (shard: number): string => `wake-${shard}`;
export const EFFECTS_QUEUE = "effects";
export const queuePrefix = (prefix: string, queue: string): string => `{${prefix}:${queue}}`;

const queueOptions = (connection: RedisConnection, prefix: string, name: string): QueueOptions => ({
  connection,
  prefix: queuePrefix(prefix, name),
  streams: { events: { maxLen: 100 } },
  defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
});

/**
 * Adds wake jobs. A job costs as much as a drain, and one call of ingest may wake many partitions: those that are woken together
 * share one, and so do those that are woken while one is being added. Nothing need be told apart or deduplicated: ingest wakes a
 * partition only when it was at rest.
 */
export class WakeQueue {
  private readonly shards: readonly WakeShard[];

  constructor(
    connection: RedisConnection,
    { prefix, wakeShards }: QueueSettings,
    onLost: (error: unknown) => void = () => {},
  ) {
    this.shards = Array.from({ length: wakeShards }, (_, shard) => {
      const name = wakeQueueName(shard);
      const queue = new Queue(name, queueOptions(connection, prefix, name));
      queue.on("error", onLost);
      return new WakeShard(queue, onLost);
    });
  }

  readonly wake: Wake = (partition) => (this.shards[partition % this.shards.length] as WakeShard).wake(partition);

  /** Resolves when every wake so far has been handed to Redis. */
  async settled(): Promise<void> {
    await Promise.all(this.shards.map((shard) => shard.settled()));
  }

  async close(): Promise<void> {
    await this.settled();
    await Promise.all(this.shards.map((shard) => shard.close()));
  }
}

class WakeShard {
  /** Partitions woken since the last job. */
  private readonly woken = new Set<number>();
  private adding: Promise<void> | undefined;

  constructor(
    private readonly queue: Queue,
    private readonly onLost: (error: unknown) => void,
  ) {}

  wake(partition: number): void {
    this.woken.add(partition);
    this.adding ??= this.addJobs();
  }

  async settled(): Promise<void> {
    await this.adding;
  }

  async close(): Promise<void> {
    await this.queue.close();
  }

  private async addJobs(): Promise<void> {
    while (this.woken.size > 0) {
      // Answers that Redis gave in one go are all seen before the job is added.
      await new Promise((resolve) => setImmediate(resolve));
      const partitions = [...this.woken];
      this.woken.clear();
      // Losing a hint is no failure: the sweep finds the partitions by their facts.
      await this.queue.add("drain", { partitions } satisfies WakeJob).catch(this.onLost);
    }
    this.adding = undefined;
  }
}

/** Hands committed effects over to the effects workers. */
export class EffectsQueue {
  private readonly queue: Queue;

  constructor(connection: RedisConnection, { prefix }: QueueSettings, onError: (error: unknown) => void = () => {}) {
    this.queue = new Queue(EFFECTS_QUEUE, queueOptions(connection, prefix, EFFECTS_QUEUE));
    this.queue.on("error", onError);
  }

  /** Handing the same effects over again, while a job for them waits, adds nothing. */
  async handOver(partition: number, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const jobs = [];
    for (let from = 0; from < ids.length; from += EFFECTS_PER_JOB) {
      const some = ids.slice(from, from + EFFECTS_PER_JOB);
      jobs.push({
        name: "deliver",
        data: { partition, ids: some } satisfies EffectsJob,
        opts: {
          jobId: `p${partition}-${some[0]}-${some.length}`,
          attempts: DELIVERY_ATTEMPTS,
          backoff: { type: "exponential", delay: DELIVERY_BACKOFF_MS },
        },
      });
    }
    await this.queue.addBulk(jobs);
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}
