/** A session's past: its journal records, found by walking from each to the one before it. */
import type { JournalRecord } from "../../machines/outcome.js";
import { isTombstone } from "../store/journal-chain.js";
import type { PartitionStore } from "../store/partition-store.js";

/** Where records are looked up: a store, an archive, or one after the other. */
export type JournalReader = Pick<PartitionStore, "records">;

/** Looks for what the first no longer has in the second. */
export const oneAfterTheOther = (first: JournalReader, second: JournalReader): JournalReader => ({
  records: async (partition, seqs) => {
    const found = await first.records(partition, seqs);
    const missing = seqs.filter((_, index) => found[index] === null);
    if (missing.length === 0) return found;
    const older = await second.records(partition, missing);
    return found.map((entry) => entry ?? older.shift() ?? null);
  },
});

export interface History {
  /** Oldest first. */
  readonly records: readonly JournalRecord[];
  /** Records among them that were erased because they named somebody; absent: none was. */
  readonly erased?: number;
  /** Why it does not go back to the session's first record: there are more than were asked for, or nothing that is read holds them any more. */
  readonly cut?: "limit" | "trimmed" | "erased";
}

export interface HistoryRange {
  /** Records at most, the newest ones. */
  readonly limit?: number | undefined;
  /** Number of the record behind which it begins; default: 0, at the session's first. */
  readonly after?: number;
}

/**
 * @param lastRecord number of the session's newest record; 0: it has none
 * @throws StoreUnavailableError, and what reading an archive throws
 */
export async function readHistory(
  journal: JournalReader,
  partition: number,
  lastRecord: number,
  { limit = Number.POSITIVE_INFINITY, after = 0 }: HistoryRange = {},
): Promise<History> {
  const records: JournalRecord[] = [];
  let erased = 0;
  const history = (cut?: History["cut"]): History => ({
    records: records.reverse(),
    ...(erased > 0 && { erased }),
    ...(cut && { cut }),
  });
  let seq: number | undefined = lastRecord === 0 ? undefined : lastRecord;
  while (seq !== undefined && seq > after) {
    if (records.length >= limit) return history("limit");
    const [stored]: Awaited<ReturnType<JournalReader["records"]>> = await journal.records(partition, [seq]);
    if (stored === null || stored === undefined) return history("trimmed");
    if (isTombstone(stored)) {
      erased++;
      if (stored.previous === undefined) return history("erased");
      if (stored.previous === 0) return history();
      seq = stored.previous;
      continue;
    }
    const record = JSON.parse(stored.body) as JournalRecord;
    records.push(record);
    seq = record.previous;
  }
  return history();
}
