/**
 * How a file gets into an archive: written under another name, brought to disk, read back, and only then given its own. Whatever dies
 * in between leaves a whole file, or none.
 */
import { copyFile, link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ArchiveFileError } from "./archive-errors.js";
import { TEMPORARY } from "./archive-layout.js";
import { refuseIfTakenOver } from "./archive-lock.js";

export interface NewFile {
  readonly file: string;
  readonly content: AsyncIterable<Buffer> | Iterable<Buffer>;
  /** Reads it back from where it stands by now. */
  readonly check: (written: string) => Promise<void>;
  /** There is one of that name, and this takes its place; otherwise nothing is ever replaced. */
  readonly replaces?: boolean;
}

/** @throws ArchiveFileError; and what `content` and `check` throw, with nothing left behind */
export async function writeNew({ file, content, check, replaces = false }: NewFile): Promise<void> {
  const temporary = `${file}${TEMPORARY}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    // Nobody else may read it: it holds all that is known of everybody.
    const handle = await open(temporary, "w", 0o600);
    try {
      for await (const bytes of content) await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await check(temporary);
    await refuseIfTakenOver();
    if (replaces) await rename(temporary, file);
    else await renameNew(temporary, file);
    await syncDirectory(dirname(file));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw unwritable(file, error);
  }
}

/** A second name for the file, where the file system has such; else a copy. What is there already stays. */
export async function linkNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw error;
    await copyFile(from, `${to}${TEMPORARY}`);
    await rename(`${to}${TEMPORARY}`, to);
  }
}

async function renameNew(temporary: string, file: string): Promise<void> {
  try {
    await link(temporary, file);
    await rm(temporary);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw error;
    // No second names on this file system. The archive's lock keeps others out, so looking first is enough.
    const exists = await open(file, "r").catch(() => undefined);
    await exists?.close();
    if (exists !== undefined) throw new Error(`${file} exists`, { cause: error });
    await rename(temporary, file);
  }
}

/** A name is on disk when its directory is. */
export async function syncDirectory(directory: string): Promise<void> {
  // Some systems have no such thing for directories.
  const handle = await open(directory, "r").catch(() => undefined);
  try {
    await handle?.sync().catch(() => undefined);
  } finally {
    await handle?.close();
  }
}

function unwritable(file: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === undefined || code === undefined) return error;
  return new ArchiveFileError(`${file} can't be written: ${(error as Error).message}`, {
    cause: error,
    fix: "Name a directory that you may write and that has room. What is in the archive already is as it was.",
  });
}
