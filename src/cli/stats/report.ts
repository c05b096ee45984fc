/** What `gatehouse stats` tells of a deployment at a moment. */
import { STATE_NAMES, type StateName } from "../../../machines/session/context.js";
import type { OpenDeployment } from "../../deployment/open-deployment.js";
import { type PartitionFacts, greatest, readFacts, sumOf } from "../../metrics/deployment-facts.js";
import type { RateWindow, Rates } from "../../metrics/rates.js";
import { readReceivers } from "../../metrics/receiver-facts.js";
import type { Durability } from "../../redis/durability.js";
import { durabilityOf, memoryOf, versionOf } from "../../redis/settings.js";

/** Partitions that are named. */
const SLOWEST = 5;

const OUTCOMES = ["applied", "ignored", "stale", "quarantined"] as const;

export interface Stats {
  /** By the deployment's clock, epoch ms. */
  readonly at: number;
  /** Of all tenants. */
  readonly sessions: { readonly total: number; readonly byState: Readonly<Record<StateName, number>> };
  readonly rates: Rates;
  /** Events committed since the deployment began, by what became of them. */
  readonly processed: Readonly<Record<(typeof OUTCOMES)[number], number>>;
  /** Accepted events that wait for a worker. */
  readonly backlog: { readonly events: number; readonly partitions: number; readonly oldestWaitMs: number };
  /** Sessions with a deadline that is past, and how long the earliest is. */
  readonly timers: { readonly late: number; readonly overdueMs: number };
  readonly effects: {
    /** Committed, and not handed over to their receivers yet. */
    readonly outbox: number;
    /** Deliveries with attempts to come, and those that were given up. */
    readonly waiting: number;
    readonly spent: number;
  };
  /** Sessions that a published version has yet to be brought to, at most. */
  readonly unwalked: number;
  /** Those with most to do, if any has something to do. */
  readonly slowest: readonly Pick<PartitionFacts, "partition" | "waiting" | "waitMs" | "timersLate" | "overdueMs">[];
  readonly redis: {
    /** That hold data. */
    readonly servers: number;
    /** The oldest of theirs. */
    readonly version: string;
    /** The least of theirs. */
    readonly durability: Durability;
    /** Of all together. */
    readonly usedMemoryBytes: number;
    /** 0: no limit. */
    readonly maxMemoryBytes: number;
  };
}

/** @throws StoreUnavailableError */
export async function readStats({ store, redis, prefix }: OpenDeployment, window: RateWindow): Promise<Stats> {
  const [facts, receivers] = await Promise.all([readFacts(store, redis), readReceivers(redis, prefix)]);
  const { counters, partitions } = facts;
  const counted = (name: string): number => counters[name] ?? 0;
  const processed = OUTCOMES.reduce((sum, outcome) => sum + counted(outcome), 0);
  const backlog = sumOf(partitions, "waiting");
  const rates = window.add({
    at: performance.now(),
    accepted: processed + backlog,
    processed,
    applied: counted("applied"),
    effects: counted("effects"),
  });
  const alive = receivers.filter(({ state }) => state !== "removed");
  const { usedMemoryBytes, maxMemoryBytes } = memoryOf(facts.servers);
  return {
    at: greatest(partitions, "now"),
    sessions: {
      total: sumOf(partitions, "sessions"),
      byState: Object.fromEntries(
        STATE_NAMES.map((state) => [state, Math.max(0, counted(`in.${state}`))]),
      ) as Stats["sessions"]["byState"],
    },
    rates,
    processed: Object.fromEntries(OUTCOMES.map((outcome) => [outcome, counted(outcome)])) as Stats["processed"],
    backlog: {
      events: backlog,
      partitions: partitions.filter(({ waiting }) => waiting > 0).length,
      oldestWaitMs: greatest(partitions, "waitMs"),
    },
    timers: { late: sumOf(partitions, "timersLate"), overdueMs: greatest(partitions, "overdueMs") },
    effects: {
      outbox: sumOf(partitions, "outbox"),
      waiting: alive.reduce((sum, { figures }) => sum + figures.waiting, 0),
      spent: alive.reduce((sum, { figures }) => sum + figures.spent, 0),
    },
    unwalked: sumOf(partitions, "unwalked"),
    slowest: slowest(partitions),
    redis: {
      servers: facts.servers.length,
      version: versionOf(facts.servers),
      durability: durabilityOf(facts.servers),
      usedMemoryBytes,
      maxMemoryBytes,
    },
  };
}

function slowest(partitions: readonly PartitionFacts[]): Stats["slowest"] {
  return partitions
    .filter(({ waiting, timersLate }) => waiting > 0 || timersLate > 0)
    .sort((one, other) => other.waitMs - one.waitMs || other.waiting - one.waiting || other.overdueMs - one.overdueMs)
    .slice(0, SLOWEST)
    .map(({ partition, waiting, waitMs, timersLate, overdueMs }) => ({
      partition,
      waiting,
      waitMs,
      timersLate,
      overdueMs,
    }));
}
