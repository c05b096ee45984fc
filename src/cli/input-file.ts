/** Files of any size, and stdin, read piece by piece, with what a reader sees of it meanwhile. */
import { MultiBar } from "cli-progress";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { UsageError } from "./failure.js";
import { count, note } from "./terminal.js";

const READ_BYTES = 256 * 1024;

/** Where nobody sees a bar, a line says now and then how far it is. */
const SAY_EVERY_MS = 5_000;

export interface InputFile {
  /** Its size; `undefined`: not known. */
  readonly bytes: number | undefined;
  /** @param onRead hears of each piece once it was taken */
  read(onRead: (bytes: number) => void): AsyncGenerator<Uint8Array>;
  close(): void;
}

/**
 * @param file its name; `-` is stdin
 * @throws UsageError if the file can't be read
 */
export async function openInput(file: string): Promise<InputFile> {
  const { stream, bytes } = file === "-" ? { stream: process.stdin, bytes: undefined } : await openFile(file);
  return {
    bytes,
    async *read(onRead) {
      for await (const chunk of stream) {
        const piece = chunk as Uint8Array;
        yield piece;
        onRead(piece.byteLength);
      }
    },
    close: () => void stream.destroy(),
  };
}

async function openFile(file: string): Promise<{ stream: Readable; bytes: number | undefined }> {
  try {
    const facts = await stat(file);
    if (facts.isDirectory()) throw new UsageError(`${file} is a directory`, { fix: "Name a file, or - for stdin." });
    const stream = createReadStream(file, { highWaterMark: READ_BYTES });
    await new Promise<void>((resolve, reject) => stream.once("open", () => resolve()).once("error", reject));
    return { stream, bytes: facts.isFile() ? facts.size : undefined };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file} can't be read: ${(error as Error).message}`, {
      cause: error,
      fix: "Name a file that exists and that you may read, or - for stdin.",
    });
  }
}

export interface Progress {
  readonly read: (bytes: number) => void;
  /** So many more are done, of what `what` names. */
  readonly done: (items: number) => void;
  readonly say: (text: string) => void;
  readonly stop: () => void;
}

/**
 * On a terminal, of a file whose size is known: a bar. Otherwise a line now and then, where `what` is counted.
 * @param what is counted, in the plural; left out, nothing is
 */
export function showProgress(total: number | undefined, what?: string): Progress {
  const startedAt = performance.now();
  let items = 0;
  const rate = (): string =>
    what === undefined
      ? ""
      : `${count(items)} ${what}, ${count(Math.round((1_000 * items) / (performance.now() - startedAt)))}/s`;
  if (!process.stderr.isTTY || total === undefined) {
    let saidAt = startedAt;
    return {
      read: () => {},
      done: (more) => {
        items += more;
        if (performance.now() - saidAt < SAY_EVERY_MS) return;
        saidAt = performance.now();
        note(rate());
      },
      say: note,
      stop: () => {},
    };
  }
  const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(1);
  const bars = new MultiBar({
    stream: process.stderr,
    format: `{bar} {percentage} %  {read} of ${megabytes(total)} MB  {rate}  {eta_formatted} left`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    emptyOnZero: true,
  });
  let read = 0;
  const bar = bars.create(total, 0, { read: "0.0", rate: "" });
  return {
    read: (bytes) => {
      read += bytes;
      bar.update(Math.min(read, total), { read: megabytes(read), rate: rate() });
    },
    done: (more) => void (items += more),
    say: (text) => bars.log(`${text}\n`),
    stop: () => bars.stop(),
  };
}
