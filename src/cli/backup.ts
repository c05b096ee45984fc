/** `gatehouse backup`: a copy of the running deployment, in one file. */
import type { Command } from "commander";
import { stat } from "node:fs/promises";
import { writeBackup } from "../backup/backup-file.js";
import { type BackupProgress, backupLines } from "../backup/create-backup.js";
import { readConfig } from "../config.js";
import { JSON_OPTION } from "./options.js";
import { progressBar } from "./progress-bar.js";
import { openRunning } from "./redis-access.js";
import { count, print, printJson } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse backup gatehouse-2026-03-02.backup

Work goes on meanwhile: each partition is copied as it is at one moment. The file holds all that is known of everybody, so
only you may read it. The secret key is not in it: keep GATEHOUSE_SECRET_KEY, or the private instance's secret.key, apart.`;

export function backupCommand(program: Command): void {
  program
    .command("backup")
    .summary("copy the running deployment into a file")
    .description("Copies everything under the deployment's prefix, but the queues, into FILE.")
    .argument("<file>", "must not exist")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (file: string, { json }: { readonly json?: true }) => {
      const { prefix } = readConfig();
      const deployment = await openRunning(readConfig());
      const { partitionCount } = deployment.store.deployment;
      const bar = progressBar(partitionCount, "partitions");
      try {
        let done: BackupProgress = { partitions: 0, keys: 0 };
        const lines = backupLines({ ...deployment, prefix }, (progress) => {
          done = progress;
          bar.show(progress.partitions);
        });
        await writeBackup(file, lines);
        bar.stop();
        const { size } = await stat(file);
        if (json) printJson({ file, prefix, bytes: size, ...done });
        else {
          print(`${file}: ${count(done.keys)} keys, ${count(partitionCount)} partitions, ${count(size)} bytes.`);
        }
      } finally {
        bar.stop();
        await deployment.close();
      }
    });
}
