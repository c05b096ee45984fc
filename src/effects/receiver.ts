/** Whoever takes deliveries, as the deliverer sees it: a webhook endpoint, or the remediators of this process. */
import type { Attempt, Delivery } from "./delivery.js";
import type { Breaker, DeliveryQueue, Settled } from "./delivery-queue.js";

/** What one attempt came to. */
export interface AttemptOutcome {
  readonly attempt: Attempt;
  /** `retry`: a failure; `later`: to be tried again, though nobody did anything wrong. */
  readonly outcome: "delivered" | "retry" | "spent" | "later";
  /** Until the next attempt of this delivery, ms; with `retry` and `later`. */
  readonly againInMs?: number;
  /** Nothing at all is to be tried for so long, ms. */
  readonly pauseMs?: number;
}

export interface Receiver {
  readonly queue: DeliveryQueue;
  readonly breaker: Breaker;
  /** Attempts side by side: at first, and as long as all goes well. */
  readonly concurrency: { readonly first: number; readonly most: number };
  /** Longer than any attempt can take together with waiting for its turn, ms. */
  readonly visibleAfterMs: number;
  /** Whether it may be given something now. */
  isReady(): Promise<boolean>;
  /** Never throws. @param stopping fires when the process is to end */
  attempt(delivery: Delivery, stopping: AbortSignal): Promise<AttemptOutcome>;
  /** Told how it stands after some attempts. */
  settled?(settled: Settled): Promise<void>;
}
