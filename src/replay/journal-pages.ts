/** A partition's journal from end to end, a page at a time: whoever folds it again holds no more of it than that. */
import type { JournalEntry, PartitionStore } from "../store/partition-store.js";

/** Records read at a time. */
export const PAGE = 1_000;

export interface JournalPage {
  /** In order; records that are no longer kept are absent. */
  readonly entries: readonly JournalEntry[];
  /** Number up to which the journal was read. */
  readonly upTo: number;
}

/**
 * @param from number of the first record wanted
 * @param last number of the last
 * @throws StoreUnavailableError
 */
export async function* journalPages(
  store: Pick<PartitionStore, "records">,
  partition: number,
  from: number,
  last: number,
): AsyncGenerator<JournalPage, undefined> {
  const read = async (first: number) => {
    const upTo = Math.min(first + PAGE - 1, last);
    const seqs = Array.from({ length: upTo - first + 1 }, (_, n) => first + n);
    const entries = (await store.records(partition, seqs)).filter((entry): entry is JournalEntry => entry !== null);
    return { entries, upTo };
  };
  let next = from <= last ? read(from) : undefined;
  while (next !== undefined) {
    const page: JournalPage = await next;
    // The next page is on its way while this one is folded.
    next = page.upTo < last ? read(page.upTo + 1) : undefined;
    // Whoever stops in between does not wait for it.
    next?.catch(() => undefined);
    yield page;
  }
  return undefined;
}
