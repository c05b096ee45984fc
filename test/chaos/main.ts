/** `npm run chaos`: a chaos run, its report as a table and a picture, or one JSON object. */
import { Command } from "commander";
import { EXIT } from "../../src/cli/exit-code.js";
import { reportFailure } from "../../src/cli/failure.js";
import { note } from "../../src/cli/terminal.js";
import { chaos } from "./chaos.js";
import { textOf, writeReport } from "./report.js";
import { removeData, runDirectory } from "./run-directory.js";
import { stoppedBySignals } from "./stopped-by-signals.js";
import { positive, seedOf, whole } from "./options.js";

const EXAMPLE = `
Example:
  npm run chaos -- --minutes 3 --seed 7

Starts a Redis, three workers, two APIs and a webhook receiver on this machine, on free ports, and ends them again.
Ctrl-C: what happened until then is checked; a second one ends it at once. Either way the report is written.

Exit codes:
  0    every promise held
  1    a promise was broken, or the run could not go on; data and logs are kept
  2    the command line can't be used
  6    there is no Redis that is new enough
  130  interrupted, and no violation found`;

const MOST_DEVICES = 10_000;

interface Options {
  readonly minutes: number;
  readonly seed?: number;
  readonly devices: number;
  readonly directory?: string;
  readonly json?: true;
}

const program = new Command("chaos")
  .description("Breaks a running Gatehouse on purpose, and says whether every promise held.")
  .exitOverride()
  .option("--minutes <n>", "how long things are broken", positive, 3)
  .option("--seed <n>", "which faults come when; default: another one each time", seedOf)
  .option("--devices <n>", "that live meanwhile", (text: string) => whole(text, MOST_DEVICES), 200)
  .option("--directory <path>", "for data, logs and the report, empty; default: a temporary one")
  .option("--json", "one JSON object on stdout")
  .addHelpText("after", EXAMPLE)
  .action(async ({ minutes, seed, devices, directory: named, json }: Options) => {
    const directory = await runDirectory(named, "chaos");
    const { stop, abandon, code } = stoppedBySignals();
    const result = await chaos({
      seed: seed ?? Math.floor(Math.random() * 1_000_000),
      minutes,
      devices,
      directory,
      stop,
      abandon,
      progress: note,
      onFault: ({ kind, what, from }, events) =>
        note(`${(from / 1_000).toFixed(1).padStart(7)} s  ${kind}  ${what}  (${events.toLocaleString("en")} events)`),
    });
    if (result.failure !== undefined && result.faults.length === 0 && result.total.events === 0) throw result.failure;
    const report = await writeReport(result, directory);
    const isBad = report.violations > 0 || report.failure !== undefined;
    if (isBad) note(`Data and logs are in ${directory}.`);
    else await removeData(directory);
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : textOf(report));
    process.exitCode = isBad ? EXIT.failure : code();
  });

// A terminal that was closed takes no more words: the report is written all the same.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error, process.argv.includes("--json"));
}
process.exit();
