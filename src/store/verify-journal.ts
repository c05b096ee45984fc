/** Checks a partition's whole journal, as far as it is kept, against its chain. */
import { type ChainVerdict, GENESIS_HEAD, verifyChain } from "./journal-chain.js";
import type { JournalEntry, PartitionStore } from "./partition-store.js";

/** Records read at a time. */
const PAGE = 500;

export type JournalVerdict =
  /** `records` counts tombstones, too. */
  | { readonly intact: true; readonly records: number; readonly seq: number; readonly head: string }
  | Extract<ChainVerdict, { intact: false }>;

/**
 * The oldest record that is kept is taken as it is: what was before it was trimmed, and only its own hash tells of that. What is committed
 * meanwhile is left out.
 * @throws StoreUnavailableError
 */
export async function verifyJournal(store: PartitionStore, partition: number): Promise<JournalVerdict> {
  const { seq: last, head: lastHead } = await store.chunk(partition, null, 1);
  const oldest = await store.oldestRecord(partition);
  if (last === 0) return { intact: true, records: 0, seq: 0, head: GENESIS_HEAD };
  if (oldest === null) return { intact: false, seq: last, reason: "missing" };
  let head = GENESIS_HEAD;
  let next = oldest;
  if (oldest > 1) {
    head = (await store.records(partition, [oldest]))[0]?.hash ?? GENESIS_HEAD;
    next = oldest + 1;
  }
  while (next <= last) {
    const seqs = Array.from({ length: Math.min(PAGE, last - next + 1) }, (_, n) => next + n);
    const found = (await store.records(partition, seqs)).filter((entry): entry is JournalEntry => entry !== null);
    const verdict = verifyChain(head, next, found);
    if (!verdict.intact) return verdict;
    next += found.length;
    head = verdict.head;
    if (found.length < seqs.length) return { intact: false, seq: next, reason: "missing" };
  }
  if (head !== lastHead) return { intact: false, seq: last, reason: "altered" };
  return { intact: true, records: last - oldest + 1, seq: last, head };
}
