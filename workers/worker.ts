/** One worker process's parts, wired: drain, sweep and effects over one deployment. */
import type { Worker as BullWorker } from "bullmq";
import type { RedisConnection } from "../src/redis/connection.js";
import { utimes, writeFile } from "node:fs/promises";
import { resumeAnnouncements } from "../src/control/announce.js";
import { RedisCatalogues } from "../src/control/redis-catalogues.js";
import { RulesSource } from "../src/control/rules-source.js";
import type { AttemptOutcome } from "../src/effects/receiver.js";
import type { EffectSink } from "../src/effects/effect-sink.js";
import type { RemediatorRegistry } from "../src/remediators/registry.js";
import type { Logger } from "../src/log.js";
import { addDeploymentMetrics } from "../src/metrics/deployment-metrics.js";
import type { Metrics } from "../src/metrics/metrics.js";
import { EffectsQueue, WakeQueue } from "../src/queue/queues.js";
import type { RedisTarget } from "../src/redis/address.js";
import type { Durability } from "../src/redis/durability.js";
import { connectQueue, connectStore } from "../src/redis/connection.js";
import type { SecretKey } from "../src/secrets/secret-key.js";
import type { DeploymentRequest } from "../src/store/deployment.js";
import { openRedisPartitionStore } from "../src/store/redis/redis-partition-store.js";
import { FanOutSweep } from "../src/users/fan-out.js";
import { RedisUserStore } from "../src/users/redis-user-store.js";
import { Drainer } from "./drain.js";
import { startDeliveries } from "./deliveries.js";
import { startEffectsWorker } from "./effects.js";
import { Retirement } from "./retire.js";
import { Sweep } from "./sweep.js";
import { startWakeWorkers } from "./wake.js";
import { Walker } from "./walk.js";
import { WalkApart } from "./walk-apart.js";
import { type WalkStepper, WalkSteps } from "./walk-step.js";

export interface WorkerOptions {
  readonly redis: RedisTarget;
  /** `D2`: no effect leaves before a replica has what it follows from. Default `D1`. */
  readonly durability?: Durability;
  readonly prefix: string;
  readonly wakeShards: number;
  readonly concurrency: number;
  /** How long stopping may take, in ms; then connections are cut, and the next worker does the rest. */
  readonly shutdownMs: number;
  /** How long a session may be silent before it is retired, ms; 0, the default: as long as it likes. */
  readonly sessionRetentionMs?: number;
  /** What the deployment is created with, if this worker is the first to open it. */
  readonly deployment?: DeploymentRequest;
  /** `null`: this process delivers no effects; they wait in the outbox. */
  readonly sink: EffectSink | null;
  /** With which webhooks' secrets are kept; absent: their deliveries wait. */
  readonly secretKey?: SecretKey | undefined;
  /** Ranges of addresses that webhooks may go to although they are not public. */
  readonly webhookAllowPrivate?: readonly string[];
  readonly remediators?: RemediatorRegistry;
  readonly heartbeatFile?: string | undefined;
  /** Policy walks run in a process of their own; by default they share this one. */
  readonly walkApart?: boolean;
  readonly log: Logger;
  readonly onCommit?: (partition: number, entries: number) => void;
  /** Where this process counts its work; absent: nowhere. */
  readonly metrics?: Metrics;
}

export interface RunningWorker {
  /** The store's connection, to look at. */
  readonly redis: RedisConnection;
  /** How often policy walks worked out rules. */
  readonly walkResolves: () => number;
  /** Ends what is under way, within `shutdownMs`. */
  stop(): Promise<void>;
}

