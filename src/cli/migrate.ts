/** `gatehouse migrate`: whether every session lands in a version of the machine, and bringing the idle ones there. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { MACHINE_VERSION } from "../../machines/session/chart.js";
import { readConfig } from "../config.js";
import { type Landed, THIS_RELEASE, landSessions, mergeLanded } from "../migrate/land-sessions.js";
import { migratePartition } from "../migrate/migrate-partition.js";
import { loadMachine } from "../replay/load-machine.js";
import { type ActOptions, asAct, record } from "./act.js";
import { EXIT } from "./exit-code.js";
import { UsageError } from "./failure.js";
import { JSON_OPTION, shortId } from "./options.js";
import { progressBar } from "./progress-bar.js";
import { openRunning, openToRead } from "./redis-access.js";
import { columns, count, note, paintOut, print, printJson, wrapLine } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse migrate --dry-run
  $ gatehouse migrate --dry-run --machine ./next-chart.mjs
  $ gatehouse migrate --yes

--dry-run brings every stored session to this release's machine version, or into another chart, folds it on to now, and lists
what would not land (exit code 5). Nothing is written. Without it, sessions that an earlier release wrote are written as this
one has them; workers may go on. A session that is touched is brought here by itself: this is for the idle ones.`;

interface MigrateOptions extends ActOptions {
  readonly dryRun?: boolean;
  readonly machine?: string;
  readonly yes?: boolean;
  readonly json?: true;
}

export function migrateCommand(program: Command): void {
  asAct(program.command("migrate"))
    .summary("bring stored sessions to this release's machine version; first a dry run")
    .description(
      "Says whether every stored session lands in this release's chart, or in another; and brings them there.",
    )
    .option("--dry-run", "only say what would not land")
    .option("--machine <module>", "another chart: a module whose default export is an XState machine")
    .option("--yes", "do it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(migrate);
}

async function migrate({ dryRun = false, machine, yes = false, json, ...options }: MigrateOptions): Promise<void> {
  if (machine !== undefined && !dryRun) {
    throw new UsageError("--machine asks what would land in a chart that is no release's", { fix: "Add --dry-run." });
  }
  const config = readConfig();
  const landing = machine === undefined ? THIS_RELEASE : await loadMachine(resolve(machine));
  const deployment = dryRun ? await openToRead(config) : await openRunning(config);
  const { partitionCount } = deployment.store.deployment;
  const bar = progressBar(partitionCount, "partitions");
  try {
    const all: Landed[] = [];
    for (let partition = 0; partition < partitionCount; partition++) {
      all.push(await landSessions(deployment, partition, landing));
      bar.show(partition + 1);
    }
    bar.stop();
    const landed = mergeLanded(all);
    const older = Object.entries(landed.versions).reduce((n, [v, of]) => (Number(v) < MACHINE_VERSION ? n + of : n), 0);
    const isApplied = !dryRun && yes && older > 0;
    let written = 0;
    if (isApplied) {
      const about = { version: MACHINE_VERSION };
      await record({ ...config, redis: deployment.redis }, options, { act: "migrate", about }, async ({ touch }) => {
        for (let partition = 0; partition < partitionCount; partition++) {
          written += await migratePartition(deployment.store, partition);
          touch({ sessions: written });
        }
      });
    }
    const version = landing.machine.version;
    if (json) printJson({ version, ...landed, applied: isApplied, written });
    else {
      for (const line of page(landed, machine, version)) print(line);
      if (isApplied) print(`${count(written)} sessions were written as machine version ${version}.`);
      else if (!dryRun && older > 0) note("Nothing was written: --yes does it.");
    }
    if (landed.notLandedCount > 0) process.exitCode = EXIT.diverged;
  } finally {
    bar.stop();
    await deployment.close();
  }
}

const MOST_SHOWN = 10;

function page({ versions, notLanded, notLandedCount }: Landed, machine: string | undefined, version: number): string[] {
  const counts = Object.entries(versions);
  const sessions = counts.reduce((sum, [, n]) => sum + n, 0);
  const where = machine === undefined ? `machine version ${version}, this release's` : `the chart of ${machine}`;
  const head =
    notLandedCount === 0
      ? paintOut("green", `All of ${count(sessions)} sessions land in ${where}.`)
      : paintOut(
          ["bold", "red"],
          `${count(notLandedCount)} of ${count(sessions)} sessions would not land in ${where}.`,
        );
  return [
    ...wrapLine(head),
    ...columns(counts.map(([of, n]) => [`  written by version ${of}`, count(n)])),
    ...notLanded.slice(0, MOST_SHOWN).flatMap(({ session, why }) => wrapLine(`  ${shortId(session)}  ${why}`, 4)),
    ...(notLandedCount > MOST_SHOWN
      ? [`  … and ${count(notLandedCount - MOST_SHOWN)} more; --json names more of them.`]
      : []),
  ];
}
