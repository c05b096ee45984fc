/** When a failed enrollment or check-in is tried again. The intervals count for an app in use; the app may try sooner. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Until an account that no policy binds asks again. */
export const UNMANAGED_RETRY_MS = 12 * HOUR_MS;
/** The same where the tenant is not set up for management at all. */
export const TENANT_RETRY_MS = 24 * HOUR_MS;
/** Until a failed enrollment is tried again. */
export const ENROLLMENT_RETRY_MS = 12 * HOUR_MS;

/**
 * Growing pauses, in ms, for attempt 1, 2, 3 …: up to 1, 2, 4 … 60 minutes, spread over the whole interval so that a fleet that
 * failed together does not return together. The spread comes from `seed`, because the fold knows no chance.
 */
export function backoffMs(attempt: number, seed: string): number {
  const ceilingMs = Math.min(2 ** Math.min(attempt - 1, 6) * MINUTE_MS, HOUR_MS);
  return Math.max(1_000, Math.floor(ceilingMs * fraction(`${seed}/${attempt}`)));
}

/** A number in (0, 1] that only depends on the text (FNV-1a). */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return ((hash >>> 0) + 1) / 2 ** 32;
}
