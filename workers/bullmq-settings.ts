/** How BullMQ's workers are run here. */

/** A worker that died is noticed within this and the stalled interval; BullMQ's defaults mean up to a minute of silence. */
export const LOCK_DURATION_MS = 10_000;
export const STALLED_INTERVAL_MS = 5_000;

/** A job that stalled often is run again all the same: BullMQ would otherwise fail it without running it. */
export const NEVER_GIVE_UP = 1_000_000;
