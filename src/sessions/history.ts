/** A session's past: its journal records, found by walking from each to the one before it. */
import type { JournalRecord } from "../../machines/outcome.js";
import type { PartitionStore } from "../store/partition-store.js";

export interface History {
  /** Oldest first. */
  readonly records: readonly JournalRecord[];
  /** Why it does not go back to the session's first record: there are more than were asked for, or the journal no longer holds them. */
  readonly cut?: "limit" | "trimmed";
}

/**
 * @param lastRecord number of the session's newest record; 0: it has none
 * @param limit records at most, the newest ones
 * @throws StoreUnavailableError
 */
export async function readHistory(
  store: PartitionStore,
  partition: number,
  lastRecord: number,
  limit = Number.POSITIVE_INFINITY,
): Promise<History> {
  const records: JournalRecord[] = [];
  let seq: number | undefined = lastRecord === 0 ? undefined : lastRecord;
  while (seq !== undefined) {
    if (records.length >= limit) return { records: records.reverse(), cut: "limit" };
    const [stored]: Awaited<ReturnType<PartitionStore["records"]>> = await store.records(partition, [seq]);
    if (stored === null || stored === undefined) return { records: records.reverse(), cut: "trimmed" };
    const record = JSON.parse(stored.body) as JournalRecord;
    records.push(record);
    seq = record.previous;
  }
  return { records: records.reverse() };
}
