/** One effect on its way to one receiver, with everything that was tried. */
import type { EffectMessage } from "../store/partition-view.js";

/** One try. */
export interface Attempt {
  /** When it began, epoch ms. */
  readonly at: number;
  readonly durationMs: number;
  /** HTTP status of the answer; absent: there was none. */
  readonly status?: number;
  /** Why it did not count as delivered, in words; absent: it did. */
  readonly why?: string;
}

/**
 * `waiting`: attempts are still to come. `delivered`: the receiver took it. `spent`: given up until somebody redrives it.
 * `dropped`: its receiver was removed while it waited.
 */
export const DELIVERY_STATES = ["waiting", "delivered", "spent", "dropped"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface Delivery {
  readonly effect: EffectMessage;
  /** When it was handed over, epoch ms. */
  readonly addedAt: number;
  /** Attempts of the schedule that is running: redriven, it begins anew. */
  readonly tried: number;
  /** All attempts ever made. */
  readonly attemptsMade: number;
  /** The last of them, oldest first. */
  readonly attempts: readonly Attempt[];
  /** Why it is spent, in words. */
  readonly why?: string;
}

/** Attempts of which a delivery tells; the number of all of them is kept besides. */
const ATTEMPTS_KEPT = 20;

export const newDelivery = (effect: EffectMessage, addedAt: number, why?: string): Delivery => ({
  effect,
  addedAt,
  tried: 0,
  attemptsMade: 0,
  attempts: [],
  ...(why !== undefined && { why }),
});

/** @param counts whether the schedule goes on with it */
export function withAttempt(delivery: Delivery, attempt: Attempt, counts: boolean, why?: string): Delivery {
  const { why: _, ...before } = delivery;
  return {
    ...before,
    tried: delivery.tried + (counts ? 1 : 0),
    attemptsMade: delivery.attemptsMade + 1,
    attempts: [...delivery.attempts, attempt].slice(-ATTEMPTS_KEPT),
    ...(why !== undefined && { why }),
  };
}

/** What is kept of one that arrived: nobody needs its data any more. */
export const withoutData = (delivery: Delivery): Delivery => ({
  ...delivery,
  effect: { ...delivery.effect, data: null },
});

/** As it will be when it is due again, its schedule from the beginning. */
export function redriven(delivery: Delivery): Delivery {
  const { why: _, ...before } = delivery;
  return { ...before, tried: 0 };
}
