/**
 * What a crash leaves at the end of an append-only file: a write that nobody was told of, and only the beginning of it. With `appendfsync
 * always` this is all that a crash can tear, because what was answered is on disk.
 */
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A script's writes stand between these two. */
const BEGIN = Buffer.from("*1\r\n$5\r\nMULTI\r\n");
const END = Buffer.from("*1\r\n$4\r\nEXEC\r\n");
/** Where no script wrote yet. */
const PLAIN = Buffer.from("*3\r\n$3\r\nSET\r\n$10\r\nchaos:torn\r\n$4\r\nhalf\r\n");

export interface TornTail {
  /** Bytes that were written of it, and that it would have had. */
  readonly written: number;
  readonly of: number;
}

/**
 * Writes what the last script wrote once more, up to a byte before its end.
 * @param directory the server's; it must not run
 * @param between gives a whole number within bounds, both included
 */
export async function tearTail(directory: string, between: (least: number, most: number) => number): Promise<TornTail> {
  const files = join(directory, "appendonlydir");
  const manifest = await readFile(join(files, "appendonly.aof.manifest"), "utf8");
  const names = [...manifest.matchAll(/^file (\S+) seq \d+ type i/gm)];
  const file = join(files, names.at(-1)?.[1] ?? "appendonly.aof");
  const bytes = await readFile(file);
  const write = lastWrite(bytes);
  const written = between(1, write.length - 1);
  await appendFile(file, write.subarray(0, written));
  return { written, of: write.length };
}

function lastWrite(bytes: Buffer): Buffer {
  const end = bytes.lastIndexOf(END);
  const begin = end === -1 ? -1 : bytes.lastIndexOf(BEGIN, end);
  return begin === -1 ? PLAIN : bytes.subarray(begin, end + END.length);
}
