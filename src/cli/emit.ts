/** `gatehouse emit`: reads events from a file or stdin and sends them in, whatever its size. */
import type { Command } from "commander";
import { readConfig } from "../config.js";
import { Sender, SendingStoppedError } from "../ingest/sender.js";
import { NotTakenList } from "./emit/not-taken.js";
import { splitEvents } from "../ingest/split-events.js";
import { EXIT } from "./exit-code.js";
import { reportFailure } from "./failure.js";
import { openInput, showProgress } from "./input-file.js";
import { JSON_OPTION, span, wholeNumber } from "./options.js";
import { openRunning } from "./redis-access.js";
import { count, note, print, printJson } from "./terminal.js";

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
  const input = await openInput(file);
  const deployment = await openRunning(config);
  const progress = showProgress(input.bytes);
  const notTaken = new NotTakenList();
  const split = splitEvents(input.read(progress.read), { from: options.from });
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
    input.close();
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
