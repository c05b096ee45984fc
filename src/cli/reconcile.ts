/** `gatehouse reconcile`: what failovers lost, and an operator's word that it was seen to. */
import type { Command } from "commander";
import { readConfig } from "../config.js";
import type { LostEvents } from "../store/partition-store.js";
import { reconcilePartition } from "../store/redis/redis-partition-store.js";
import { type ActOptions, asAct, record } from "./act.js";
import { confirmed } from "./confirm.js";
import { JSON_OPTION } from "./options.js";
import { openRunning } from "./redis-access.js";
import { columns, instant, note, print, printJson } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse reconcile
  $ gatehouse reconcile --yes --reason "the sources have sent that hour again"

Lists the partitions that lost accepted events in a failover, and between which times. Until this is run every decision of
theirs is deny, with events.lost. First have those who report events send again what they sent in that time, with the same ids: what is
there already is left alone. Without a terminal it changes nothing until --yes is given.`;

export function reconcileCommand(program: Command): void {
  asAct(program.command("reconcile"))
    .summary("go on after a failover that lost events; first a preview")
    .description("Lets partitions that lost accepted events in a failover decide from what is there.")
    .option("--yes", "do not ask")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ yes, json, ...options }: ActOptions & { readonly yes?: true; readonly json?: true }) => {
      const config = readConfig();
      const { store, redis, close } = await openRunning(config);
      try {
        const surveys = await store.survey(Array.from({ length: store.deployment.partitionCount }, (_, n) => n));
        const found = surveys.flatMap(({ partition, lost }) => (lost === undefined ? [] : [{ partition, ...lost }]));
        if (found.length === 0) {
          if (json) return printJson({ reconciled: false, partitions: [] });
          return note("No partition is known to have lost events.");
        }
        if (!json) for (const line of columns(found.map(row))) print(line);
        if (yes !== true) {
          if (json) return printJson({ reconciled: false, partitions: found });
          if (!process.stdin.isTTY) return note("Nothing was changed: --yes lets them decide from what is there.");
          if (!(await confirmed("let so many partitions decide from what is there", String(found.length))))
            return note("Nothing was changed.");
        }
        await record({ ...config, redis }, options, { act: "reconcile" }, async ({ touch }) => {
          for (const { partition } of found) await reconcilePartition(redis, config.prefix, partition);
          touch({ partitions: found.length });
        });
        if (json) return printJson({ reconciled: true, partitions: found });
        print("They decide from what is there.");
      } finally {
        await close();
      }
    });
}

const row = ({ partition, from, until }: LostEvents & { readonly partition: number }): string[] => [
  `partition ${partition}`,
  from === 0 ? `events accepted until ${instant(until)} UTC` : `events accepted after ${instant(from)} UTC`,
  from === 0 ? "" : `until ${instant(until)} UTC`,
];
