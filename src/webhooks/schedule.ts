/** When a delivery that failed is tried again, and when a receiver that fails is left in peace. docs/webhooks.md prints both. */
import type { Breaker } from "../effects/delivery-queue.js";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Pauses before the second attempt, the third and so on, ms. After the last one has failed, too, the delivery is spent. */
export const RETRY_PAUSES_MS = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  24 * HOUR_MS,
] as const;

/** A pause is up to this much longer, by chance, so that what failed together is not tried again together. */
const JITTER = 0.2;

/** A receiver may ask for a longer pause (`Retry-After`), up to this, ms. */
export const LONGEST_RETRY_AFTER_MS = HOUR_MS;

/** An endpoint that took nothing for so long, while there were attempts, is disabled, ms. */
export const GIVE_UP_ENDPOINT_AFTER_MS = 5 * 24 * HOUR_MS;

export const WEBHOOK_BREAKER: Breaker = { openAfter: 5, pauseMs: SECOND_MS, longestPauseMs: 10 * SECOND_MS };

/**
 * The pause before the next attempt, ms; `undefined`: there is none any more.
 * @param tried attempts made so far, 1 or more
 * @param chance in [0, 1)
 */
export function retryPauseMs(tried: number, chance: number = Math.random()): number | undefined {
  const pauseMs = RETRY_PAUSES_MS[tried - 1];
  return pauseMs === undefined ? undefined : Math.round(pauseMs * (1 + JITTER * chance));
}

/**
 * What `Retry-After` asks for, ms: seconds or an HTTP date; `undefined` if it says nothing usable.
 * @param now epoch ms
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const pauseMs = /^\d{1,9}$/.test(value.trim()) ? Number(value) * SECOND_MS : Date.parse(value) - now;
  return pauseMs > 0 ? Math.min(pauseMs, LONGEST_RETRY_AFTER_MS) : undefined;
}
