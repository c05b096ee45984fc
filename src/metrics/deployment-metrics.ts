/**
 * What is true of the whole deployment, asked of the store when somebody reads the metrics. Every process says the same, so a dashboard
 * takes the maximum over them, never the sum.
 */
import { Counter, Gauge } from "prom-client";
import type { RedisConnection } from "../redis/connection.js";
import { STATE_NAMES } from "../../machines/session/context.js";
import { DURABILITY_CLASSES } from "../redis/durability.js";
import { durabilityOf } from "../redis/settings.js";
import type { PartitionStore } from "../store/partition-store.js";
import { readFacts, sumOf } from "./deployment-facts.js";
import type { Metrics } from "./metrics.js";

/** Readers that come together are told the same. */
const KEPT_MS = 1_000;

const OUTCOMES = ["applied", "ignored", "stale", "quarantined"] as const;

export interface Observed {
  readonly store: PartitionStore;
  readonly redis: RedisConnection;
}

export function addDeploymentMetrics(metrics: Metrics, { store, redis }: Observed): void {
  const registers = [metrics.registry];
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });

  const processed = counter("gatehouse_processed_events_total", "Events committed, by what became of them", [
    "outcome",
  ]);
  const transitions = counter("gatehouse_transitions_total", "Changes of state", ["from", "to"]);
  const sessions = gauge("gatehouse_sessions", "Sessions in each state", ["state"]);
  const waiting = gauge("gatehouse_partition_waiting_events", "Accepted events that wait for a worker", ["partition"]);
  const oldest = gauge("gatehouse_partition_oldest_wait_seconds", "How long the oldest one has waited", ["partition"]);
  const overdue = gauge("gatehouse_partition_overdue_seconds", "How long its earliest deadline is past", ["partition"]);
  const notArchived = gauge(
    "gatehouse_partition_not_archived_records",
    "Journal records that are in no archive yet, where the deployment archives",
    ["partition"],
  );
  const heldBack = gauge(
    "gatehouse_partition_held_back_records",
    "Journal records that may not be trimmed yet: they are not archived, or behind the archive's last checkpoint",
    ["partition"],
  );
  const lostEvents = gauge(
    "gatehouse_partition_lost_events",
    "1: a failover lost events that had been accepted, and its decisions are deny until somebody took note",
    ["partition"],
  );
  const outbox = gauge("gatehouse_outbox_effects", "Committed effects that were not handed over yet");
  const walking = gauge("gatehouse_walk_sessions_left", "Sessions that a published version has yet to be brought to");
  const memory = gauge("gatehouse_redis_memory_bytes", "Memory that a Redis uses", ["server"]);
  const limit = gauge("gatehouse_redis_memory_limit_bytes", "Memory that it may use; 0: no limit", ["server"]);
  const durability = gauge(
    "gatehouse_durability_class",
    "0: D0, written out each second; 1: D1, before the answer; 2: D2, on a replica, too",
  );

  const collect = async (): Promise<void> => {
    const { counters, partitions, servers } = await readFacts(store, redis);
    processed.reset();
    for (const outcome of OUTCOMES) processed.inc({ outcome }, counters[outcome] ?? 0);
    transitions.reset();
    for (const [name, count] of Object.entries(counters)) {
      const [kind, from, to] = name.split(".");
      if (kind === "moved" && from !== undefined && to !== undefined) transitions.inc({ from, to }, count);
    }
    for (const state of STATE_NAMES) sessions.set({ state }, Math.max(0, counters[`in.${state}`] ?? 0));
    for (const facts of partitions) {
      const partition = String(facts.partition);
      waiting.set({ partition }, facts.waiting);
      oldest.set({ partition }, facts.waitMs / 1_000);
      overdue.set({ partition }, facts.overdueMs / 1_000);
      lostEvents.set({ partition }, facts.lost === undefined ? 0 : 1);
      const { seq, archive } = facts;
      if (archive === null) {
        notArchived.remove({ partition });
        heldBack.remove({ partition });
      } else {
        notArchived.set({ partition }, Math.max(0, seq - archive.seq));
        heldBack.set({ partition }, Math.max(0, seq - Math.min(archive.seq, archive.checkpoint)));
      }
    }
    outbox.set(sumOf(partitions, "outbox"));
    walking.set(sumOf(partitions, "unwalked"));
    memory.reset();
    limit.reset();
    for (const { server, usedMemoryBytes, maxMemoryBytes } of servers) {
      memory.set({ server }, usedMemoryBytes);
      limit.set({ server }, maxMemoryBytes);
    }
    durability.set(DURABILITY_CLASSES.indexOf(durabilityOf(servers)));
  };

  const reachable = gauge(
    "gatehouse_store_reachable",
    "1: the store answered when these figures were read; 0: what they say of the deployment is old",
  );
  let collected: { readonly at: number; readonly done: Promise<void> } | undefined;
  metrics.beforeRead(async () => {
    const now = performance.now();
    if (collected === undefined || now - collected.at > KEPT_MS) {
      const done = collect().then(
        () => reachable.set(1),
        () => reachable.set(0),
      );
      collected = { at: now, done };
    }
    await collected.done;
  });
}
