/** Where in the journals a moment is: their records are in order of time, so it is looked for by halves. */
import type { JournalRecord } from "../../machines/outcome.js";
import { isTombstone } from "../store/journal-chain.js";
import type { PartitionStore } from "../store/partition-store.js";
import type { StreamPosition } from "./stream-position.js";

type Journals = Pick<PartitionStore, "deployment" | "survey" | "records" | "oldestRecord">;

/**
 * @param at epoch ms, by the deployment's clock
 * @returns a position before the first records of that time or later that are kept; a little before them where records were erased
 * @throws StoreUnavailableError
 */
export async function positionAt(store: Journals, at: number): Promise<StreamPosition> {
  const partitions = Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);
  const surveys = await store.survey(partitions);
  return Promise.all(surveys.map(async ({ partition, seq }) => lastBefore(store, partition, seq, at)));
}

/** Number of the last record before the moment; of the one before the oldest that is kept if none is. */
async function lastBefore(store: Journals, partition: number, last: number, at: number): Promise<number> {
  const oldest = await store.oldestRecord(partition);
  // All of `before` and below are earlier, all of `from` and above are not.
  let [before, from] = [oldest === null ? last : oldest - 1, last + 1];
  while (from - before > 1) {
    const middle = before + Math.floor((from - before) / 2);
    const [entry = null] = await store.records(partition, [middle]);
    // An erased record tells no time, and one that was trimmed meanwhile is older than all that are kept.
    const isEarlier = entry === null || (!isTombstone(entry) && (JSON.parse(entry.body) as JournalRecord).at < at);
    if (isEarlier) before = middle;
    else from = middle;
  }
  return before;
}
