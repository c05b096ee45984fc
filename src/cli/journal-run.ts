/** What the commands that fold journals again have in common: the partitions, the threads, the bar, Ctrl-C. */
import type { OpenDeployment } from "../deployment/open-deployment.js";
import type { ReplayReport } from "../replay/partition-replay.js";
import type { ReplayRequest } from "../replay/replay-partition.js";
import { inThreads } from "../replay/replay-threads.js";
import type { PartitionVerdict } from "../replay/verify-partition.js";
import { UsageError } from "./failure.js";
import { onInterrupt } from "./interrupt.js";
import { progressBar } from "./progress-bar.js";

/** Looks asked for at a time. */
const AT_ONCE = 64;

export interface JournalRun {
  readonly seconds: number;
  readonly recordsPerSecond: number;
}

/** The partitions that hold a journal, and the newest clock among them, epoch ms. */
export async function journalOf(
  { store }: OpenDeployment,
  only: readonly number[] | undefined,
): Promise<{ readonly partitions: readonly number[]; readonly records: number; readonly now: number }> {
  const { partitionCount } = store.deployment;
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
      some.map(async (partition) => {
        const [{ seq, clock }, oldest] = await Promise.all([
          store.chunk(partition, null, 1),
          store.oldestRecord(partition),
        ]);
        return { partition, clock, held: oldest === null ? 0 : seq - oldest + 1 };
      }),
    );
    for (const { partition, clock, held } of looks) {
      now = Math.max(now, clock);
      if (held > 0) partitions.push(partition);
      records += held;
    }
  }
  return { partitions, records, now };
}

/** @throws UsageError if there is nothing to fold */
export async function foldAgain<Result extends ReplayReport | PartitionVerdict>(
  deployment: OpenDeployment,
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
      target: deployment.target,
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
