/** `gatehouse archive run`: copies what is new in the journals into the archive. */
import type { Command } from "commander";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ArchiveBusyError, ArchiveMovedError } from "../../archive/archive-errors.js";
import type { PublishedCatalogues } from "../../archive/archive-catalogues.js";
import { type ArchivedPartition, archiveJournals } from "../../archive/archive-journals.js";
import type { ArchiveSource } from "../../archive/open-to-write.js";
import { readConfig } from "../../config.js";
import { StoreUnavailableError } from "../../errors.js";
import { interrupted } from "../interrupt.js";
import { JSON_OPTION, longSpan } from "../options.js";
import { progressBar } from "../progress-bar.js";
import { openRunning } from "../redis-access.js";
import { count, duration, note, paintErr, print, printJson } from "../terminal.js";
import { TO_OPTION, archiveDirectory } from "./directory.js";

const EXAMPLE = `
Example:
  $ gatehouse archive --to /var/lib/gatehouse/archive
  $ gatehouse archive run --every 10m

Only what is new is copied; run again after a crash it goes on where that one stopped. One process archives at a time: a
second one ends with 3. From the first run on the journals in Redis are trimmed no further than the archive has them and
its last checkpoint reaches, so archive regularly: with --every under a supervisor, or from a scheduler.
With --every and --json each round prints one line.`;

interface RunOptions {
  readonly to?: string;
  readonly every?: number;
  readonly checkpoint?: true;
  readonly json?: true;
}

export function archiveRunCommand(archive: Command): void {
  archive
    .command("run", { isDefault: true })
    .summary("copy what is new in the journals (what `gatehouse archive` alone does)")
    .description("Copies what is new in every partition's journal into the archive, and takes checkpoints.")
    .option(...TO_OPTION)
    .option("--every <span>", "go on until told to stop, a round every 30s, 10m, 6h …", longSpan)
    .option("--checkpoint", "take a checkpoint of every partition that has changed since its last one")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ to, every, checkpoint: asked, json }: RunOptions) => {
      const checkpoint = asked === true;
      const config = readConfig();
      const directory = resolve(archiveDirectory(to, config));
      const deployment = await openRunning(config);
      const { store, catalogues } = deployment;
      const source = { store, catalogues, prefix: config.prefix };
      const stopping = new AbortController();
      try {
        if (every === undefined) return await round(directory, source, { checkpoint, json: json === true });
        void interrupted().then(() => stopping.abort());
        note(`archiving to ${directory} every ${duration(every)}`);
        while (!stopping.signal.aborted) {
          await patiently(async () =>
            round(directory, source, { checkpoint, json: json === true, signal: stopping.signal }),
          );
          await delay(every, undefined, { signal: stopping.signal }).catch(() => undefined);
        }
      } finally {
        await deployment.close();
      }
    });
}

/** What the next round may find mended does not end the command. */
async function patiently(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const mayPass = [ArchiveBusyError, ArchiveMovedError, StoreUnavailableError].some((kind) => error instanceof kind);
    if (!mayPass) throw error;
    note(`${paintErr(["bold", "yellow"], "this round failed")}  ${(error as Error).message}`);
  }
}

interface RoundOptions {
  readonly checkpoint: boolean;
  readonly json: boolean;
  readonly signal?: AbortSignal;
}

async function round(
  directory: string,
  source: ArchiveSource & { readonly catalogues: PublishedCatalogues },
  { json, ...options }: RoundOptions,
): Promise<void> {
  const bar = progressBar(source.store.deployment.partitionCount, "partitions");
  let partitions: ArchivedPartition[];
  try {
    const { catalogues } = source;
    partitions = await archiveJournals(directory, source, { ...options, catalogues, onProgress: bar.show });
  } finally {
    bar.stop();
  }
  const records = partitions.reduce((sum, partition) => sum + partition.records, 0);
  for (const { partition, fork, gap } of partitions) {
    if (fork !== undefined) {
      note(
        `${paintErr(["bold", "yellow"], "fork")}  partition ${partition}: Redis lost records ${fork.after + 1} to ${fork.last} that were archived, and went on differently. They are kept in ${fork.directory}.`,
      );
    }
    if (gap !== undefined) {
      note(
        `${paintErr(["bold", "yellow"], "gap")}  partition ${partition}: records ${gap.first} to ${gap.last} were trimmed before they were archived.`,
      );
    }
  }
  if (json) printJson({ directory, records, partitions });
  else print(`${directory}: ${count(records)} new records of ${count(partitions.length)} partitions.`);
}
