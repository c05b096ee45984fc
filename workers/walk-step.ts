/** One step of the policy walk: a chunk of a partition's sessions is read, folded and committed. */
import { type Walk, foldWalk, neededWalk } from "../machines/walk.js";
import type { RulesSource } from "../src/control/rules-source.js";
import type { PartitionStore } from "../src/store/partition-store.js";
import { randomToken } from "../src/store/random-token.js";
import { readChunk, writeWalk } from "../src/store/partition-view.js";

/** Sessions a step: few enough that Redis and this processor serve others soon (docs/performance.md has the figures). */
const CHUNK_SESSIONS = 64;

/** Chunks without anything to write after which the place is noted all the same. */
const CHUNKS_UNNOTED = 32;

/** A walk, and how many chunks ago its place was last noted in the partition. */
export interface Place {
  readonly walk: Walk;
  readonly unnoted: number;
}

export type StepResult =
  | {
      /** Where the next step begins; `null`: every session has what was published. */
      readonly next: Place | null;
      /** Ids of the effects that were committed. */
      readonly effects: readonly string[];
      /** Events wait in the partition. */
      readonly waits: boolean;
    }
  /** Somebody else committed first: nothing was written. */
  | "stale";

export interface WalkStepper {
  /** @throws StoreUnavailableError, CatalogueMissingError, MachineVersionError */
  step(partition: number, place: Place): Promise<StepResult>;
  /** How often rules were worked out for it, so far. */
  readonly resolves: number;
}

export class WalkSteps implements WalkStepper {
  constructor(
    private readonly store: PartitionStore,
    private readonly rules: RulesSource,
  ) {}

  get resolves(): number {
    return this.rules.resolves;
  }

  async step(partition: number, { walk, unnoted }: Place): Promise<StepResult> {
    const { store, rules } = this;
    const chunk = await store.chunk(partition, walk.position, CHUNK_SESSIONS);
    const input = readChunk(chunk, walk);
    await rules.prepare(input.policies);
    const outcome = foldWalk(input, rules.rulesOf);
    // Nothing is lost with the place alone: whoever begins again further back finds nothing to do there.
    if (outcome.sessions.size === 0 && outcome.walk !== undefined && unnoted < CHUNKS_UNNOTED) {
      return { next: { walk: outcome.walk, unnoted: unnoted + 1 }, effects: [], waits: false };
    }
    const commit = writeWalk(chunk, outcome, randomToken());
    const result = await store.commit(partition, commit);
    if (result.status === "stale") return "stale";
    const next = outcome.walk ?? neededWalk(outcome.policies);
    return {
      next: next === undefined ? null : { walk: next, unnoted: 0 },
      effects: commit.effects.map(({ id }) => id),
      waits: !result.drained,
    };
  }
}
