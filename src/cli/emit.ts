/** `gatehouse emit`: reads events from a file or stdin and sends them in, whatever its size. */
import { MultiBar } from "cli-progress";
import type { Command } from "commander";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { readConfig } from "../config.js";
import { Sender, SendingStoppedError } from "../ingest/sender.js";
import { NotTakenList } from "./emit/not-taken.js";
import { splitEvents } from "./emit/split-events.js";
import { EXIT } from "./exit-code.js";
import { UsageError, reportFailure } from "./failure.js";
import { JSON_OPTION, span, wholeNumber } from "./options.js";
import { openRunning } from "./redis-access.js";
import { count, note, print, printJson } from "./terminal.js";

const READ_BYTES = 256 * 1024;

const EXAMPLE = `
Example:
  $ gatehouse emit samples/streams/first-day.ndjson
  $ my-exporter | gatehouse emit -

Each event is one CloudEvent 1.0 as JSON, at most 16 KiB. An event that can't be taken costs no other event
anything; each is reported with its line (or its element of the array), and the exit code is then 3.
Sending a file again is safe: events that were taken in before are duplicates.`;

interface EmitOptions {
  readonly json?: true;
  readonly retryFor: number;
  readonly from: number;
}

export function emitCommand(program: Command): void {
  program
    .command("emit")
    .summary("send events in from a file, or from stdin")
    .description("Sends in the events of FILE, which is NDJSON or one JSON array of CloudEvents; - is stdin.")
    .argument("<file>", "NDJSON, or a JSON array; - for stdin")
    .option("--retry-for <time>", "how long to go on when Redis stops answering", span, 30_000)
    .option("--from <place>", "start at this line of NDJSON, or this element of the array", wholeNumber(0), 0)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(emit);
}

async function emit(file: string, options: EmitOptions): Promise<void> {
  const config = readConfig();
  const { stream, bytes } = await openInput(file);
  const deployment = await openRunning(config);
  const progress = showProgress(bytes);
  const notTaken = new NotTakenList();
  const split = splitEvents(counted(stream, progress.read), options.from);
  const sender = new Sender(deployment, config.tenant, {
    retryForMs: options.retryFor,
    onNotTaken: (place, problem) => notTaken.add(split.kind, place, problem),
    onOutage: (outage) =>
      progress.say(
        outage === "began"
          ? `Redis does not answer; trying again for ${options.retryFor / 1_000} s …`
          : "Redis answers again.",
      ),
  });
  let stopped: SendingStoppedError | undefined;
  try {
    await sender.sendAll(split.chunks);
  } catch (error) {
    if (!(error instanceof SendingStoppedError)) throw error;
    stopped = error;
  } finally {
    progress.stop();
    stream.destroy();
    await deployment.close();
  }

  const { totals } = sender;
  if (options.json) {
    printJson({
      ...totals,
      refusals: notTaken.kept,
      refusalsOmitted: notTaken.size - notTaken.kept.length,
      ...(stopped !== undefined && {
        resumeFrom: stopped.resumeFrom,
        error: { code: stopped.code, message: stopped.message },
      }),
    });
  } else {
    notTaken.show();
    const { sent, accepted, duplicate, conflict, refused, unknown } = totals;
    print(
      `${count(sent)} sent = ${count(accepted)} accepted + ${count(duplicate)} duplicate + ${count(conflict)} conflict + ${count(refused)} refused` +
        (unknown > 0 ? ` + ${count(unknown)} without an answer` : ""),
    );
  }
  if (stopped !== undefined) {
    process.exitCode = reportFailure(stopped, false);
    note(
      `  Everything before ${split.kind} ${stopped.resumeFrom} is settled. From there on some events may have been accepted;`,
    );
    note("  sending those again is safe. To go on:");
    note(`    gatehouse emit ${file} --from ${stopped.resumeFrom}`);
  } else if (notTaken.size > 0) {
    process.exitCode = EXIT.refused;
  }
}

/** @throws UsageError if the file can't be read */
async function openInput(file: string): Promise<{ stream: Readable; bytes: number | undefined }> {
  if (file === "-") return { stream: process.stdin, bytes: undefined };
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

async function* counted(source: AsyncIterable<unknown>, onRead: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    const bytes = chunk as Uint8Array;
    yield bytes;
    onRead(bytes.byteLength);
  }
}

interface Progress {
  readonly read: (bytes: number) => void;
  readonly say: (text: string) => void;
  readonly stop: () => void;
}

/** On a terminal, of a file whose size is known: a bar. Otherwise nothing but what has to be said. */
function showProgress(total: number | undefined): Progress {
  if (!process.stderr.isTTY || total === undefined) return { read: () => {}, say: note, stop: () => {} };
  const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(1);
  const bars = new MultiBar({
    stream: process.stderr,
    format: `{bar} {percentage} %  {read} of ${megabytes(total)} MB  {eta_formatted} left`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    emptyOnZero: true,
  });
  let read = 0;
  const bar = bars.create(total, 0, { read: "0.0" });
  return {
    read: (bytes) => {
      read += bytes;
      bar.update(Math.min(read, total), { read: megabytes(read) });
    },
    say: (text) => bars.log(`${text}\n`),
    stop: () => bars.stop(),
  };
}
