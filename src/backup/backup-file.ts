/**
 * A backup's file: lines of JSON, compressed with gzip. Each line ends with a sum over itself and the line before, so that a line that was
 * changed, lost, doubled or moved is found, and named. It tells damage, not forgery: whoever can write the file can write the sums.
 */
import { hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import { Settings } from "../store/deployment.js";
import { BackupDamagedError, BackupFileError } from "./backup-errors.js";

export const BACKUP_FORMAT = 1;

const Head = z.strictObject({
  kind: z.literal("gatehouse-backup"),
  format: z.literal(BACKUP_FORMAT, "another release of Gatehouse wrote it"),
  prefix: z.string(),
  /** Epoch ms, by the server's clock. */
  startedAt: z.int(),
  redisVersion: z.string(),
  deployment: Settings,
});
const PartitionLine = z.strictObject({
  partition: z.int().min(0),
  token: z.string(),
  seq: z.int().min(0),
  head: z.string(),
});
const KeyLine = z.strictObject({
  /** Without the prefix and the colon behind it. */
  key: z.string().min(1),
  /** Ms until it expires; absent: it does not. */
  ttlMs: z.int().min(1).optional(),
  /** The server's own serialisation, base64. */
  value: z.string(),
});
const EndLine = z.strictObject({ end: z.literal(true), keys: z.int().min(0) });

const Line = z.union([Head, PartitionLine, KeyLine, EndLine]);
export type BackupHead = z.infer<typeof Head>;
export type PartitionLine = z.infer<typeof PartitionLine>;
export type KeyLine = z.infer<typeof KeyLine>;
export type BackupLine = z.infer<typeof Line>;

const sumOf = (before: string, text: string): string => hash("sha256", before + text, "hex");

/**
 * Writes the lines beside the file, and puts them in its place when they are on disk: a file of that name is a whole backup.
 * @throws BackupFileError if the file exists or can't be written; and what `lines` throws
 */
export async function writeBackup(file: string, lines: AsyncIterable<BackupLine>): Promise<void> {
  const partial = `${file}.partial`;
  await refuseExisting(file);
  async function* texts(): AsyncGenerator<string> {
    let sum = "";
    for await (const line of lines) {
      sum = sumOf(sum, JSON.stringify(line));
      yield `${JSON.stringify({ ...line, sum })}\n`;
    }
  }
  try {
    // Nobody else may read it: it holds all that is known of everybody.
    await pipeline(Readable.from(texts()), createGzip(), createWriteStream(partial, { mode: 0o600 }));
    const written = await open(partial, "r+");
    try {
      await written.sync();
    } finally {
      await written.close();
    }
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined || code === undefined) throw error;
    throw new BackupFileError(`${file} can't be written: ${(error as Error).message}`, {
      cause: error,
      fix: "Name a file in a directory that exists, that you may write and that has room.",
    });
  }
}

async function refuseExisting(file: string): Promise<void> {
  try {
    await (await open(file, "r")).close();
  } catch {
    return;
  }
  throw new BackupFileError(`${file} exists`, { fix: "Name a file that does not exist: a backup replaces nothing." });
}

/**
 * The lines of a backup, each once its sum was found right. The first is the head, the last the end.
 * @throws BackupFileError, BackupDamagedError
 */
export async function* readBackup(file: string): AsyncGenerator<BackupLine> {
  let at = 0;
  let sum = "";
  let last: BackupLine | undefined;
  for await (const text of linesOf(file)) {
    at++;
    if (last !== undefined && "end" in last) throw new BackupDamagedError(file, at, "the backup ended before it");
    const { line, sum: written } = parse(file, at, text);
    sum = sumOf(sum, JSON.stringify(line));
    if (written !== sum) throw new BackupDamagedError(file, at, "it, or the line before it, is not what was written");
    if ("kind" in line !== (at === 1))
      throw new BackupDamagedError(file, at, "the head stands in the first line alone");
    last = line;
    yield line;
  }
  if (last === undefined || !("end" in last))
    throw new BackupDamagedError(file, at + 1, "the rest of the file is missing");
}

function parse(file: string, at: number, text: string): { line: BackupLine; sum: unknown } {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new BackupDamagedError(file, at, at === 1 ? "this is no backup of Gatehouse's" : "it is no JSON");
  }
  const { sum, ...line } = (typeof read === "object" && read !== null ? read : {}) as Record<string, unknown>;
  const parsed = (at === 1 ? Head : Line).safeParse(line);
  if (parsed.success) return { line: parsed.data, sum };
  const why = at === 1 && line["kind"] !== "gatehouse-backup" ? "this is no backup of Gatehouse's" : undefined;
  throw new BackupDamagedError(file, at, why ?? parsed.error.issues[0]?.message ?? "it can't be read");
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const source = createReadStream(file);
  const unzipped = createGunzip();
  source.on("error", (error) => unzipped.destroy(error));
  source.pipe(unzipped);
  let at = 1;
  // A line may come in very many pieces: they are put together once.
  let pieces: Buffer[] = [];
  try {
    for await (const chunk of unzipped as AsyncIterable<Buffer>) {
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        pieces.push(chunk.subarray(from, end));
        yield Buffer.concat(pieces).toString("utf8");
        at++;
        pieces = [];
        from = end + 1;
      }
      if (from < chunk.length) pieces.push(chunk.subarray(from));
    }
  } catch (error) {
    const { code = "", syscall } = error as NodeJS.ErrnoException;
    if (syscall !== undefined) {
      throw new BackupFileError(`${file} can't be read: ${(error as Error).message}`, {
        cause: error,
        fix: "Name a file that exists and that you may read.",
      });
    }
    if (!code.startsWith("Z_")) throw error;
    const why = at === 1 && code === "Z_DATA_ERROR" ? "this is no backup of Gatehouse's, or" : "";
    throw new BackupDamagedError(
      file,
      at,
      `${why} the file is torn or altered there (${(error as Error).message})`.trim(),
    );
  } finally {
    source.destroy();
    unzipped.destroy();
  }
  if (pieces.length > 0) throw new BackupDamagedError(file, at, "the rest of the file is missing");
}
