/** An archive that this process alone writes to. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PartitionStore } from "../store/partition-store.js";
import { ArchiveForeignError } from "./archive-errors.js";
import { ABOUT_FILE, list, listPartitions, partitionDirectory } from "./archive-layout.js";
import { withArchiveLock } from "./archive-lock.js";
import { type About, JournalArchive } from "./journal-archive.js";
import { writeNew } from "./new-file.js";
import { Segment } from "./segment-file.js";

export interface ArchiveSource {
  readonly store: PartitionStore;
  /** Of the deployment's keys. */
  readonly prefix: string;
}

/**
 * Makes the archive if there is none, and removes what writers that died left behind.
 * @throws ArchiveForeignError if it is another deployment's
 * @throws ArchiveBusyError, ArchiveFileError; and what `work` throws
 */
export async function writingTo<Result>(
  directory: string,
  { store: { deployment }, prefix }: ArchiveSource,
  work: (archive: JournalArchive) => Promise<Result>,
): Promise<Result> {
  return withArchiveLock(directory, async () => {
    await begin(directory, { prefix, partitionCount: deployment.partitionCount, clock: deployment.clock });
    return work(await opened(directory));
  });
}

/**
 * The archive that is there, to take something out of it.
 * @param waitMs how long to wait for another writer
 * @throws ArchiveForeignError if there is none; ArchiveBusyError, ArchiveFileError; and what `work` throws
 */
export async function changing<Result>(
  directory: string,
  work: (archive: JournalArchive) => Promise<Result>,
  waitMs = 0,
): Promise<Result> {
  // Before the lock, which would make the directory.
  await JournalArchive.open(directory);
  return withArchiveLock(directory, async () => work(await opened(directory)), waitMs);
}

async function opened(directory: string): Promise<JournalArchive> {
  for (const partition of await listPartitions(directory)) {
    const { temporary, covered, segments } = await list(partitionDirectory(directory, partition));
    for (const file of temporary) await rm(file, { recursive: true, force: true });
    for (const { file, last } of covered) {
      const longer = segments.find((segment) => segment.last >= last);
      if (longer !== undefined && (await holds(longer.file, file))) await rm(file, { force: true });
    }
  }
  return JournalArchive.open(directory);
}

/** Whether the longer segment has all of the shorter one: its chain does not come to the same hash with anything else. */
async function holds(longer: string, shorter: string): Promise<boolean> {
  const [segment, { index }] = [await Segment.open(longer), await Segment.open(shorter)];
  const block = segment.blockOf(index.last);
  return block !== undefined && (await segment.block(block)).some(({ hash }) => hash === index.after);
}

async function begin(directory: string, own: Pick<About, "prefix" | "partitionCount" | "clock">): Promise<void> {
  const file = join(directory, ABOUT_FILE);
  const isThere = await readFile(file).then(
    () => true,
    () => false,
  );
  if (isThere) {
    const { about } = await JournalArchive.open(directory);
    for (const name of ["prefix", "partitionCount", "clock"] as const) {
      if (about[name] === own[name]) continue;
      throw new ArchiveForeignError(
        `${directory} is the archive of a deployment with ${name} ${about[name]}; this one has ${own[name]}`,
        { fix: "Give each deployment a directory of its own, and check GATEHOUSE_PREFIX and REDIS_URL." },
      );
    }
    return;
  }
  const about: About = { kind: "gatehouse-archive", format: 1, ...own, createdAt: Date.now() };
  await writeNew({
    file,
    content: [Buffer.from(`${JSON.stringify(about, null, 2)}\n`)],
    check: async () => undefined,
  });
}
