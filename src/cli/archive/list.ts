/** `gatehouse archive list`: what is in the archive. Needs no Redis. */
import type { Command } from "commander";
import { resolve } from "node:path";
import { type Fork, JournalArchive, type SegmentInfo } from "../../archive/journal-archive.js";
import { ArchiveDamagedError } from "../../archive/archive-errors.js";
import type { CheckpointFile } from "../../archive/archive-layout.js";
import { EXIT } from "../exit-code.js";
import { JSON_OPTION, wholeNumber } from "../options.js";
import { columns, count, counted, instant, note, paintOut, print, printJson, wrapLine } from "../terminal.js";
import { TO_OPTION, archiveDirectory } from "./directory.js";

const EXAMPLE = `
Example:
  $ gatehouse archive list
  $ gatehouse archive list --partition 7 --json

Segments and checkpoints by number of record and by time (UTC), and lost branches (forks). Needs no Redis.`;

interface ListOptions {
  readonly to?: string;
  readonly partition?: number;
  readonly json?: true;
}

export function archiveListCommand(archive: Command): void {
  archive
    .command("list")
    .summary("show segments, checkpoints and forks")
    .description("Shows what is in the archive.")
    .option(...TO_OPTION)
    .option("--partition <n>", "one partition alone", wholeNumber(0))
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ to, partition: only, json }: ListOptions) => {
      const reader = await JournalArchive.open(resolve(archiveDirectory(to)));
      const partitions = (await reader.partitions()).filter((partition) => only === undefined || partition === only);
      const contents: Contents[] = [];
      for (const partition of partitions) contents.push(await contentsOf(reader, partition));
      const damaged = contents.filter(({ damage }) => damage !== undefined).length;
      if (damaged > 0) process.exitCode = EXIT.failure;
      if (json) return printJson({ directory: reader.directory, ...reader.about, partitions: contents });
      for (const { partition, segments, checkpoints, forks, damage } of contents) {
        print(paintOut("bold", `partition ${partition}`));
        for (const line of columns([...segments.map(segmentRow), ...checkpoints.map(checkpointRow)])) print(line);
        for (const fork of forks) print(forkLine(fork));
        if (damage !== undefined)
          for (const line of wrapLine(`  ${paintOut("red", "damaged")}  ${damage}`)) print(line);
      }
      const all = contents.flatMap(({ segments }) => segments);
      const bytes = all.reduce((sum, segment) => sum + segment.bytes, 0);
      note(`${counted(all.length, "segment")}, ${count(bytes)} bytes, of deployment ${reader.about.prefix}.`);
      if (damaged > 0)
        note(`${counted(damaged, "partition")} with a damaged file: put a copy from your backups in its place.`);
    });
}

interface Contents {
  readonly partition: number;
  readonly segments: readonly SegmentInfo[];
  readonly checkpoints: readonly CheckpointFile[];
  readonly forks: readonly Fork[];
  /** Which file is damaged, and how: nothing else is told of the partition. */
  readonly damage?: string;
}

/** A damaged file hides what there is of its own partition, and not of the others. */
async function contentsOf(reader: JournalArchive, partition: number): Promise<Contents> {
  try {
    return {
      partition,
      segments: await reader.segments(partition),
      checkpoints: await reader.checkpoints(partition),
      forks: await reader.forks(partition),
    };
  } catch (error) {
    if (!(error instanceof ArchiveDamagedError)) throw error;
    return { partition, segments: [], checkpoints: [], forks: [], damage: error.message };
  }
}

const times = ({ from, to }: Pick<SegmentInfo, "from" | "to">): string =>
  from === null || to === null ? "all erased" : `${instant(from)} to ${instant(to)}`;

const segmentRow = (segment: SegmentInfo): string[] => [
  "  segment",
  `${segment.first}–${segment.last}`,
  times(segment),
  `${count(segment.bytes)} bytes${segment.tombstones === 0 ? "" : `, ${count(segment.tombstones)} erased`}`,
];

const checkpointRow = ({ seq }: { readonly seq: number }): string[] => ["  checkpoint", String(seq), "", ""];

function forkLine({ directory, after, segments }: Fork): string {
  return `  ${paintOut("yellow", "fork")} after ${after}, lost up to ${segments.at(-1)?.last ?? after}: ${directory}`;
}
