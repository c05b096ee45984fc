/**
 * Once a second, looks at the facts of every partition and does what no hint has led to: drains one that is behind or has a
 * deadline, hands over effects that stay in the outbox. With the queues gone the system is still right, only slower.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../src/log.js";
import type { EffectsQueue } from "../src/queue/queues.js";
import type { PartitionStore, PartitionSurvey } from "../src/store/partition-store.js";
import type { Drainer } from "./drain.js";

const INTERVAL_MS = 1_000;

/** Looks for which an outbox may show the same oldest effect before its effects are handed over again. */
const LOOKS_BEFORE_HANDOVER = 5;
const HANDOVER_EFFECTS = 1_000;

interface LastLook {
  readonly token: string;
  readonly outboxHead: string | null;
  readonly sameHead: number;
}

export class Sweep {
  private readonly last = new Map<number, LastLook>();
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: PartitionStore,
    private readonly drainer: Drainer,
    private readonly effects: Pick<EffectsQueue, "handOver"> | null,
    private readonly log: Logger,
    private readonly onLook: () => void = () => {},
  ) {}

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
        this.onLook();
      } catch (error) {
        this.log.warn({ err: error }, "the store can't be reached; looking again in a second");
      }
      await delay(INTERVAL_MS, undefined, { signal: this.stopping.signal }).catch(() => {});
    }
  }

  /** One look at every partition; resolves when what it set going has ended. */
  async look(): Promise<void> {
    const partitions = Array.from({ length: this.store.deployment.partitionCount }, (_, partition) => partition);
    const surveys = await this.store.survey(partitions);
    await Promise.all(surveys.map((survey) => this.tend(survey)));
  }

  private async tend(survey: PartitionSurvey): Promise<void> {
    const { partition, token, behind, nextTimer, now, outboxHead } = survey;
    const before = this.last.get(partition);
    const sameHead = outboxHead !== null && outboxHead === before?.outboxHead ? before.sameHead + 1 : 0;
    this.last.set(partition, { token, outboxHead, sameHead });

    const isDue = behind || (nextTimer !== null && nextTimer <= now);
    // A token that moved since the last look is a worker at work; so is a drain that runs in this process.
    if (isDue && token === before?.token && !this.drainer.isDraining(partition)) await this.drainer.drain(partition);

    if (this.effects !== null && sameHead > 0 && sameHead % LOOKS_BEFORE_HANDOVER === 0) {
      const waiting = await this.store.outbox(partition, null, HANDOVER_EFFECTS);
      await this.effects.handOver(
        partition,
        waiting.map(({ id }) => id),
      );
    }
  }
}
