/** `gatehouse webhooks list`. */
import type { Command } from "commander";
import { JSON_OPTION } from "../options.js";
import { count, note, paintOut, print, printJson } from "../terminal.js";
import { stateText } from "./words.js";
import { withWebhooks } from "./with-webhooks.js";

const EXAMPLE = `
Example:
  $ gatehouse webhooks list --removed`;

export function webhooksListCommand(webhooks: Command): void {
  webhooks
    .command("list")
    .summary("list endpoints")
    .description("Lists the tenant's endpoints, the oldest first, with what waits for them.")
    .option("--removed", "those that were removed within 30 days, too, the last 50")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ removed, json }: { readonly removed?: true; readonly json?: true }) => {
      const endpoints = await withWebhooks(async (store, { tenant }) =>
        store.list(tenant, { removed: removed === true }),
      );
      if (json) return printJson({ endpoints });
      for (const endpoint of endpoints) {
        const { waiting, delivered, spent } = endpoint.figures;
        const figures = `${count(waiting)} waiting, ${count(delivered)} delivered, ${count(spent)} spent`;
        print(`${paintOut("bold", endpoint.id)}  ${stateText(endpoint)}  ${figures}`);
        print(`  ${endpoint.url}`);
      }
      if (endpoints.length === 0) note("No endpoints: `gatehouse webhooks add URL` makes one.");
    });
}
