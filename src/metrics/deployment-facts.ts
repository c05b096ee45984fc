/** What is true of the whole deployment at a moment, asked of the store: for metrics, and for whoever watches. */
import type { RedisConnection } from "../redis/connection.js";
import { neededWalk } from "../../machines/walk.js";
import { type RedisSettings, readSettings } from "../redis/settings.js";
import { type Counters, readCounters } from "../store/counters.js";
import type { ClockKind, PartitionStore, PartitionSurvey } from "../store/partition-store.js";
import { readState } from "../store/partition-view.js";
import { toUnavailable } from "../store/redis/unavailable.js";

export interface PartitionFacts extends Pick<
  PartitionSurvey,
  "partition" | "token" | "now" | "sessions" | "seq" | "archive" | "journalBytes" | "lost"
> {
  /** Accepted events that wait for a worker. */
  readonly waiting: number;
  /** How long the oldest of them has waited, ms; 0: none does. */
  readonly waitMs: number;
  /** Sessions with a deadline that is past, and how long the earliest is, ms. */
  readonly timersLate: number;
  readonly overdueMs: number;
  /** Committed effects that were not handed over to their receivers yet. */
  readonly outbox: number;
  /** Sessions that a published version has yet to be brought to, at most; decisions obey it already. */
  readonly unwalked: number;
}

export interface DeploymentFacts {
  readonly counters: Counters;
  readonly partitions: readonly PartitionFacts[];
  /** Of every server that holds data. */
  readonly servers: readonly RedisSettings[];
}

/** @throws StoreUnavailableError */
export async function readFacts(store: PartitionStore, redis: RedisConnection): Promise<DeploymentFacts> {
  const [counters, partitions, servers] = await Promise.all([
    readCounters(store),
    readPartitions(store),
    readSettings(redis).catch((error: unknown) => {
      throw toUnavailable(error, "settings", false);
    }),
  ]);
  return { counters, partitions, servers };
}

/** @throws StoreUnavailableError */
export async function readPartitions(store: PartitionStore): Promise<PartitionFacts[]> {
  const { partitionCount, clock } = store.deployment;
  const surveys = await store.survey(Array.from({ length: partitionCount }, (_, partition) => partition));
  return surveys.map((survey) => partitionFacts(survey, clock));
}

export function partitionFacts(survey: PartitionSurvey, clock: ClockKind): PartitionFacts {
  const { partition, token, now, sessions, seq, archive, journalBytes, waiting, timersDue, outboxSize, lost } = survey;
  const { policies, walk } = readState(survey.state);
  // Where the clock is the events' own, how long something has waited can't be told from it.
  const since = (at: number | null): number => (at === null || clock === "event" ? 0 : Math.max(0, now - at));
  return {
    partition,
    token,
    now,
    sessions,
    seq,
    archive,
    journalBytes,
    waiting,
    waitMs: since(survey.oldestWaiting),
    timersLate: timersDue,
    overdueMs: since(survey.nextTimer),
    outbox: outboxSize,
    ...(lost && { lost }),
    unwalked: neededWalk(policies) === undefined ? 0 : Math.max(0, sessions - (walk?.seen ?? 0)),
  };
}

type Figure = {
  [Name in keyof PartitionFacts]-?: PartitionFacts[Name] extends number ? Name : never;
}[keyof PartitionFacts];

export const sumOf = (partitions: readonly PartitionFacts[], figure: Figure): number =>
  partitions.reduce((sum, facts) => sum + facts[figure], 0);

export const greatest = (partitions: readonly PartitionFacts[], figure: Figure): number =>
  Math.max(0, ...partitions.map((facts) => facts[figure]));
