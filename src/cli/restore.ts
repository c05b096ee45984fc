/** `gatehouse restore`: a backup, put where nothing is. */
import type { Command } from "commander";
import type { Act } from "../audit/audit-log.js";
import { checkBackup, restoreBackup } from "../backup/restore-backup.js";
import { type Config, readConfig } from "../config.js";
import type { RedisTarget } from "../redis/address.js";
import { connectStore } from "../redis/connection.js";
import { startPrivateRedis } from "../redis/private-server.js";
import { type ActOptions, asAct, record } from "./act.js";
import { JSON_OPTION } from "./options.js";
import { progressBar } from "./progress-bar.js";
import { count, instant, note, print, printJson } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse restore gatehouse-2026-03-02.backup

Into the Redis of REDIS_URL (or REDIS_CLUSTER, REDIS_SENTINEL), else into a new private one in GATEHOUSE_DIRECTORY; there must be nothing under the prefix.
Checks the file before it writes, and every journal before it says that it is done. Start workers and the API afterwards.
Time goes back to the backup: send again what happened since, with the same ids.`;

export function restoreCommand(program: Command): void {
  asAct(program.command("restore"))
    .summary("put a backup where nothing is")
    .description("Restores FILE into an empty deployment.")
    .argument("<file>", "as `gatehouse backup` wrote it")
    .option("--check", "check the file alone; needs no Redis")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(
      async (
        file: string,
        { check, json, ...options }: ActOptions & { readonly check?: true; readonly json?: true },
      ) => {
        const config = readConfig();
        const summary = await checkBackup(file);
        const { head, keys } = summary;
        const about = { file, keys, madeAt: head.startedAt, partitions: head.deployment.partitionCount };
        if (check) {
          if (json) return printJson({ ...about, prefix: head.prefix, restored: false });
          return print(
            `${file} is whole: ${count(keys)} keys, of ${instant(head.startedAt)} UTC, prefix ${head.prefix}.`,
          );
        }
        if (head.prefix !== config.prefix)
          note(
            `The backup is of the prefix ${head.prefix}, and goes to ${config.prefix}: effects get other ids there.`,
          );
        const target = await targetOf(config);
        try {
          const redis = await connectStore(target.redis);
          const bar = progressBar(keys, "keys");
          let done = 0;
          try {
            await restoreBackup(redis, config.prefix, file, summary, () => bar.show(++done));
            // Into an empty deployment nothing could be written before.
            const act: Act = { act: "restore", about: { madeAt: instant(head.startedAt) } };
            await record({ ...config, redis }, options, act, async ({ touch }) => touch({ keys }));
          } finally {
            bar.stop();
            redis.disconnect();
          }
        } finally {
          await target.stop();
        }
        if (json) return printJson({ ...about, prefix: config.prefix, restored: true });
        print(`Restored ${count(keys)} keys, as they were at ${instant(head.startedAt)} UTC. Every journal verifies.`);
        note("Send again what happened since, with the same ids: what is known already does no harm.");
      },
    );
}

async function targetOf({ redis, directory }: Config): Promise<{ readonly redis: RedisTarget; stop(): Promise<void> }> {
  if (redis !== undefined) return { redis, stop: async () => undefined };
  const own = await startPrivateRedis({ directory, log: note });
  return { redis: own.url, stop: () => own.stop() };
}
