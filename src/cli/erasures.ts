/** `gatehouse erasures`: which erasures were made. */
import type { Command } from "commander";
import { readConfig } from "../config.js";
import { readErasures } from "../erase/erasure-log.js";
import { JSON_OPTION } from "./options.js";
import { openRunning } from "./redis-access.js";
import { columns, count, instant, note, print, printJson } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse erasures

Newest first. Who was erased is not kept; --json shows the keyed hash by which those who hold the deployment's secret can
check it.`;

export function erasuresCommand(program: Command): void {
  program
    .command("erasures")
    .summary("list the erasures that were made")
    .description("Lists the erasures that were made: when, by whom, and how much went.")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ json }: { readonly json?: true }) => {
      const config = readConfig();
      const deployment = await openRunning(config);
      try {
        const erasures = await readErasures(deployment.redis, config.prefix, config.tenant);
        if (json) return printJson({ erasures });
        if (erasures.length === 0) note("Nobody was erased.");
        const rows = erasures.map(({ at, by, what, erased, despiteWipe }) => [
          instant(at),
          `by ${by}`,
          what === "person" ? "a person" : "a person's device",
          `${count(erased["sessions"] ?? 0)} sessions, ${count(erased["records"] ?? 0)} records`,
          despiteWipe ? "although a wipe was pending" : "",
        ]);
        for (const line of columns(rows)) print(line);
      } finally {
        await deployment.close();
      }
    });
}
