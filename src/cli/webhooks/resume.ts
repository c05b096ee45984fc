/** `gatehouse webhooks resume`. */
import type { Command } from "commander";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { count, print, printJson } from "../terminal.js";
import { actOnWebhooks } from "./with-webhooks.js";

const EXAMPLE = `
Example:
  $ gatehouse webhooks resume wh_5f0c2a7be2d04c55

What was spent while the endpoint was disabled is sent after \`gatehouse effects redrive\`.`;

export function webhooksResumeCommand(webhooks: Command): void {
  asAct(webhooks.command("resume"))
    .summary("send to an endpoint again that was paused or disabled")
    .description("Sends to the endpoint again. Everything that waits for it is due at once.")
    .argument("<endpoint>", "as `gatehouse webhooks list` shows it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (id: string, { json, ...options }: ActOptions & { readonly json?: true }) => {
      const endpoint = await actOnWebhooks(
        options,
        { act: "webhooks.resume", about: { endpoint: id } },
        async (store, { tenant }) => {
          await store.resume(tenant, id);
          return store.get(tenant, id);
        },
      );
      if (json) printJson(endpoint);
      else print(`${id} is active: ${count(endpoint.figures.waiting)} deliveries are due.`);
    });
}
