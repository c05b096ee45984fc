/** `gatehouse webhooks pause`. */
import type { Command } from "commander";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { print, printJson } from "../terminal.js";
import { actOnWebhooks, operator } from "./with-webhooks.js";

const EXAMPLE = `
Example:
  $ gatehouse webhooks pause wh_5f0c2a7be2d04c55`;

export function webhooksPauseCommand(webhooks: Command): void {
  asAct(webhooks.command("pause"))
    .summary("send an endpoint nothing for now")
    .description("Sends nothing to the endpoint until it is resumed. Effects wait for it, for as long as it takes.")
    .argument("<endpoint>", "as `gatehouse webhooks list` shows it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (id: string, { json, ...options }: ActOptions & { readonly json?: true }) => {
      const endpoint = await actOnWebhooks(
        options,
        { act: "webhooks.pause", about: { endpoint: id } },
        async (store, { tenant }) => store.pause(tenant, id, operator(options)),
      );
      if (json) printJson(endpoint);
      else print(`${id} is paused: effects wait.`);
    });
}
