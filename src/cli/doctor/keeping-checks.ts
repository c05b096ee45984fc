/** Whether the past is kept: journals against their bounds, and against the archive. */
import type { JournalRecord } from "../../../machines/outcome.js";
import type { PartitionFacts } from "../../metrics/deployment-facts.js";
import { isTombstone } from "../../store/journal-chain.js";
import type { Deployment, PartitionStore } from "../../store/partition-store.js";
import { type DoctorCheck, ok, plural, some, warning } from "./check.js";
import { bytes, duration } from "../terminal.js";

/** Trimming goes by blocks of a stream, so a journal is about as large as its bound, and a little larger. */
const LEEWAY = 1.25;
/** How far the archive may be behind: the least that it is run is once a day. */
const MAX_AGE_MS = 25 * 3_600_000;

export function journalCheck(
  partitions: readonly PartitionFacts[],
  { journalMaxBytes }: Pick<Deployment, "journalMaxBytes">,
): DoctorCheck {
  const name = "journal";
  const total = partitions.reduce((sum, { journalBytes }) => sum + journalBytes, 0);
  const said = `${bytes(total)} of journal, up to ${bytes(journalMaxBytes)} a partition`;
  const over = partitions.filter(({ journalBytes }) => journalBytes > journalMaxBytes * LEEWAY);
  if (over.length === 0) return ok(name, said);
  const heldBack = over.filter(({ archive }) => archive !== null);
  return warning(
    name,
    `${said}; larger in ${plural(over.length, "partition")}: ${some(over.map(({ partition }) => partition))}`,
    heldBack.length > 0
      ? "What is not archived is not trimmed: run `gatehouse archive run`, or `gatehouse archive stop` to do without."
      : "A partition is trimmed when it commits: one that is idle stays as it is until its next event.",
  );
}

/** @param ageMs how long the oldest record has waited for it; `null`: the deployment does not archive */
export function archiveCheck(ageMs: number | null): DoctorCheck {
  const name = "archive";
  if (ageMs === null) return ok(name, "the deployment does not archive: what is trimmed from journals is gone");
  const said =
    ageMs === 0 ? "every record is archived" : `the oldest record that is not archived is ${duration(ageMs)} old`;
  return ageMs <= MAX_AGE_MS
    ? ok(name, said)
    : warning(name, said, "Run `gatehouse archive run --to DIR` regularly; journals grow in Redis until then.");
}

/**
 * How long the oldest record that is not archived has waited for it, ms.
 * @throws StoreUnavailableError
 */
export async function archiveAge(
  store: Pick<PartitionStore, "records">,
  partitions: readonly PartitionFacts[],
): Promise<number | null> {
  const ages = await Promise.all(
    partitions.map(async ({ partition, archive, seq, now }) => {
      if (archive === null) return null;
      if (archive.seq >= seq) return 0;
      const [entry = null] = await store.records(partition, [archive.seq + 1]);
      if (entry === null || isTombstone(entry)) return 0;
      return Math.max(0, now - (JSON.parse(entry.body) as JournalRecord).at);
    }),
  );
  const told = ages.filter((age) => age !== null);
  return told.length === 0 ? null : Math.max(...told);
}
