/** What the commands that fold journals again have in common: the partitions, the threads, the bar, Ctrl-C. */
import { ArchivedCatalogues, type PublishedCatalogues } from "../archive/archive-catalogues.js";
import type { Config } from "../config.js";
import type { CatalogueSource } from "../control/catalogue-source.js";
import type { OpenDeployment } from "../deployment/open-deployment.js";
import { StoreUnavailableError } from "../errors.js";
import { type ReplaySource, reachOf } from "../replay/journal-source.js";
import type { SourceTarget } from "../replay/open-source.js";
import type { ReplayReport } from "../replay/partition-replay.js";
import type { ReplayRequest } from "../replay/replay-partition.js";
import { inThreads } from "../replay/replay-threads.js";
import type { PartitionVerdict } from "../replay/verify-partition.js";
import { archiveToRead } from "./archive-to-read.js";
import { UsageError } from "./failure.js";
import { onInterrupt } from "./interrupt.js";
import { progressBar } from "./progress-bar.js";
import { RedisNotRunningError, openToRead } from "./redis-access.js";
import { counted, note, wrapLine } from "./terminal.js";

/** Looks asked for at a time. */
const AT_ONCE = 64;

export interface JournalRun {
  readonly seconds: number;
  readonly recordsPerSecond: number;
}

/** A journal to be folded again: a deployment's, an archive's, or both. */
export interface OpenJournal {
  readonly source: ReplaySource;
  /** For whoever opens it once more, in another thread. */
  readonly target: SourceTarget;
  readonly partitionCount: number;
  /** Absent: there is only what is archived. */
  readonly deployment?: OpenDeployment;
  readonly catalogues: PublishedCatalogues & CatalogueSource;
  readonly close: () => Promise<void>;
}

/**
 * The deployment that is running, and the archive where that has no more; the archive alone without Redis.
 * @param named the archive's directory, as given
 * @throws RedisNotRunningError, StoreUnavailableError if there is no archive either; ArchiveFileError, ArchiveForeignError
 */
export async function openJournal(config: Config, named: string | undefined): Promise<OpenJournal> {
  const archive = await archiveToRead(named, config);
  let deployment: OpenDeployment;
  try {
    deployment = await openToRead(config);
  } catch (error) {
    const isAway = error instanceof RedisNotRunningError || error instanceof StoreUnavailableError;
    if (archive === undefined || !isAway) throw error;
    note(`(${error.message}: this is what is archived)`);
    const catalogues = new ArchivedCatalogues(archive.directory);
    return {
      source: { archive, catalogues },
      target: { archive: archive.directory },
      partitionCount: archive.about.partitionCount,
      catalogues,
      close: async () => undefined,
    };
  }
  const { store, catalogues, target } = deployment;
  return {
    source: { store, archive, catalogues },
    target: { deployment: target, archive: archive?.directory },
    partitionCount: store.deployment.partitionCount,
    deployment,
    catalogues,
    close: deployment.close,
  };
}

/** The partitions that hold a journal, and the newest clock among them, epoch ms. */
export async function journalOf(
  { source, partitionCount }: Pick<OpenJournal, "source" | "partitionCount">,
  only: readonly number[] | undefined,
): Promise<{ readonly partitions: readonly number[]; readonly records: number; readonly now: number }> {
  const wanted = only ?? Array.from({ length: partitionCount }, (_, n) => n);
  const unknown = wanted.find((partition) => partition >= partitionCount);
  if (unknown !== undefined) {
    throw new UsageError(`there is no partition ${unknown}`, { fix: `Give 0 to ${partitionCount - 1}.` });
  }
  const partitions: number[] = [];
  let records = 0;
  let now = 0;
  for (let from = 0; from < wanted.length; from += AT_ONCE) {
    const some = wanted.slice(from, from + AT_ONCE);
    const looks = await Promise.all(
      some.map(async (partition) => ({ partition, ...(await reachOf(source, partition)) })),
    );
    for (const { partition, clock, oldest, last, begin } of looks) {
      now = Math.max(now, clock);
      const held = last - oldest + 1;
      if (held > 0 || begin !== undefined) partitions.push(partition);
      records += held;
    }
  }
  return { partitions, records, now };
}

/** @throws UsageError if there is nothing to fold */
export async function foldAgain<Result extends ReplayReport | PartitionVerdict>(
  { target }: Pick<OpenJournal, "target">,
  { partitions, records }: { readonly partitions: readonly number[]; readonly records: number },
  request: ReplayRequest | "verify",
): Promise<JournalRun & { readonly results: readonly Result[] }> {
  const bar = progressBar(records, "records");
  const stopping = new AbortController();
  // Nothing is written: to stop is to stop.
  const release = onInterrupt(async () => {
    stopping.abort();
    bar.stop();
  });
  const startedAt = performance.now();
  let done = 0;
  try {
    const results = await inThreads<Result>({
      source: target,
      request,
      partitions,
      signal: stopping.signal,
      onRecords: (some) => bar.show((done += some)),
    });
    const seconds = (performance.now() - startedAt) / 1_000;
    return { results, seconds, recordsPerSecond: Math.round(done / seconds) };
  } finally {
    bar.stop();
    release();
  }
}

/** Sessions that can't be folded again, and so are in no other figure. */
export function leftOutLines({ historyMissing, unreadable, setAside }: ReplayReport["notReplayed"]): string[] {
  const left = historyMissing + unreadable + setAside;
  if (left === 0) return [];
  const why = "whose first records are not kept or can't be read, or whose quarantine an administrator decided on";
  return ["", ...wrapLine(`Left out: ${counted(left, "session")}, ${why}.`)];
}
