/**
 * Where a partition's past is read: in Redis, in an archive, or in both, one after the other. And where folding it can begin: with its first record,
 * or, if that is kept nowhere any more, with a checkpoint.
 */
import type { PartitionPolicies } from "../../machines/fold-batch.js";
import type { Session, SessionId } from "../../machines/session/session.js";
import type { JournalArchive } from "../archive/journal-archive.js";
import type { CatalogueSource } from "../control/catalogue-source.js";
import { type JournalReader, oneAfterTheOther } from "../sessions/history.js";
import type { JournalEntry, PartitionStore } from "../store/partition-store.js";
import { readState, readStored } from "../store/partition-view.js";
import { type JournalPage, PAGE, journalPages } from "./journal-pages.js";

/** At least one of store and archive is there. */
export interface ReplaySource {
  readonly store?: PartitionStore | undefined;
  readonly archive?: JournalArchive | undefined;
  readonly catalogues: CatalogueSource;
}

/** Every session as it was right after one record. */
export interface Beginning {
  readonly seq: number;
  /** Hash of that record. */
  readonly head: string;
  readonly sessions: ReadonlyMap<SessionId, Session>;
  /** That the sessions were under then. */
  readonly policies: PartitionPolicies;
}

/** What there is of a partition's journal. */
export interface Reach {
  /** Number of the first record that can be read, and of the last; `oldest` = `last` + 1: none. */
  readonly oldest: number;
  readonly last: number;
  /** Up to when it tells, epoch ms. */
  readonly clock: number;
  /** Absent: folding begins with `oldest`. */
  readonly begin?: Beginning;
}

/** Single records, from wherever they are. */
export function readerOf({ store, archive }: ReplaySource): JournalReader {
  if (store !== undefined && archive !== undefined) return oneAfterTheOther(store, archive);
  return (store ?? archive) as JournalReader;
}

/** @throws StoreUnavailableError, ArchiveFileError, ArchiveDamagedError */
export async function reachOf({ store, archive }: ReplaySource, partition: number): Promise<Reach> {
  const live = store && (await store.chunk(partition, null, 1));
  const liveOldest = live && ((await store.oldestRecord(partition)) ?? live.seq + 1);
  let oldest = liveOldest ?? 1;
  let last = live?.seq ?? 0;
  let clock = live?.clock ?? 0;
  if (archive === undefined) return { oldest, last, clock };
  const segments = await archive.segments(partition);
  const newest = segments.at(-1);
  if (live === undefined) {
    [oldest, last, clock] = [(newest?.last ?? 0) + 1, newest?.last ?? 0, newest?.to ?? 0];
  }
  // Back as far as nothing is missing in between.
  for (const { first, last: end } of segments.toReversed()) {
    if (end + 1 < oldest) break;
    oldest = Math.min(oldest, first);
  }
  if (oldest === 1) return { oldest, last, clock };
  const checkpoint = (await archive.checkpoints(partition)).find(({ seq }) => seq >= oldest - 1 && seq <= last);
  const read = checkpoint && (await archive.checkpoint(partition, checkpoint.seq));
  if (read === undefined || read === null) return { oldest, last, clock };
  const sessions = new Map<SessionId, Session>();
  for (const text of read.snapshots.values()) {
    const stored = readStored(text);
    if (!("unreadable" in stored)) sessions.set(stored.id, stored);
  }
  const { seq, head, state } = read;
  return { oldest, last, clock, begin: { seq, head, sessions, policies: readState(state).policies } };
}

/**
 * Records from `from` to `last`, in order; Redis is asked for those that it still has.
 * @throws StoreUnavailableError, ArchiveFileError; ArchiveDamagedError where one is altered or missing
 */
export async function* pagesOf(
  { store, archive }: ReplaySource,
  partition: number,
  from: number,
  last: number,
): AsyncGenerator<JournalPage, undefined> {
  const live = store === undefined ? undefined : await store.oldestRecord(partition);
  const upTo = store === undefined ? last : Math.min(last, (live ?? last + 1) - 1);
  if (archive !== undefined && from <= upTo) {
    let entries: JournalEntry[] = [];
    for await (const entry of archive.stream(partition, from, upTo)) {
      entries.push(entry);
      if (entries.length < PAGE) continue;
      yield { entries, upTo: entry.seq };
      entries = [];
    }
    yield { entries, upTo };
  }
  if (store !== undefined) {
    yield* journalPages(store, partition, archive === undefined ? from : Math.max(from, upTo + 1), last);
  }
  return undefined;
}
