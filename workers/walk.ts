/**
 * Walks published policies through idle sessions, a few partitions at a time and chunk by chunk, so that live traffic gets its turn
 * between any two. How far it came stands in the partition, and whoever comes next goes on there.
 */
import { randomBytes } from "node:crypto";
import { type Walk, foldWalk, neededWalk } from "../machines/walk.js";
import type { RulesSource } from "../src/control/rules-source.js";
import type { Logger } from "../src/log.js";
import type { PartitionStore } from "../src/store/partition-store.js";
import { readChunk, readState, writeWalk } from "../src/store/partition-view.js";
import type { Drainer } from "./drain.js";

/** Sessions a step: few enough that no event waits long for one. */
const CHUNK_SESSIONS = 128;

/** Partitions walked side by side: while one waits for Redis, another is folded. */
const SIDE_BY_SIDE = 2;

/** Chunks without anything to write after which the place is noted all the same. */
const CHUNKS_UNNOTED = 16;

/** How often in a row another worker may come first before the partition is left to it. */
const STALE_RETRIES = 3;

export interface WalkDependencies {
  readonly store: PartitionStore;
  readonly rules: RulesSource;
  readonly drainer: Drainer;
  readonly log: Logger;
  /** As a drain's. */
  readonly onEffects: (partition: number, ids: readonly string[]) => void;
}

type StepResult = { readonly walk: Walk | undefined; readonly unnoted: number; readonly waits: boolean } | "stale";

export class Walker {
  private readonly walks = new Map<number, Promise<void>>();
  private readonly waiting: (() => void)[] = [];
  private underWay = 0;
  private stopped = false;

  constructor(private readonly dependencies: WalkDependencies) {}

  /**
   * Walks the partition if some of its sessions lack a published version, or joins the walk that waits or runs in this process.
   * Resolves when it has ended, for whatever reason. Never rejects.
   */
  walk(partition: number): Promise<void> {
    const known = this.walks.get(partition);
    if (known !== undefined) return known;
    const walk = this.inTurn(() => this.walkPartition(partition))
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

  private async inTurn(work: () => Promise<void>): Promise<void> {
    if (this.underWay >= SIDE_BY_SIDE) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.underWay++;
    try {
      await work();
    } finally {
      // Whoever waited takes over this turn.
      const next = this.waiting.shift();
      if (next === undefined) this.underWay--;
      else next();
    }
  }

  private async walkPartition(partition: number): Promise<void> {
    if (this.stopped) return;
    const { store, drainer } = this.dependencies;
    const [survey] = await store.survey([partition]);
    const { policies, walk: begun } = readState(survey?.state ?? "");
    let walk = begun ?? neededWalk(policies);
    let unnoted = 0;
    let stale = 0;
    while (walk !== undefined && !this.stopped) {
      const from: Walk = walk;
      const step: StepResult = await drainer.exclusively(partition, () => this.step(partition, from, unnoted));
      if (step === "stale") {
        if (++stale > STALE_RETRIES) return;
        continue;
      }
      stale = 0;
      ({ walk, unnoted } = step);
      if (step.waits) await drainer.drain(partition);
    }
  }

  /** One chunk, from where `walk` says. */
  private async step(partition: number, walk: Walk, unnoted: number): Promise<StepResult> {
    const { store, rules, onEffects } = this.dependencies;
    const chunk = await store.chunk(partition, walk.position, CHUNK_SESSIONS);
    const input = readChunk(chunk, walk);
    await rules.prepare(input.policies);
    const outcome = foldWalk(input, rules.rulesOf);
    // Nothing is lost with the place alone: whoever begins again further back finds nothing to do there.
    if (outcome.sessions.size === 0 && outcome.walk !== undefined && unnoted < CHUNKS_UNNOTED) {
      return { walk: outcome.walk, unnoted: unnoted + 1, waits: false };
    }
    const commit = writeWalk(chunk, outcome, randomBytes(9).toString("base64url"));
    const result = await store.commit(partition, commit);
    if (result.status === "stale") return "stale";
    if (commit.effects.length > 0) {
      onEffects(
        partition,
        commit.effects.map(({ id }) => id),
      );
    }
    return { walk: outcome.walk ?? neededWalk(outcome.policies), unnoted: 0, waits: !result.drained };
  }
}