/** @throws StoreUnavailableError, DeploymentConflictError */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { redis: target, prefix, wakeShards, log, sink } = options;
  const onError = (error: unknown) => log.warn({ err: error }, "connection to Redis lost; it is made again by itself");
  const storeConnection = await connectStore(target, {
    onError,
    ...(options.durability && { durability: options.durability }),
  });
  const queueConnection = connectQueue(target, { onError });
  const store = await openRedisPartitionStore(storeConnection, {
    prefix,
    ...(options.deployment && { deployment: options.deployment }),
  });

  const wakeQueue = new WakeQueue(queueConnection, { prefix, wakeShards }, onError);
  const effectsQueue = sink === null ? null : new EffectsQueue(queueConnection, { prefix, wakeShards }, onError);
  const catalogues = new RedisCatalogues(storeConnection, prefix);
  const rules = new RulesSource(catalogues);
  const onEffects = (partition: number, ids: readonly string[]) =>
    void effectsQueue?.handOver(partition, ids).catch(onError);
  const { metrics } = options;
  const watched = metrics === undefined ? {} : { metrics };
  if (metrics !== undefined) addDeploymentMetrics(metrics, { store, redis: storeConnection });
  const drainer = new Drainer({
    store,
    rules,
    log,
    onEffects,
    onPublished: (partition) => void walker.walk(partition),
    ...(options.onCommit && { onCommit: options.onCommit }),
    ...watched,
  });
  const apart = options.walkApart === true ? new WalkApart({ redis: target, prefix }) : undefined;
  const stepper: WalkStepper = apart ?? new WalkSteps(store, rules);
  const walker = new Walker({ store, stepper, drainer, log, onEffects });
  const users = new RedisUserStore(storeConnection, { prefix, deployment: store.deployment });
  const fanOuts = new FanOutSweep({ store, users, wake: wakeQueue.wake }, onError);
  const retirement = new Retirement({
    store,
    wake: wakeQueue.wake,
    retentionMs: options.sessionRetentionMs ?? 0,
    onError,
    onRetire: (sessions, why) => log.info({ sessions: sessions.length, why }, "sessions are retired"),
  });
  const sweep = new Sweep({
    store,
    drainer,
    walker,
    effects: effectsQueue,
    chores: [
      async () => fanOuts.tend(),
      async () => resumeAnnouncements({ store, catalogues, wake: wakeQueue.wake }),
      async () => retirement.tend(),
    ],
    log,
    ...watched,
    onLook: heartbeat(options.heartbeatFile, log),
  });
  const deliveries =
    sink === null
      ? null
      : startDeliveries({
          ...options,
          ...(metrics && { onAttempt: (_: string, { outcome }: AttemptOutcome) => metrics.delivered(outcome) }),
          redis: storeConnection,
          target: { store, users, rules, wake: wakeQueue.wake },
        });
  const bullWorkers: BullWorker[] = [
    ...startWakeWorkers(drainer, wakeQueue, log, {
      connection: queueConnection,
      prefix,
      wakeShards,
      partitionCount: store.deployment.partitionCount,
      concurrency: options.concurrency,
      ...watched,
    }),
    ...(sink === null || deliveries === null
      ? []
      : [startEffectsWorker({ store, prefix, sink, handOver: deliveries.handOver, log, ...watched }, queueConnection)]),
  ];
  sweep.start();
  log.info({ partitions: store.deployment.partitionCount, clock: store.deployment.clock, prefix }, "worker is up");

  const end = async (): Promise<void> => {
    await sweep.stop();
    await walker.stop();
    await fanOuts.stop();
    await apart?.close();
    await Promise.all([...bullWorkers.map((worker) => worker.close()), deliveries?.stop()]);
    await drainer.settled();
    await wakeQueue.close();
    await effectsQueue?.close();
    await sink?.close();
  };
  return {
    redis: storeConnection,
    walkResolves: () => stepper.resolves,
    stop: async () => {
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<"late">((resolve) => {
        timer = setTimeout(() => resolve("late"), options.shutdownMs);
      });
      const outcome = await Promise.race([end().catch(onError), deadline]);
      clearTimeout(timer);
      if (outcome === "late")
        log.warn({ shutdownMs: options.shutdownMs }, "stopping took too long; connections are cut");
      // Closing politely would wait for a Redis that may be gone.
      storeConnection.disconnect();
      queueConnection.disconnect();
      log.info("worker has stopped");
    },
  };
}

/** Touches the file at every look of the sweep: an old file means a worker that is stuck. */
function heartbeat(file: string | undefined, log: Logger): () => void {
  if (file === undefined) return () => {};
  return () => {
    const now = new Date();
    utimes(file, now, now)
      .catch(async () => writeFile(file, ""))
      .catch((error: unknown) => log.warn({ err: error }, "the heartbeat file can't be written"));
  };
}
