/** When the working day is: one fixed date, so that the same seed gives the same bytes on any day. All times are UTC. */

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;

export const DAY_START_MS = Date.UTC(2026, 2, 2, 7);
/** The stricter policies are published. */
export const NOON_MS = Date.UTC(2026, 2, 2, 12);
/** Nothing happens from here on. */
export const DAY_END_MS = Date.UTC(2026, 2, 2, 19);

/** The tenant of the demonstration. */
export const TENANT = "contoso";

/** Epoch ms of a time of this day. */
export const at = (hours: number, minutes = 0): number => DAY_START_MS + (hours - 7) * HOUR_MS + minutes * MINUTE_MS;
