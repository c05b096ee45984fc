/** What of an archive may go: the oldest, whole segments at a time, and never what folding anew from the newest checkpoint needs. */
import { rm, stat } from "node:fs/promises";
import { list, partitionDirectory } from "./archive-layout.js";
import { readCheckpoint } from "./checkpoint-file.js";
import type { JournalArchive, SegmentInfo } from "./journal-archive.js";
import { changing } from "./open-to-write.js";

export interface PruneRules {
  /** Segments whose newest record is older than this many ms go. */
  readonly olderThanMs?: number | undefined;
  /** The oldest go until the archive takes no more than this, as far as it may. */
  readonly maxBytes?: number | undefined;
}

export interface PrunedPart {
  readonly partition: number;
  readonly what: "segment" | "fork";
  /** Numbers of its first and last record. */
  readonly first: number;
  readonly last: number;
  /** Time of its newest record, epoch ms; `null`: none tells one. */
  readonly to: number | null;
  readonly bytes: number;
  /** Files or directories that go with it. */
  readonly paths: readonly string[];
}

export interface PrunePlan {
  readonly parts: readonly PrunedPart[];
  /** Bytes that the archive takes, and that go. */
  readonly bytes: number;
  readonly freed: number;
}

/**
 * Removes what the rules say. With `applies` false it is told alone.
 * @param now epoch ms
 * @throws ArchiveForeignError, ArchiveBusyError, ArchiveFileError, ArchiveDamagedError
 */
export async function pruneArchive(
  directory: string,
  rules: PruneRules,
  { applies, now = Date.now() }: { readonly applies: boolean; readonly now?: number },
): Promise<PrunePlan> {
  return changing(directory, async (archive) => {
    const plan = await planOf(archive, rules, now);
    if (applies) {
      for (const { paths } of plan.parts) for (const path of paths) await rm(path, { recursive: true, force: true });
    }
    return plan;
  });
}

async function planOf(archive: JournalArchive, { olderThanMs, maxBytes }: PruneRules, now: number): Promise<PrunePlan> {
  const candidates: PrunedPart[] = [];
  let bytes = 0;
  for (const partition of await archive.partitions()) {
    const found = await partsOf(archive, partition);
    bytes += found.bytes;
    candidates.push(...found.parts);
  }
  // Where the clock is the events' own, an age is told from the newest of them.
  const newest = candidates.reduce((latest, { to }) => Math.max(latest, to ?? 0), 0);
  const today = archive.about.clock === "event" ? newest : now;
  candidates.sort((one, other) => (one.to ?? 0) - (other.to ?? 0));
  const parts: PrunedPart[] = [];
  let freed = 0;
  for (const part of candidates) {
    const isOld = olderThanMs !== undefined && (part.to ?? 0) < today - olderThanMs;
    const isTooMuch = maxBytes !== undefined && bytes - freed > maxBytes;
    if (!isOld && !isTooMuch) continue;
    parts.push(part);
    freed += part.bytes;
  }
  return { parts, bytes, freed };
}

/** What may go of a partition, oldest first, and the bytes of all that is there. */
async function partsOf(
  archive: JournalArchive,
  partition: number,
): Promise<{ readonly parts: PrunedPart[]; readonly bytes: number }> {
  const segments = await archive.segments(partition);
  const { checkpoints } = await list(partitionDirectory(archive.directory, partition));
  const sized = await Promise.all(
    checkpoints.map(async ({ file, seq }) => ({ file, seq, bytes: (await stat(file)).size })),
  );
  const newest = sized.at(-1);
  const needed = newest?.seq ?? 0;
  let bytes = sumOf(segments) + sumOf(sized);
  const parts: PrunedPart[] = [];
  // The newest segment tells where the next run goes on.
  let latest: number | null = null;
  for (const segment of segments.slice(0, -1)) {
    if (segment.last > needed) break;
    // What is erased tells no time: it is as old as what is before it.
    latest = segment.to ?? latest;
    // A checkpoint is of use while the record behind it is there.
    const useless = sized.filter(({ seq }) => seq >= segment.first - 1 && seq < segment.last && seq !== needed);
    const { first, last, file } = segment;
    const paths = [...useless.map((checkpoint) => checkpoint.file), file];
    parts.push({ partition, what: "segment", first, last, to: latest, bytes: segment.bytes + sumOf(useless), paths });
  }
  // It is what makes them superfluous: were it damaged, they would be all there is to fold anew from.
  if (newest !== undefined && parts.length > 0) await readCheckpoint(newest.file);
  for (const { directory, after, segments: lost, checkpoints: theirs } of await archive.forks(partition)) {
    const sizes = await Promise.all(theirs.map(async ({ file }) => (await stat(file)).size));
    const size = sumOf(lost) + sizes.reduce((sum, one) => sum + one, 0);
    bytes += size;
    const times = lost.flatMap(({ to }) => to ?? []);
    const to = times.length === 0 ? null : Math.max(...times);
    const last = lost.at(-1)?.last ?? after;
    parts.push({ partition, what: "fork", first: after + 1, last, to, bytes: size, paths: [directory] });
  }
  return { parts, bytes };
}

const sumOf = (files: readonly Pick<SegmentInfo, "bytes">[]): number =>
  files.reduce((sum, { bytes }) => sum + bytes, 0);
