/** `gatehouse archive keep`: how much of the journals stays in Redis. */
import type { Command } from "commander";
import { readConfig } from "../../config.js";
import { changeJournalLimits } from "../../store/redis/redis-partition-store.js";
import { type ActOptions, asAct, record } from "../act.js";
import { JSON_OPTION, byteCount, longSpan } from "../options.js";
import { openRunning } from "../redis-access.js";
import { count, duration, note, print, printJson } from "../terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse archive keep
  $ gatehouse archive keep --max-age 30d --max-bytes 64m

Of each partition's journal. Without options it says how it is. Workers take it up when they start; each commit then trims
what is beyond either limit, but of a deployment that archives only what is in the archive and behind its last checkpoint.`;

interface KeepOptions {
  readonly maxAge?: number;
  readonly maxBytes?: number;
  readonly json?: true;
}

export function archiveKeepCommand(archive: Command): void {
  asAct(archive.command("keep"))
    .summary("show or set how much of the journals stays in Redis")
    .description("Shows or sets up to which size and age each partition's journal is kept in Redis.")
    .option("--max-age <span>", "older records are trimmed: 12h, 30d …; `any`: of any age", (text: string) =>
      text === "any" ? 0 : longSpan(text),
    )
    .option("--max-bytes <n>", "what is more is trimmed, oldest first: 16m, 1g …", byteCount)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ maxAge, maxBytes, json, ...options }: KeepOptions & ActOptions) => {
      const config = readConfig();
      const deployment = await openRunning(config);
      try {
        const isChange = maxAge !== undefined || maxBytes !== undefined;
        const asked = { journalMaxAgeMs: maxAge, journalMaxBytes: maxBytes };
        const { journalMaxAgeMs, journalMaxBytes } = isChange
          ? await record(
              { ...config, redis: deployment.redis },
              options,
              { act: "archive.keep", about: asked },
              async () => changeJournalLimits(deployment.redis, config.prefix, asked),
            )
          : deployment.store.deployment;
        if (json) return printJson({ applied: isChange, journalMaxAgeMs, journalMaxBytes });
        const age = journalMaxAgeMs === 0 ? "of any age" : `not older than ${duration(journalMaxAgeMs)}`;
        print(`Each partition's journal is kept up to ${count(journalMaxBytes)} bytes, ${age}.`);
        if (isChange) note("Workers take it up when they start again.");
      } finally {
        await deployment.close();
      }
    });
}
