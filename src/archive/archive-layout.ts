/**
 * Where things are in an archive's directory, told by names alone, so that a listing is a table of contents:
 *
 *   archive.json                                     whose archive it is
 *   archive.lock                                     while somebody writes
 *   p0007/000000000001-000000004096.journal.gz       a segment: records by number, first and last
 *   p0007/000000004096.checkpoint.gz                 every session of the partition, right after that record
 *   p0007/fork-000000003000-1b2c3d4e/…               a branch that was lost: what followed record 3000 there
 *
 * Names with `.tmp` are being written, or were when something died: they count for nothing.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ArchiveFileError } from "./archive-errors.js";

const DIGITS = 12;
const padded = (seq: number): string => String(seq).padStart(DIGITS, "0");

const PARTITION = /^p(\d{4})$/;
const SEGMENT = /^(\d{12,})-(\d{12,})\.journal\.gz$/;
const CHECKPOINT = /^(\d{12,})\.checkpoint\.gz$/;
const FORK = /^fork-(\d{12,})-([0-9a-f]{8})$/;

export const TEMPORARY = ".tmp";
export const ABOUT_FILE = "archive.json";
export const LOCK_FILE = "archive.lock";

export const partitionDirectory = (directory: string, partition: number): string =>
  join(directory, `p${String(partition).padStart(4, "0")}`);
export const segmentName = (first: number, last: number): string => `${padded(first)}-${padded(last)}.journal.gz`;
export const checkpointName = (seq: number): string => `${padded(seq)}.checkpoint.gz`;
/** @param head hash of the lost branch's last record, which names it */
export const forkName = (after: number, head: string): string => `fork-${padded(after)}-${head.slice(0, 8)}`;

export interface SegmentFile {
  readonly file: string;
  readonly first: number;
  readonly last: number;
}

export interface CheckpointFile {
  readonly file: string;
  readonly seq: number;
}

/** What a partition's directory holds, or that of a fork. */
export interface Listing {
  /** Ascending, one after the other; what a longer one has in it, too, is left out. */
  readonly segments: readonly SegmentFile[];
  /** Ascending. */
  readonly checkpoints: readonly CheckpointFile[];
  /** `after` is the last record that the lost branch has in common with the one that went on. */
  readonly forks: readonly { readonly directory: string; readonly after: number }[];
  /** Segments that a longer one has in it: a process died before it removed them. */
  readonly covered: readonly SegmentFile[];
  readonly temporary: readonly string[];
}

const EMPTY: Listing = { segments: [], checkpoints: [], forks: [], covered: [], temporary: [] };

/** @throws ArchiveFileError unless it can be read, or is not there */
export async function list(directory: string): Promise<Listing> {
  const names = await namesIn(directory);
  if (names === undefined) return EMPTY;
  const all: SegmentFile[] = [];
  const checkpoints: CheckpointFile[] = [];
  const forks: Listing["forks"][number][] = [];
  const temporary: string[] = [];
  for (const name of names) {
    const file = join(directory, name);
    const [, first, last] = SEGMENT.exec(name) ?? [];
    const [, seq] = CHECKPOINT.exec(name) ?? [];
    const [, after] = FORK.exec(name) ?? [];
    if (first !== undefined) all.push({ file, first: Number(first), last: Number(last) });
    else if (seq !== undefined) checkpoints.push({ file, seq: Number(seq) });
    else if (after !== undefined) forks.push({ directory: file, after: Number(after) });
    else if (name.includes(TEMPORARY)) temporary.push(file);
  }
  all.sort((one, other) => one.first - other.first || other.last - one.last);
  const segments: SegmentFile[] = [];
  const covered: SegmentFile[] = [];
  for (const segment of all) {
    if (segment.last <= (segments.at(-1)?.last ?? 0)) covered.push(segment);
    else segments.push(segment);
  }
  checkpoints.sort((one, other) => one.seq - other.seq);
  return { segments, checkpoints, forks, covered, temporary };
}

/** Numbers of the partitions that have a directory, ascending. @throws ArchiveFileError */
export async function listPartitions(directory: string): Promise<number[]> {
  const names = (await namesIn(directory)) ?? [];
  return names.flatMap((name) => PARTITION.exec(name)?.[1] ?? []).map(Number);
}

async function namesIn(directory: string): Promise<string[] | undefined> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unreadable(directory, error);
  }
}

export function unreadable(file: string, error: unknown): ArchiveFileError {
  return new ArchiveFileError(`${file} can't be read: ${(error as Error).message}`, {
    cause: error,
    fix: "Name the directory of an archive that you may read.",
  });
}
