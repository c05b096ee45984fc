/**
 * The fan-out benchmark: one policy change over a large fleet at rest, while live traffic goes on. How fast the walk lifts the
 * sessions, and what it costs those who work meanwhile: the same traffic is measured before the change, in the same run.
 */
import { setTimeout as delay } from "node:timers/promises";
import { readCatalogue } from "../../src/control/catalogue-document.js";
import { publish } from "../../src/control/publish.js";
import { RedisCatalogues } from "../../src/control/redis-catalogues.js";
import { walkProgress } from "../../src/control/walk-progress.js";
import { WakeQueue } from "../../src/queue/queues.js";
import { connectQueue, connectStore } from "../../src/redis/connection.js";
import { startPrivateRedis } from "../../src/redis/private-server.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { Child, clockMs } from "../core/child.js";
import { percentile } from "../core/percentile.js";
import { seedFleet } from "./fleet.js";
import { fleetPolicies } from "./fleet-policies.js";

export interface FanoutOptions {
  readonly sessions: number;
  /** Live events a second. */
  readonly eventsPerSecond: number;
  readonly progress: (what: string) => void;
}

export interface FanoutResult {
  readonly sessions: number;
  /** Lifted by the walk, from when `publish` returned. */
  readonly sessionsPerSecond: number;
  /** Accepted → committed of live events, ms: while the walk goes on, and before. */
  readonly p99Ms: number;
  readonly p99MsIdle: number;
  /** How often the walk worked out rules. */
  readonly resolves: number;
}

const TENANT = "contoso";
const PREFIX = "bench";
/** Sessions that live events are about. */
const LIVE_SESSIONS = 20_000;
const WARM_UP_MS = 5_000;
const IDLE_MS = 15_000;
const POLL_MS = 100;

export interface Committed {
  readonly kind: "committed";
  readonly commits: readonly { readonly partition: number; readonly entries: number; readonly at: number }[];
  readonly resolves: number;
}

export interface Accepted {
  readonly kind: "accepted";
  /** In the order of acceptance. */
  readonly accepted: readonly { readonly partition: number; readonly at: number }[];
}

export async function fanout({ sessions, eventsPerSecond, progress }: FanoutOptions): Promise<FanoutResult> {
  const server = await startPrivateRedis({ fsync: "always" });
  try {
    const redis = await connectStore(server.url);
    // When Redis rewrites its append-only file depends on the file's size, and would fall into either half of the comparison.
    await redis.config("SET", "auto-aof-rewrite-percentage", "0");
    const store = await openRedisPartitionStore(redis, {
      prefix: PREFIX,
      deployment: { clock: "redis", journalMaxBytes: 4_000_000 },
    });
    const queueConnection = connectQueue(server.url);
    const wakeQueue = new WakeQueue(queueConnection, { prefix: PREFIX, wakeShards: 1 });
    const target = { store, catalogues: new RedisCatalogues(redis, PREFIX), wake: wakeQueue.wake };
    const first = fleetPolicies(5);
    const version = await publish(target, TENANT, first);

    const worker = new Child("../fanout/fleet-worker", { url: server.url, prefix: PREFIX, tenant: TENANT });
    await worker.next("ready");
    while ((await walkProgress(store, { tenant: TENANT, version })).partitionsWalking > 0) await delay(POLL_MS);

    // What was committed so far is no live event.
    worker.send("forget");
    progress(`writing ${sessions.toLocaleString("en")} sessions`);
    const catalogue = readCatalogue({ ...first, version });
    const subjects = await seedFleet(store, catalogue, TENANT, sessions, LIVE_SESSIONS, (written) =>
      progress(`writing sessions: ${written.toLocaleString("en")}`),
    );

    progress(`${eventsPerSecond} events/s with nothing else to do`);
    const emitter = new Child("../fanout/live-emitter", {
      url: server.url,
      prefix: PREFIX,
      tenant: TENANT,
      subjects,
      eventsPerSecond,
    });
    await emitter.next("ready");
    await delay(WARM_UP_MS);
    const idleFrom = clockMs();
    await delay(IDLE_MS);

    progress(`the same while one change reaches ${sessions.toLocaleString("en")} sessions`);
    const publishedFrom = clockMs();
    const changed = await publish(target, TENANT, fleetPolicies(4));
    const walkFrom = clockMs();
    for (;;) {
      const { seen, partitionsWalking } = await walkProgress(store, { tenant: TENANT, version: changed });
      if (partitionsWalking === 0) break;
      progress(`walked ${seen.toLocaleString("en")} of ${sessions.toLocaleString("en")} sessions`);
      await delay(POLL_MS);
    }
    const walkUntil = clockMs();

    const told = emitter.next<Accepted>("accepted");
    emitter.send("stop");
    const { accepted } = await told;
    await delay(WARM_UP_MS / 5);
    const summed = worker.next<Committed>("committed");
    worker.send("sum");
    const { commits, resolves } = await summed;
    await Promise.all([worker.end(), emitter.end()]);
    await wakeQueue.close();
    queueConnection.disconnect();
    redis.disconnect();

    const waits = waitsOf(accepted, commits, publishedFrom, store.deployment.partitionCount);
    const between = (from: number, until: number) =>
      waits.filter(({ at }) => at >= from && at < until).map(({ ms }) => ms);
    return {
      sessions,
      sessionsPerSecond: Math.round(sessions / ((walkUntil - walkFrom) / 1_000)),
      p99Ms: round(percentile(between(publishedFrom, walkUntil), 0.99)),
      p99MsIdle: round(percentile(between(idleFrom, publishedFrom), 0.99)),
      resolves,
    };
  } finally {
    await server.stop();
  }
}

/**
 * A partition commits its entries in the order of acceptance, so the n-th accepted is the n-th committed. The change itself is one
 * entry of every partition.
 */
function waitsOf(
  accepted: Accepted["accepted"],
  commits: Committed["commits"],
  publishedAt: number,
  partitionCount: number,
): readonly { readonly at: number; readonly ms: number }[] {
  const committedAt = new Map<number, number[]>();
  for (const { partition, entries, at } of commits) {
    const times = committedAt.get(partition) ?? [];
    committedAt.set(partition, times);
    for (let n = 0; n < entries; n++) times.push(at);
  }
  const broadcasts = Array.from({ length: partitionCount }, (_, partition) => ({
    partition,
    at: publishedAt,
    isEvent: false,
  }));
  const all = [...accepted.map((event) => ({ ...event, isEvent: true })), ...broadcasts].sort((a, b) => a.at - b.at);
  const next = new Map<number, number>();
  const waits: { at: number; ms: number }[] = [];
  for (const { partition, at, isEvent } of all) {
    const n = next.get(partition) ?? 0;
    next.set(partition, n + 1);
    const committed = committedAt.get(partition)?.[n];
    if (isEvent && committed !== undefined) waits.push({ at, ms: Math.max(0, committed - at) });
  }
  return waits;
}

const round = (value: number): number => Math.round(value * 100) / 100;
