/** The archive that a command goes on in where Redis has no more: the one that is named, else the configured one, if it is there. */
import { JournalArchive } from "../archive/journal-archive.js";
import type { Config } from "../config.js";

export const ARCHIVE_OPTION = ["--archive <dir>", "go on in this archive; default: GATEHOUSE_ARCHIVE_DIR"] as const;

/** @throws ArchiveFileError, ArchiveForeignError */
export async function archiveToRead(
  named: string | undefined,
  { archiveDirectory }: Config,
): Promise<JournalArchive | undefined> {
  if (named !== undefined) return JournalArchive.open(named);
  if (archiveDirectory === undefined || !(await JournalArchive.isThere(archiveDirectory))) return undefined;
  return JournalArchive.open(archiveDirectory);
}
