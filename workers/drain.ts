/**
 * Drains a partition: load a batch, fold it, commit it, until nothing is left. Two workers on one partition waste work, but
 * only one of them can commit; nothing here decides who.
 */
import { randomBytes } from "node:crypto";
import { foldBatch } from "../machines/fold-batch.js";
import type { RulesSource } from "../src/control/rules-source.js";
import type { Logger } from "../src/log.js";
import type { LoadLimits, PartitionStore } from "../src/store/partition-store.js";
import { readBatch, writeOutcome } from "../src/store/partition-view.js";

const LIMITS: LoadLimits = { entries: 256, bytes: 256 * 1024 };

/** Batches before a busy partition lets others have a turn. */
const BATCHES_A_TURN = 64;

export type DrainResult =
  /** Nothing is left. */
  | "drained"
  /** Another worker commits on this partition. */
  | "stale"
  /** There is more, and it is others' turn. */
  | "more"
  /** It could not be done now; the log says why. */
  | "failed";

export interface DrainDependencies {
  readonly store: PartitionStore;
  readonly rules: RulesSource;
  readonly log: Logger;
  /** Told of effects once they are committed. May be lost: the sweep hands over again what stays in the outbox. */
  readonly onEffects: (partition: number, ids: readonly string[]) => void;
  /** Told after every commit, for measurements. */
  readonly onCommit?: (partition: number, entries: number) => void;
}

export class Drainer {
  private readonly underWay = new Map<number, Promise<DrainResult>>();

  constructor(private readonly dependencies: DrainDependencies) {}

  /** Drains the partition, or joins the drain that runs in this process. Never rejects. */
  async drain(partition: number): Promise<DrainResult> {
    const running = this.underWay.get(partition);
    if (running !== undefined) return running;
    const drain = this.turn(partition)
      .catch((error: unknown): DrainResult => {
        this.dependencies.log.error(
          { err: error, partition },
          "a partition could not be drained; the sweep tries again",
        );
        return "failed";
      })
      .finally(() => this.underWay.delete(partition));
    this.underWay.set(partition, drain);
    return drain;
  }

  isDraining(partition: number): boolean {
    return this.underWay.has(partition);
  }

  /** Resolves when what runs now has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay.values());
  }

  private async turn(partition: number): Promise<DrainResult> {
    const { store, rules, onEffects, onCommit } = this.dependencies;
    for (let batches = 0; batches < BATCHES_A_TURN; batches++) {
      const batch = await store.load(partition, LIMITS);
      if (batch.entries.length === 0 && batch.due.length === 0) return "drained";
      const input = readBatch(batch);
      await rules.prepare(
        input.policies,
        input.entries.flatMap((entry) => (entry.kind === "publish" ? [entry] : [])),
      );
      const outcome = foldBatch(input, rules.rulesOf);
      const commit = writeOutcome(batch, input, outcome, randomBytes(9).toString("base64url"));
      const result = await store.commit(partition, commit);
      if (result.status === "stale") return "stale";
      onCommit?.(partition, batch.entries.length);
      if (commit.effects.length > 0) {
        onEffects(
          partition,
          commit.effects.map(({ id }) => id),
        );
      }
      if (result.drained) return "drained";
    }
    return "more";
  }
}
