/**
 * Drains a partition: load a batch, fold it, commit it, until nothing is left. Two workers on one partition waste work, but
 * only one of them can commit; nothing here decides who.
 */
import { TIMER_EVENTS } from "../machines/move.js";
import { foldBatch } from "../machines/fold-batch.js";
import type { JournalRecord } from "../machines/outcome.js";
import type { RulesSource } from "../src/control/rules-source.js";
import type { Logger } from "../src/log.js";
import type { Metrics } from "../src/metrics/metrics.js";
import type { LoadLimits, PartitionStore } from "../src/store/partition-store.js";
import { randomToken } from "../src/store/random-token.js";
import { readBatch, writeOutcome } from "../src/store/partition-view.js";
import { TransitionSpans } from "../src/tracing/transition-spans.js";

const LIMITS: LoadLimits = { entries: 256, bytes: 256 * 1024 };

/** Batches before a busy partition lets others have a turn. */
const BATCHES_A_TURN = 64;

/** How often a batch is folded anew because another worker committed first. */
const STALE_RETRIES = 2;

export type DrainResult =
  /** Nothing is left. */
  | "drained"
  /** Another worker commits on this partition. */
  | "stale"
  /** There is more, and it is others' turn. */
  | "more"
  /** A step of the policy walk holds the partition; it is drained right after. */
  | "later"
  /** It could not be done now; the log says why. */
  | "failed";

export interface DrainDependencies {
  readonly store: PartitionStore;
  readonly rules: RulesSource;
  readonly log: Logger;
  /** Told of effects once they are committed. May be lost: the sweep hands over again what stays in the outbox. */
  readonly onEffects: (partition: number, ids: readonly string[]) => void;
  /** Told when sessions of the partition have a published version to get. */
  readonly onPublished?: (partition: number) => void;
  /** Told after every commit, for measurements. */
  readonly onCommit?: (partition: number, entries: number) => void;
  readonly metrics?: Metrics;
}

export class Drainer {
  private readonly draining = new Map<number, Promise<DrainResult>>();
  private readonly held = new Map<number, { drainAsked: boolean }>();
  /** Token of the last commit on each partition. */
  private readonly committed = new Map<number, string>();

  constructor(private readonly dependencies: DrainDependencies) {}

  /**
   * Drains the partition, or joins the drain that runs in this process. Never rejects. Nobody waits here for what holds the
   * partition: one slow step of a walk would keep all that was woken together with it.
   */
  async drain(partition: number): Promise<DrainResult> {
    const hold = this.held.get(partition);
    if (hold !== undefined) {
      hold.drainAsked = true;
      return "later";
    }
    const running = this.draining.get(partition);
    if (running !== undefined) return running;
    const drain = this.turn(partition)
      .catch((error: unknown): DrainResult => {
        this.dependencies.log.error(
          { err: error, partition },
          "a partition could not be drained; the sweep tries again",
        );
        return "failed";
      })
      .finally(() => this.draining.delete(partition));
    this.draining.set(partition, drain);
    return drain;
  }

  isDraining(partition: number): boolean {
    return this.draining.has(partition);
  }

  /** Nothing is drained in this process. */
  get isIdle(): boolean {
    return this.draining.size === 0;
  }

  /** Whether the commit that left this token was made here. */
  hasCommitted(partition: number, token: string): boolean {
    return this.committed.get(partition) === token;
  }

  /**
   * Does something with a partition while nothing else in this process commits on it: two that did would only make each other stale.
   * Resolves when a drain that was asked for meanwhile has ended, too.
   */
  async exclusively<Result>(partition: number, work: () => Promise<Result>): Promise<Result> {
    while (this.draining.has(partition)) await this.draining.get(partition);
    const hold = { drainAsked: false };
    this.held.set(partition, hold);
    try {
      return await work();
    } finally {
      this.held.delete(partition);
      if (hold.drainAsked) while ((await this.drain(partition)) === "more");
    }
  }

  /** Resolves when what runs now has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.draining.values());
  }

  private async turn(partition: number): Promise<DrainResult> {
    const { store, rules, onEffects, onCommit, onPublished, metrics } = this.dependencies;
    let stale = 0;
    for (let batches = 0; batches < BATCHES_A_TURN; batches++) {
      const batch = await store.load(partition, LIMITS);
      if (batch.entries.length === 0 && batch.due.length === 0) return "drained";
      const input = readBatch(batch);
      await rules.prepare(
        input.policies,
        input.entries.flatMap((entry) => (entry.kind === "publish" ? [entry] : [])),
      );
      const begunAt = Date.now();
      const outcome = foldBatch(input, rules.rulesOf);
      const spans = new TransitionSpans(input.traces, { partition, begunAt }, outcome.records);
      const commit = writeOutcome(batch, input, outcome, randomToken(), spans.ofEffect);
      const result = await store.commit(partition, commit);
      if (result.status === "stale") {
        // Another worker that drains goes on by itself; one that only walks does not, so it is tried again.
        if (++stale > STALE_RETRIES) return "stale";
        continue;
      }
      this.committed.set(partition, commit.nextToken);
      spans.end();
      onCommit?.(partition, batch.entries.length);
      metrics?.committed(batch.entries.length, lateness(outcome.records, batch.horizon));
      if (commit.effects.length > 0) {
        onEffects(
          partition,
          commit.effects.map(({ id }) => id),
        );
      }
      if (outcome.policies !== input.policies) onPublished?.(partition);
      if (result.drained) return "drained";
    }
    return "more";
  }
}

const DEADLINE_TYPES: ReadonlySet<string> = new Set([...TIMER_EVENTS.values()].map(({ type }) => type));

/** How late each deadline that passed in a batch was committed, in ms. */
function lateness(records: readonly JournalRecord[], horizon: number): number[] {
  return records.filter(({ event }) => DEADLINE_TYPES.has(event.type)).map(({ at }) => Math.max(0, horizon - at));
}
