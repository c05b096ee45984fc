/**
 * Once a second, looks at the facts of every partition and does what no hint has led to: drains one that is behind or has a
 * deadline, sees that published policies are walked, hands over effects that stay in the outbox. With the queues gone the system is still right, only slower.
 */
import { setTimeout as delay } from "node:timers/promises";
import { neededWalk } from "../machines/walk.js";
import type { Logger } from "../src/log.js";
import type { Metrics } from "../src/metrics/metrics.js";
import type { EffectsQueue } from "../src/queue/queues.js";
import type { PartitionStore, PartitionSurvey } from "../src/store/partition-store.js";
import { readState } from "../src/store/partition-view.js";
import type { Drainer } from "./drain.js";
import type { Walker } from "./walk.js";

const INTERVAL_MS = 1_000;

/** Looks for which an outbox may show the same oldest effect before its effects are handed over again. */
const LOOKS_BEFORE_HANDOVER = 5;
const HANDOVER_EFFECTS = 1_000;

const LOOKS_A_CHORE = 3;

interface LastLook {
  readonly token: string;
  readonly outboxHead: string | null;
  readonly sameHead: number;
}

export interface SweepDependencies {
  readonly store: PartitionStore;
  readonly drainer: Drainer;
  readonly walker: Pick<Walker, "walk">;
  /** `null`: this process hands over no effects. */
  readonly effects: Pick<EffectsQueue, "handOver"> | null;
  /** What else somebody may have left unfinished: asked every few looks, and free to do nothing. */
  readonly chores?: readonly (() => Promise<unknown>)[];
  readonly log: Logger;
  readonly onLook?: () => void;
  readonly metrics?: Metrics;
}

export class Sweep {
  private readonly last = new Map<number, LastLook>();
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  private looks = 0;

  constructor(private readonly dependencies: SweepDependencies) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.look();
        this.dependencies.onLook?.();
      } catch (error) {
        this.dependencies.log.warn({ err: error }, "the store can't be reached; looking again in a second");
      }
      await delay(INTERVAL_MS, undefined, { signal: this.stopping.signal }).catch(() => {});
    }
  }

  /** One look at every partition; resolves when what it set going has ended. */
  async look(): Promise<void> {
    const { store, drainer, chores = [] } = this.dependencies;
    const partitions = Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);
    const surveys = await store.survey(partitions);
    const { isIdle } = drainer;
    await Promise.all(surveys.map((survey) => this.tend(survey, isIdle)));
    if (this.looks++ % LOOKS_A_CHORE === 0) await Promise.all(chores.map((chore) => chore()));
  }

  /** @param isIdle nothing is drained in this process */
  private async tend(survey: PartitionSurvey, isIdle: boolean): Promise<void> {
    const { store, drainer, walker, effects, metrics } = this.dependencies;
    const { partition, token, behind, nextTimer, now, outboxHead, state } = survey;
    const before = this.last.get(partition);
    const sameHead = outboxHead !== null && outboxHead === before?.outboxHead ? before.sameHead + 1 : 0;
    this.last.set(partition, { token, outboxHead, sameHead });

    const isDue = behind || (nextTimer !== null && nextTimer <= now);
    // A token that moved since the last look is a worker at work; so is a drain that runs in this process. One that this process moved,
    // which has nothing to do any more, is neither: without hints nobody then waits for a second look.
    const isLeft = token === before?.token || (isIdle && drainer.hasCommitted(partition, token));
    if (isDue && isLeft && !drainer.isDraining(partition)) {
      metrics?.woken("sweep");
      await drainer.drain(partition);
    }

    if (token === before?.token && neededWalk(readState(state).policies) !== undefined) void walker.walk(partition);

    if (effects !== null && sameHead > 0 && sameHead % LOOKS_BEFORE_HANDOVER === 0) {
      const waiting = await store.outbox(partition, null, HANDOVER_EFFECTS);
      await effects.handOver(
        partition,
        waiting.map(({ id }) => id),
      );
    }
  }
}
