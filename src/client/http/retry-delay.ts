/** How long to wait before something is sent again: longer each time, never two clients in step, never sooner than the server asks. */

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** @param failures in a row so far, at least 1 */
export function retryDelayMs(failures: number, retryAfterMs = 0, random: () => number = Math.random): number {
  const backoff = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  // Half of it is chance; of what the server asks for, chance adds up to a fifth.
  return Math.max(backoff * (0.5 + random() / 2), retryAfterMs * (1 + random() / 5));
}
