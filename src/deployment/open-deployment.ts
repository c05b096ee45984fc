/**
 * A deployment in one handle: its store, its users, its catalogues, the rules for whoever folds, and the way to wake its workers. Whoever is not a
 * worker starts here: client, commands, demonstration.
 */
import type { RedisConnection } from "../redis/connection.js";
import { setTimeout as delay } from "node:timers/promises";
import { RedisCatalogues } from "../control/redis-catalogues.js";
import { RulesSource } from "../control/rules-source.js";
import type { Wake } from "../ingest/ingest.js";
import type { WakeQueue } from "../queue/queues.js";
import type { RedisTarget } from "../redis/address.js";
import type { Durability } from "../redis/durability.js";
import { connectQueue, connectStore } from "../redis/connection.js";
import type { DeploymentRequest } from "../store/deployment.js";
import type { PartitionStore } from "../store/partition-store.js";
import { openRedisPartitionStore } from "../store/redis/redis-partition-store.js";
import { RedisUserStore } from "../users/redis-user-store.js";
import type { UserStore } from "../users/user-store.js";

/** Wake-ups that Redis did not take within this, when closing, are given up; the sweep needs none. */
const CLOSE_TIMEOUT_MS = 2_000;

export interface DeploymentTarget {
  readonly redis: RedisTarget;
  /** Prefix of every key. */
  readonly prefix: string;
  /** `D2`: what is accepted is answered once a replica has it. Default `D1`. */
  readonly durability?: Durability;
  /** As the workers have it; default 1. */
  readonly wakeShards?: number;
  /** What the deployment is created with if it does not exist. */
  readonly deployment?: DeploymentRequest;
}

export interface OpenDeployment {
  /** For whoever opens it once more, in another thread. */
  readonly target: Pick<DeploymentTarget, "redis" | "prefix">;
  /** Of every key. */
  readonly prefix: string;
  /** The store's connection, for what is kept beside partitions. */
  readonly redis: RedisConnection;
  readonly store: PartitionStore;
  readonly users: UserStore;
  readonly catalogues: RedisCatalogues;
  readonly rules: RulesSource;
  readonly wake: Wake;
  /** Never waits for a Redis that is gone. */
  readonly close: () => Promise<void>;
}

/** @throws StoreUnavailableError, DeploymentConflictError */
export async function openDeployment(target: DeploymentTarget): Promise<OpenDeployment> {
  const { redis, prefix, wakeShards = 1, deployment, durability = "D1" } = target;
  const connection = await connectStore(redis, { durability });
  try {
    const store = await openRedisPartitionStore(connection, { prefix, ...(deployment && { deployment }) });
    const catalogues = new RedisCatalogues(connection, prefix);
    // Most commands wake nobody: they need no queue, and do not load what makes one.
    let queue: Promise<{ readonly wakes: WakeQueue; disconnect(): void }> | undefined;
    const openQueue = async () => {
      const { WakeQueue } = await import("../queue/queues.js");
      const queueConnection = connectQueue(redis);
      const wakes = new WakeQueue(queueConnection, { prefix, wakeShards });
      return { wakes, disconnect: () => queueConnection.disconnect() };
    };
    return {
      target: { redis, prefix },
      prefix,
      redis: connection,
      store,
      users: new RedisUserStore(connection, { prefix, deployment: store.deployment }),
      catalogues,
      rules: new RulesSource(catalogues),
      wake: (partition) => {
        queue ??= openQueue();
        // Losing a hint is no failure.
        queue.then(({ wakes }) => wakes.wake(partition)).catch(() => undefined);
      },
      close: async () => {
        if (queue !== undefined) {
          const late = new AbortController();
          const opened = await queue;
          const closed = opened.wakes.close().catch(() => undefined);
          await Promise.race([
            closed,
            delay(CLOSE_TIMEOUT_MS, undefined, { signal: late.signal }).catch(() => undefined),
          ]);
          late.abort();
          opened.disconnect();
        }
        connection.disconnect();
      },
    };
  } catch (error) {
    connection.disconnect();
    throw error;
  }
}
