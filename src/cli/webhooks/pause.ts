/** `gatehouse webhooks pause`. */
import type { Command } from "commander";
import { JSON_OPTION } from "../options.js";
import { print, printJson } from "../terminal.js";
import { operator, withWebhooks } from "./with-webhooks.js";

const EXAMPLE = `
Example:
  $ gatehouse webhooks pause wh_5f0c2a7be2d04c55`;

export function webhooksPauseCommand(webhooks: Command): void {
  webhooks
    .command("pause")
    .summary("send an endpoint nothing for now")
    .description("Sends nothing to the endpoint until it is resumed. Effects wait for it, for as long as it takes.")
    .argument("<id>", "as `gatehouse webhooks list` shows it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (id: string, { json }: { readonly json?: true }) => {
      const endpoint = await withWebhooks(async (store, { tenant }) => store.pause(tenant, id, operator()));
      if (json) printJson(endpoint);
      else print(`${id} is paused: effects wait.`);
    });
}
