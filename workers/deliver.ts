/**
 * Brings deliveries to their receivers: as soon as something is handed over here, and once a second wherever something is due. One
 * process at a time talks to one receiver, so how much reaches it at once is known.
 */
import { setTimeout as delay } from "node:timers/promises";
import { withAttempt, withoutData } from "../src/effects/delivery.js";
import type { DeliveryQueue, Settlement, TakenDelivery } from "../src/effects/delivery-queue.js";
import type { AttemptOutcome, Receiver } from "../src/effects/receiver.js";
import type { Logger } from "../src/log.js";
import { randomToken } from "../src/store/random-token.js";

const LOOK_INTERVAL_MS = 1_000;
/** How long other processes keep away after the last sign of this one. */
const LEASE_MS = 15_000;

export interface DelivererDependencies {
  /** Who may be given something, by name. */
  readonly receivers: () => Promise<ReadonlyMap<string, Receiver>>;
  readonly log: Logger;
  /** Told of every attempt. */
  readonly onAttempt?: (receiver: string, outcome: AttemptOutcome) => void;
}

export class Deliverer {
  private readonly token = randomToken();
  private readonly running = new Map<string, Promise<void>>();
  /** Receivers that were given something while their deliveries were under way. */
  private readonly poked = new Set<string>();
  private readonly stopping = new AbortController();
  private looking: Promise<void> = Promise.resolve();

  constructor(private readonly dependencies: DelivererDependencies) {}

  start(): void {
    this.looking = this.lookAround();
  }

  /** Resolves when the attempts under way have ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.looking;
    await Promise.all(this.running.values());
  }

  /** Something was handed over to them. */
  async wake(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const receivers = await this.dependencies.receivers();
    for (const name of names) {
      const receiver = receivers.get(name);
      if (receiver !== undefined) void this.tend(name, receiver);
    }
  }

  /** Sees to every receiver; resolves when nothing is due any more. */
  async look(): Promise<void> {
    const receivers = await this.dependencies.receivers();
    await Promise.all([...receivers].map(([name, receiver]) => this.tend(name, receiver)));
  }

  private async lookAround(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      // What is under way somewhere must not keep the others waiting.
      try {
        for (const [name, receiver] of await this.dependencies.receivers()) void this.tend(name, receiver);
      } catch (error) {
        this.dependencies.log.warn({ err: error }, "the receivers of effects can't be read; looking again in a second");
      }
      await delay(LOOK_INTERVAL_MS, undefined, { signal: this.stopping.signal }).catch(() => {});
    }
  }

  private tend(name: string, receiver: Receiver): Promise<void> {
    const before = this.running.get(name);
    if (before !== undefined) {
      this.poked.add(name);
      return before;
    }
    const run = this.runWhilePoked(name, receiver).finally(() => this.running.delete(name));
    this.running.set(name, run);
    return run;
  }

  private async runWhilePoked(name: string, receiver: Receiver): Promise<void> {
    do {
      this.poked.delete(name);
      const { log, onAttempt } = this.dependencies;
      const round = new Round(receiver, this.token, this.stopping.signal, (outcome) => onAttempt?.(name, outcome));
      try {
        await round.run();
      } catch (error) {
        log.warn({ err: error, receiver: name }, "deliveries could not be read or settled; trying again in a second");
        return;
      }
    } while (this.poked.has(name) && !this.stopping.signal.aborted);
  }
}

/** Everything that is due for one receiver, until nothing is. */
class Round {
  private readonly queue: DeliveryQueue;
  private readonly buffer: TakenDelivery[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private unsettled: Settlement[] = [];
  private pauseMs = 0;
  private concurrency: number;
  /** In a row, as this process saw them. */
  private failures = 0;
  /** No further attempt is begun. */
  private halted = false;
  private hasTaken = false;

  constructor(
    private readonly receiver: Receiver,
    private readonly token: string,
    private readonly stopping: AbortSignal,
    private readonly onAttempt: (outcome: AttemptOutcome) => void,
  ) {
    this.queue = receiver.queue;
    this.concurrency = receiver.concurrency.first;
  }

  async run(): Promise<void> {
    try {
      while (await this.refill()) {
        this.begin();
        // What failed meanwhile may have halted everything.
        if (this.underWay.size === 0) break;
        // One attempt that ended makes room; those that ended in the same moment are settled with it.
        await Promise.race(this.underWay);
        await new Promise((resolve) => setImmediate(resolve));
        await this.settle(LEASE_MS);
      }
    } finally {
      await Promise.all(this.underWay);
      this.giveBack();
      if (this.hasTaken) await this.settle(0);
    }
  }

  /** @returns whether anything is to be done */
  private async refill(): Promise<boolean> {
    if (this.stopping.aborted) this.halted = true;
    if (this.halted) return this.underWay.size > 0;
    if (this.buffer.length >= this.concurrency) return true;
    if (!(await this.receiver.isReady())) {
      this.halted = true;
      return this.underWay.size > 0;
    }
    const isIdle = this.underWay.size === 0 && this.buffer.length === 0 && this.unsettled.length === 0;
    const taken = await this.queue.take({
      token: this.token,
      leaseMs: LEASE_MS,
      visibleAfterMs: this.receiver.visibleAfterMs,
      count: 2 * this.concurrency - this.buffer.length,
      isIdle,
      breaker: this.receiver.breaker,
    });
    if (taken.status === "taken") {
      this.hasTaken = true;
      this.buffer.push(...taken.deliveries);
    }
    return this.underWay.size > 0 || this.buffer.length > 0;
  }

  private begin(): void {
    while (this.underWay.size < this.concurrency && this.buffer.length > 0 && !this.halted) {
      const lane: Promise<void> = this.work().finally(() => this.underWay.delete(lane));
      this.underWay.add(lane);
    }
  }

  private async work(): Promise<void> {
    const next = this.buffer.shift();
    if (next === undefined) return;
    const result = await this.receiver.attempt(next.delivery, this.stopping);
    this.onAttempt(result);
    const { outcome, attempt, againInMs = 0, pauseMs = 0 } = result;
    const tried = withAttempt(
      next.delivery,
      attempt,
      outcome !== "later",
      outcome === "spent" ? attempt.why : undefined,
    );
    this.unsettled.push({
      id: next.id,
      attemptsBefore: next.delivery.attemptsMade,
      outcome,
      delivery: outcome === "delivered" ? withoutData(tried) : tried,
      againInMs,
    });
    this.pauseMs = Math.max(this.pauseMs, pauseMs);
    if (pauseMs > 0) this.halted = true;
    if (outcome === "delivered") {
      this.failures = 0;
    } else {
      this.concurrency = this.receiver.concurrency.first;
      if (outcome !== "later") this.failures++;
      if (this.failures >= this.receiver.breaker.openAfter) this.halted = true;
    }
  }

  private async settle(leaseMs: number): Promise<void> {
    if (this.unsettled.length === 0 && leaseMs > 0) return;
    const { unsettled: settlements, pauseMs } = this;
    this.unsettled = [];
    this.pauseMs = 0;
    const { breaker } = this.receiver;
    const settled = await this.queue.settle({ token: this.token, leaseMs, breaker, pauseMs, settlements });
    if (settled.failures > 0) await this.receiver.settled?.(settled);
    else this.concurrency = Math.min(2 * this.concurrency, this.receiver.concurrency.most);
  }

  /** What was taken and not begun is due again at once. */
  private giveBack(): void {
    for (const { id, delivery } of this.buffer.splice(0))
      this.unsettled.push({ id, attemptsBefore: delivery.attemptsMade, outcome: "later", delivery, againInMs: 0 });
  }
}
