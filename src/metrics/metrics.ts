/** What one process counts of its own work, and the registry that it is read from. What is true of the deployment is asked of the store. */
import { Counter, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Decision } from "../../machines/decision.js";
import type { IngestTotals } from "../ingest/ingest.js";

/** Seconds: a decision is a round trip and a fold. */
const FAST = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5];
/** Seconds: a deadline is due within 2 s of its time while a worker lives. */
const LATE = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 30, 300];
/** Entries of one commit. */
const BATCH = [1, 2, 5, 10, 25, 50, 100, 256];

export type Waker = "hint" | "sweep";

export class Metrics {
  readonly registry = new Registry();
  readonly #ingested = this.#counter("gatehouse_ingested_events_total", "Events reported, by answer", ["outcome"]);
  readonly #decisions = this.#counter("gatehouse_decisions_total", "Decisions given", ["decision"]);
  readonly #decisionSeconds = this.#histogram("gatehouse_decision_seconds", "Time a decision took", FAST);
  readonly #requests = this.#counter("gatehouse_http_requests_total", "Requests answered", [
    "method",
    "route",
    "status",
  ]);
  readonly #wakes = this.#counter("gatehouse_wakes_total", "Drains begun, by what asked for them", ["by"]);
  readonly #batches = this.#histogram("gatehouse_batch_entries", "Events folded in one commit", BATCH);
  readonly #lateness = this.#histogram("gatehouse_deadline_lateness_seconds", "Committed after its time", LATE);
  readonly #leftAlone = this.#counter("gatehouse_jobs_left_alone_total", "Jobs that name nothing there is", ["queue"]);
  readonly #deliveries = this.#counter("gatehouse_deliveries_total", "Attempts to deliver effects", ["outcome"]);

  readonly #refreshes: (() => Promise<void>)[] = [];

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  ingested(totals: IngestTotals): void {
    for (const outcome of ["accepted", "duplicate", "conflict", "refused", "unknown"] as const) {
      if (totals[outcome] > 0) this.#ingested.inc({ outcome }, totals[outcome]);
    }
  }

  decided({ decision }: Pick<Decision, "decision">, seconds: number): void {
    this.#decisions.inc({ decision });
    this.#decisionSeconds.observe(seconds);
  }

  /** @param route as it is declared, so that there are few */
  requested(method: string, route: string, status: number): void {
    this.#requests.inc({ method, route, status });
  }

  woken(by: Waker): void {
    this.#wakes.inc({ by });
  }

  /** @param lateMs of each deadline that passed in the batch */
  committed(entries: number, lateMs: readonly number[]): void {
    this.#batches.observe(entries);
    for (const ms of lateMs) this.#lateness.observe(ms / 1_000);
  }

  /** A job of one of the queues names nothing of this deployment: nobody made it who was to. */
  leftAlone(queue: "wake" | "effects"): void {
    this.#leftAlone.inc({ queue });
  }

  delivered(outcome: string): void {
    this.#deliveries.inc({ outcome });
  }

  /** Asked to bring its figures up to date whenever somebody reads them. Never rejects. */
  beforeRead(refresh: () => Promise<void>): void {
    this.#refreshes.push(refresh);
  }

  /** In the text format that Prometheus reads. */
  async text(): Promise<string> {
    await Promise.all(this.#refreshes.map((refresh) => refresh()));
    return this.registry.metrics();
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }
}
