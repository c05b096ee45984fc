/** `gatehouse archive`: the journals, in files. */
import type { Command } from "commander";
import { archiveKeepCommand } from "./archive/keep.js";
import { archiveListCommand } from "./archive/list.js";
import { archivePruneCommand } from "./archive/prune.js";
import { archiveRunCommand } from "./archive/run.js";
import { archiveStopCommand } from "./archive/stop.js";

const EXAMPLE = `
Example:
  $ gatehouse archive --to /var/lib/gatehouse/archive
  $ gatehouse archive list
  $ gatehouse archive prune --older-than 400d

Without a subcommand it archives: \`gatehouse archive run --help\` says how. The directory is that of --to, else of
GATEHOUSE_ARCHIVE_DIR. docs/archive.md says more.`;

export function archiveCommand(program: Command): void {
  const archive = program
    .command("archive")
    .summary("keep journals in files: archive, list, prune, keep, stop")
    .description("Copies the journals into files of a directory, with checkpoints, and looks after them.")
    .addHelpText("after", EXAMPLE);
  const commands = [archiveRunCommand, archiveListCommand, archivePruneCommand, archiveKeepCommand, archiveStopCommand];
  for (const add of commands) add(archive);
}
