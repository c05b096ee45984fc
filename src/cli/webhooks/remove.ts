/** `gatehouse webhooks remove`. */
import type { Command } from "commander";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { count, note, print, printJson } from "../terminal.js";
import { actOnWebhooks, operator, withWebhooks } from "./with-webhooks.js";

const EXAMPLE = `
Example:
  $ gatehouse webhooks remove wh_5f0c2a7be2d04c55
  $ gatehouse webhooks remove wh_5f0c2a7be2d04c55 --yes

Without --yes it says what would be dropped, and removes nothing.`;

export function webhooksRemoveCommand(webhooks: Command): void {
  asAct(webhooks.command("remove"))
    .summary("remove an endpoint; what waits for it is dropped")
    .description(
      "Removes an endpoint. What waits for it is dropped, and stays listed for 30 days with who removed it, or until 50 more were.",
    )
    .argument("<endpoint>", "as `gatehouse webhooks list` shows it")
    .option("--yes", "remove it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(
      async (id: string, { yes, json, ...options }: ActOptions & { readonly yes?: true; readonly json?: true }) => {
        if (!yes) {
          const { figures } = await withWebhooks(async (store, { tenant }) => store.get(tenant, id));
          if (json) return printJson({ endpoint: id, removed: false, wouldDrop: figures.waiting });
          print(`Removing ${id} would drop ${count(figures.waiting)} deliveries that wait for it.`);
          return note("Nothing was removed: --yes removes it.");
        }
        const { dropped } = await actOnWebhooks(
          options,
          { act: "webhooks.remove", about: { endpoint: id } },
          async (store, { tenant }, { touch }) => {
            const removed = await store.remove(tenant, id, operator(options));
            touch({ deliveries: removed.dropped });
            return removed;
          },
        );
        if (json) return printJson({ endpoint: id, removed: true, dropped });
        print(`${id} is removed. ${count(dropped)} deliveries were dropped: gatehouse effects list --state dropped`);
      },
    );
}
