/** `gatehouse archive prune`: removes the oldest of the archive, after a preview. */
import type { Command } from "commander";
import { resolve } from "node:path";
import { pruneArchive } from "../../archive/prune-archive.js";
import { UsageError } from "../failure.js";
import { JSON_OPTION, byteCount, longSpan } from "../options.js";
import { columns, count, instant, note, print, printJson } from "../terminal.js";
import { TO_OPTION, archiveDirectory } from "./directory.js";

const EXAMPLE = `
Example:
  $ gatehouse archive prune --older-than 400d
  $ gatehouse archive prune --older-than 400d --max-bytes 50g --yes

Says what would go, and removes it with --yes. Whole segments go, oldest first, with the checkpoints that nothing is left
behind. What folding anew from a partition's newest checkpoint needs never goes, nor its newest segment. Needs no Redis.`;

interface PruneOptions {
  readonly to?: string;
  readonly olderThan?: number;
  readonly maxBytes?: number;
  readonly yes?: true;
  readonly json?: true;
}

export function archivePruneCommand(archive: Command): void {
  archive
    .command("prune")
    .summary("remove the oldest segments; first a preview")
    .description("Removes segments, checkpoints and forks that are older, or more, than the archive is to keep.")
    .option(...TO_OPTION)
    .option("--older-than <span>", "segments whose newest record is older go: 12h, 400d …", longSpan)
    .option("--max-bytes <n>", "the oldest go until no more than this is left: 500m, 50g …", byteCount)
    .option("--yes", "remove it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ to, olderThan, maxBytes, yes, json }: PruneOptions) => {
      if (olderThan === undefined && maxBytes === undefined)
        throw new UsageError("nothing says what is to go", { fix: "Give --older-than, --max-bytes or both." });
      const directory = resolve(archiveDirectory(to));
      const applied = yes === true;
      const plan = await pruneArchive(directory, { olderThanMs: olderThan, maxBytes }, { applies: applied });
      if (json) return printJson({ directory, applied, ...plan });
      const rows = plan.parts.map(({ partition, what, first, last, to: newest, bytes }) => [
        `  partition ${partition}`,
        `${what} ${first}–${last}`,
        newest === null ? "" : `up to ${instant(newest)}`,
        `${count(bytes)} bytes`,
      ]);
      for (const line of columns(rows)) print(line);
      print(`${applied ? "Removed" : "To remove:"} ${count(plan.freed)} of ${count(plan.bytes)} bytes.`);
      if (!applied && plan.parts.length > 0) note("Nothing was removed: --yes removes it.");
    });
}
