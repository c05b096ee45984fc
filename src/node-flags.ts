/**
 * How Node is started for what runs for long. V8 collects an old generation that is small whenever it has grown by some megabytes, which
 * stops everything for 10 ms and keeps another core busy meanwhile: up to 256 MiB it is let alone, which costs that much memory.
 */
const OLD_GENERATION = "--initial-old-space-size=256";

export const API_NODE_FLAGS: readonly string[] = [OLD_GENERATION];

/**
 * A batch's sessions, records and snapshots live for a few milliseconds, which is just long enough to be moved to the old generation when the
 * young one is small: with 64 MiB a worker spends a sixth less time per event.
 */
export const WORKER_NODE_FLAGS: readonly string[] = ["--max-semi-space-size=64", OLD_GENERATION];
