/** `gatehouse quarantine list`. */
import type { Command } from "commander";
import { readConfig } from "../../config.js";
import { JSON_OPTION, shortId, wholeNumber } from "../options.js";
import { openToRead } from "../redis-access.js";
import { count, instant, note, paintOut, print, printJson } from "../terminal.js";
import { type FilterOptions, find, reasonLines, withFilter } from "./filter.js";

const EXAMPLE = `
Example:
  $ gatehouse quarantine list
  $ gatehouse quarantine list --why "Cannot read properties" --limit 100

How many there are and why comes first. Kinds: quarantined (an event could not be processed), unreadable (the snapshot is
damaged). Every stored session is looked at.`;

interface ListOptions extends FilterOptions {
  readonly limit: number;
  readonly json?: true;
}

export function quarantineListCommand(quarantine: Command): void {
  withFilter(quarantine.command("list"))
    .summary("count and list sessions that were set aside")
    .description("Counts sessions that were set aside by reason, and lists them.")
    .option("--limit <n>", "sessions at most", wholeNumber(1), 20)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ limit, json, ...filter }: ListOptions) => {
      const config = readConfig();
      const deployment = await openToRead(config);
      try {
        const found = await find(deployment.store, config.tenant, filter);
        const shown = found.slice(0, limit);
        if (json) return printJson({ count: found.length, sessions: shown, more: found.length > limit });
        if (found.length === 0) return note("No session was set aside.");
        print(`${count(found.length)} ${found.length === 1 ? "session was" : "sessions were"} set aside`);
        for (const line of reasonLines(found.map(({ reason }) => reason))) print(line);
        print("");
        for (const { session, partition, kind, at, event } of shown) {
          print(`${paintOut("bold", session === null ? "(nobody knows whose)" : shortId(session))}  ${kind}`);
          const since = at === undefined ? "" : `, since ${instant(at)} UTC`;
          print(paintOut("dim", `  partition ${partition}${event === undefined ? "" : `, at ${event}`}${since}`));
        }
        if (found.length > limit) note(`… and more: --limit ${limit * 5} shows more of them.`);
      } finally {
        await deployment.close();
      }
    });
}
