/**
 * What a crash in the middle of a script's write leaves at the end of an append-only file. Redis drops an incomplete command there when it
 * loads the file, but not the MULTI and the complete commands before it: they stay in the file without their EXEC, the next script's EXEC
 * carries them out at the start after, and half a script has come true. (Seen with Redis 7.0.) So they are taken off before.
 */
import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";

/** In lower case: what a client sends by itself may be. */
const BEGIN = "*1\r\n$5\r\nmulti\r\n";
const END = "*1\r\n$4\r\nexec\r\n";
const CHUNK_BYTES = 1024 * 1024;

/**
 * Shortens the file that Redis wrote last to where its unfinished transaction begins. No server may run in the directory.
 * Texts that Gatehouse stores are JSON, so what begins and ends transactions stands in none of them.
 * @returns bytes taken off; 0: there was none
 */
export async function dropTornTransaction(directory: string): Promise<number> {
  const file = await openNewest(directory);
  if (file === undefined) return 0;
  try {
    const { size } = await file.stat();
    const begin = await lastBegin(file, size);
    if (begin === undefined) return 0;
    await file.truncate(begin);
    await file.sync();
    return size - begin;
  } finally {
    await file.close();
  }
}

/** Where a transaction begins that does not end; undefined: there is none. */
async function lastBegin(file: FileHandle, size: number): Promise<number | undefined> {
  // What stands across two chunks is found in the second of them, which reaches a little further.
  const overlap = BEGIN.length - 1;
  for (let to = size; to > 0;) {
    const from = Math.max(0, to - CHUNK_BYTES);
    const length = Math.min(size, to + overlap) - from;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
    const text = buffer.toString("latin1", 0, bytesRead).toLowerCase();
    const [begin, end] = [text.lastIndexOf(BEGIN), text.lastIndexOf(END)];
    if (end > begin) return undefined;
    if (begin !== -1) return from + begin;
    to = from;
  }
  return undefined;
}

/** The file that is appended to: the last of a manifest, or the one file of Redis 6. */
async function openNewest(directory: string): Promise<FileHandle | undefined> {
  const files = join(directory, "appendonlydir");
  try {
    const manifest = await readFile(join(files, "appendonly.aof.manifest"), "utf8").catch(() => undefined);
    if (manifest === undefined) return await open(join(directory, "appendonly.aof"), "r+");
    const name = [...manifest.matchAll(/^file (\S+) seq \d+ type i/gm)].at(-1)?.[1];
    return name === undefined ? undefined : await open(join(files, name), "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
