/**
 * Walks published policies through idle sessions, a few partitions at a time and step by step, so that live traffic gets its turn
 * between any two. How far it came stands in the partition, and whoever comes next goes on there.
 */
import { neededWalk } from "../machines/walk.js";
import type { Logger } from "../src/log.js";
import type { PartitionStore } from "../src/store/partition-store.js";
import { readState } from "../src/store/partition-view.js";
import type { Drainer } from "./drain.js";
import { Turns } from "./turns.js";
import type { Place, StepResult, WalkStepper } from "./walk-step.js";

/** Partitions walked side by side: while one waits for Redis, another is folded. */
const SIDE_BY_SIDE = 3;

/** How often in a row another worker may come first before the partition is left to it. */
const STALE_RETRIES = 3;

export interface WalkDependencies {
  readonly store: PartitionStore;
  readonly stepper: WalkStepper;
  readonly drainer: Drainer;
  readonly log: Logger;
  /** As a drain's. */
  readonly onEffects: (partition: number, ids: readonly string[]) => void;
}

export class Walker {
  private readonly walks = new Map<number, Promise<void>>();
  private readonly turns = new Turns(SIDE_BY_SIDE);
  private stopped = false;

  constructor(private readonly dependencies: WalkDependencies) {}

  /**
   * Walks the partition if some of its sessions lack a published version, or joins the walk that waits or runs in this process.
   * Resolves when it has ended, for whatever reason. Never rejects.
   */
  walk(partition: number): Promise<void> {
    const known = this.walks.get(partition);
    if (known !== undefined) return known;
    const walk = this.turns
      .take(() => this.walkPartition(partition))
      .catch((error: unknown) =>
        this.dependencies.log.warn({ err: error, partition }, "a policy walk stopped; the sweep goes on with it"),
      )
      .finally(() => this.walks.delete(partition));
    this.walks.set(partition, walk);
    return walk;
  }

  /** Resolves when no step is under way; none begins any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.walks.values());
  }

  private async walkPartition(partition: number): Promise<void> {
    const { store, stepper, drainer, onEffects } = this.dependencies;
    if (this.stopped) return;
    const [survey] = await store.survey([partition]);
    const { policies, walk = neededWalk(policies) } = readState(survey?.state ?? "");
    let place: Place | null = walk === undefined ? null : { walk, unnoted: 0 };
    let stale = 0;
    while (place !== null && !this.stopped) {
      const from: Place = place;
      const result: StepResult = await drainer.exclusively(partition, () => stepper.step(partition, from));
      if (result === "stale") {
        if (++stale > STALE_RETRIES) return;
        continue;
      }
      stale = 0;
      place = result.next;
      if (result.effects.length > 0) onEffects(partition, result.effects);
      if (result.waits) await drainer.drain(partition);
    }
  }
}
