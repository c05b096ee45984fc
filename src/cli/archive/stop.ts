/** `gatehouse archive stop`: journals are trimmed again as if there were no archive. */
import type { Command } from "commander";
import { readConfig } from "../../config.js";
import { type ActOptions, asAct, record } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { openRunning } from "../redis-access.js";
import { count, note, print, printJson } from "../terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse archive stop --yes

For a deployment that is not to archive any more: its journals are held back by the archive until then. The files stay.
Archiving again takes it back; what was trimmed in between is then missing in the archive, and it says so.`;

export function archiveStopCommand(archive: Command): void {
  asAct(archive.command("stop"))
    .summary("let journals be trimmed without being archived")
    .description("Forgets that this deployment archives: its journals are trimmed by size and age alone again.")
    .option("--yes", "do it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ yes, json, ...options }: ActOptions & { readonly yes?: true; readonly json?: true }) => {
      const config = readConfig();
      const deployment = await openRunning(config);
      try {
        const { store } = deployment;
        const surveys = await store.survey(
          Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition),
        );
        const archiving = surveys.filter((survey) => survey.archive !== null);
        const behind = archiving.reduce((sum, { seq, archive: upTo }) => sum + seq - (upTo?.seq ?? 0), 0);
        if (yes === true) {
          await record({ ...config, redis: deployment.redis }, options, { act: "archive.stop" }, async ({ touch }) => {
            for (const { partition } of archiving) await store.noteArchived(partition, null);
            touch({ partitions: archiving.length });
          });
        }
        if (json) return printJson({ applied: yes === true, partitions: archiving.length, notArchived: behind });
        if (archiving.length === 0) return note("This deployment does not archive.");
        print(`${count(archiving.length)} partitions archive; ${count(behind)} of their records are not archived yet.`);
        if (yes !== true) note("Nothing was changed: --yes lets them be trimmed.");
      } finally {
        await deployment.close();
      }
    });
}
