/** `gatehouse webhooks show`. */
import type { Command } from "commander";
import { JSON_OPTION } from "../options.js";
import { print, printJson } from "../terminal.js";
import { endpointLines } from "./words.js";
import { withWebhooks } from "./with-webhooks.js";

const EXAMPLE = `
Example:
  $ gatehouse webhooks show wh_5f0c2a7be2d04c55`;

export function webhooksShowCommand(webhooks: Command): void {
  webhooks
    .command("show")
    .summary("show an endpoint")
    .description("Shows an endpoint: its state, what it asks for, and what waits for it.")
    .argument("<endpoint>", "as `gatehouse webhooks list` shows it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (id: string, { json }: { readonly json?: true }) => {
      const endpoint = await withWebhooks(async (store, { tenant }) => store.get(tenant, id));
      if (json) return printJson(endpoint);
      for (const line of endpointLines(endpoint)) print(line);
    });
}
