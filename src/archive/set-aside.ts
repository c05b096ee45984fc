/**
 * A failover may lose records that were archived already; the journal then goes on differently from an earlier record. What was lost is
 * kept, apart, as a fork: it happened, and effects of it may be out in the world.
 */
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { verifyChain } from "../store/journal-chain.js";
import type { JournalEntry, PartitionStore } from "../store/partition-store.js";
import { ArchiveForeignError } from "./archive-errors.js";
import { forkName, list, partitionDirectory } from "./archive-layout.js";
import type { JournalArchive, Tail } from "./journal-archive.js";
import { linkNew, syncDirectory } from "./new-file.js";
import { type EncodedBlock, Segment, encodeBlock, writeSegment } from "./segment-file.js";

/** A branch that was found lost just now. */
export interface LostBranch {
  /** Where its files are from now on. */
  readonly directory: string;
  /** The last record that both have. */
  readonly after: number;
  /** Its own last record. */
  readonly last: number;
}

/**
 * Where the journal in Redis left what is archived.
 * @param seq number of the journal's last record
 * @returns the last record that both have; `undefined`: all that is archived is in the journal, or was before it was trimmed
 * @throws ArchiveForeignError if they have nothing in common
 */
export async function divergence(
  archive: JournalArchive,
  store: PartitionStore,
  partition: number,
  { tail, seq }: { readonly tail: Tail; readonly seq: number },
): Promise<number | undefined> {
  const stored = async (n: number): Promise<JournalEntry | undefined> =>
    (await store.records(partition, [n]))[0] ?? undefined;
  const archived = async (n: number) => (await archive.records(partition, [n]))[0] ?? undefined;
  const oldest = (await store.oldestRecord(partition)) ?? seq + 1;
  // Nothing to compare: the archive has a gap there.
  if (oldest > tail.seq + 1) return undefined;
  const newest = Math.min(seq, tail.seq);
  if (newest === tail.seq && newest >= oldest && (await stored(newest))?.hash === tail.hash) return undefined;

  const isSame = async (n: number): Promise<boolean> => {
    const [one, other] = await Promise.all([stored(n), archived(n)]);
    return one !== undefined && one.hash === other?.hash;
  };
  // The chain makes it monotonous: from the first difference on, everything differs.
  const first = Math.max(oldest, (await archive.segments(partition))[0]?.first ?? 1);
  let [low, high] = [first - 1, newest];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (await isSame(middle)) low = middle;
    else high = middle - 1;
  }
  if (low >= first || low === 0) return low;
  // No record is in both. That the journal's oldest follows one that is archived still makes them one journal.
  const [before, next] = [await archived(low), await stored(low + 1)];
  // Everything was archived, and then trimmed.
  if (next === undefined && low === tail.seq) return undefined;
  if (before !== undefined && next !== undefined && verifyChain(before.hash, next.seq, [next]).intact)
    return low === tail.seq ? undefined : low;
  throw new ArchiveForeignError(
    `${archive.directory} and the journal of partition ${partition} have no record in common`,
    {
      fix: "Check REDIS_URL and GATEHOUSE_PREFIX. For another deployment, or one that began anew, name a new directory.",
    },
  );
}

/**
 * Puts everything behind record `after` into a directory of its own. Cut short anywhere, it is done again by the next run, to the same end: until
 * the last step the lost branch is still the one that counts.
 * @throws ArchiveFileError, ArchiveDamagedError
 */
export async function setAside(
  archive: JournalArchive,
  partition: number,
  after: number,
  tail: Tail,
): Promise<LostBranch> {
  const home = partitionDirectory(archive.directory, partition);
  const fork = join(home, forkName(after, tail.hash));
  const { segments, checkpoints } = await list(home);
  // Checkpoints first, and the newest segment last: as long as that is there, the next run finds the lost branch and goes on with it.
  const lost = [...checkpoints.filter(({ seq }) => seq > after), ...segments.filter(({ last }) => last > after)];
  await mkdir(fork, { recursive: true, mode: 0o700 });
  for (const { file } of lost) {
    await linkNew(file, join(fork, basename(file))).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    });
  }
  await syncDirectory(fork);
  const both = segments.find(({ first, last }) => first <= after && after < last);
  if (both !== undefined) await writeSegment(home, partition, await blocksUpTo(await Segment.open(both.file), after));
  for (const { file } of lost) await rm(file, { force: true });
  await syncDirectory(home);
  return { directory: fork, after, last: tail.seq };
}

async function blocksUpTo(segment: Segment, last: number): Promise<EncodedBlock[]> {
  const encoded: EncodedBlock[] = [];
  for (const [number, block] of segment.index.blocks.entries()) {
    if (block.first > last) break;
    if (block.last <= last) encoded.push(await segment.encoded(number));
    else {
      const entries = (await segment.block(number)).filter(({ seq }) => seq <= last);
      encoded.push(await encodeBlock(entries, block.before));
    }
  }
  return encoded;
}
