/** `npm run soak`: a deployment under a steady load for long; says whether anything grows, as a table and a picture, or as one JSON object. */
import { Command } from "commander";
import { EXIT } from "../../src/cli/exit-code.js";
import { reportFailure } from "../../src/cli/failure.js";
import { bytes, count, note } from "../../src/cli/terminal.js";
import { positive, seedOf, whole } from "../chaos/options.js";
import { removeData, runDirectory } from "../chaos/run-directory.js";
import { stoppedBySignals } from "../chaos/stopped-by-signals.js";
import { isBad, textOf, writeReport } from "./report.js";
import { soak } from "./soak.js";

const EXAMPLE = `
Example:
  npm run soak -- --minutes 30

Starts a Redis, two workers, two APIs and an archiver on this machine, on free ports, and ends them again. Ctrl-C: what
was seen until then is reported.

Exit codes:
  0    nothing grows
  1    something grows, a process died, or the run could not go on; data and logs are kept
  2    the command line can't be used
  6    there is no Redis that is new enough
  130  interrupted, and nothing wrong found`;

/** Between two looks; shorter where a run is short. */
const LOOK_EVERY_MS = 5_000;
const FEWEST_LOOKS = 10;
const MOST_DEVICES = 10_000;
const SAY_EVERY_MS = 30_000;

interface Options {
  readonly minutes: number;
  readonly seed?: number;
  readonly devices: number;
  readonly eventsPerSecond: number;
  readonly directory?: string;
  readonly json?: true;
}

const program = new Command("soak")
  .description("Runs Gatehouse under a steady load, and says whether memory, handles, connections or keys grow.")
  .exitOverride()
  .option("--minutes <n>", "how long", positive, 30)
  .option("--seed <n>", "what the devices do; default: another one each time", seedOf)
  .option("--devices <n>", "that live meanwhile", (text: string) => whole(text, MOST_DEVICES), 200)
  .option("--events-per-second <n>", "of all devices together", positive, 100)
  .option("--directory <path>", "for data, logs and the report, empty; default: a temporary one")
  .option("--json", "one JSON object on stdout")
  .addHelpText("after", EXAMPLE)
  .action(async ({ minutes, seed, devices, eventsPerSecond, directory: named, json }: Options) => {
    const directory = await runDirectory(named, "soak");
    const { stop, abandon, code } = stoppedBySignals();
    let saidAt = -SAY_EVERY_MS;
    const result = await soak({
      seed: seed ?? Math.floor(Math.random() * 1_000_000),
      minutes,
      devices,
      eventsPerSecond,
      lookEveryMs: Math.min(LOOK_EVERY_MS, (minutes * 60_000) / FEWEST_LOOKS),
      directory,
      stop,
      abandon,
      progress: note,
      onLook: ({ at, figures }, events) => {
        if (at - saidAt < SAY_EVERY_MS) return;
        saidAt = at;
        const redis = bytes(figures.get("memory") ?? 0);
        note(`${(at / 60_000).toFixed(1)} of ${minutes} minutes: ${count(events)} events, Redis uses ${redis}`);
      },
    });
    if (result.failure !== undefined && result.sightings.length === 0) throw result.failure;
    const report = await writeReport(result, directory);
    if (isBad(report)) note(`Data and logs are in ${directory}.`);
    else await removeData(directory);
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : textOf(report));
    process.exitCode = isBad(report) ? EXIT.failure : code();
  });

// A terminal that was closed takes no more words: the report is written all the same.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error, process.argv.includes("--json"));
}
process.exit();
