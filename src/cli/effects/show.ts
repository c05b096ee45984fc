/** `gatehouse effects show`. */
import type { Command } from "commander";
import { JSON_OPTION, shortId } from "../options.js";
import { columns, instant, note, paintOut, print, printJson } from "../terminal.js";
import { withWebhooks } from "../webhooks/with-webhooks.js";
import { attemptRow, standing } from "./words.js";

const EXAMPLE = `
Example:
  $ gatehouse effects show 12-3405-0-8c41f09a`;

export function effectsShowCommand(effects: Command): void {
  effects
    .command("show")
    .summary("show an effect's deliveries, attempt by attempt")
    .description("Shows how an effect fared at each endpoint: the last 20 attempts with time, status and reason.")
    .argument("<id>", "the effect's id, which is the webhook-id of its deliveries")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (id: string, { json }: { readonly json?: true }) => {
      const deliveries = await withWebhooks(async (store, { tenant }) => store.delivery(tenant, id));
      if (json) return printJson({ effect: id, deliveries });
      const effect = deliveries[0]?.effect;
      if (effect !== undefined) {
        print(
          `${paintOut("bold", effect.type)}  ${effect.kind}, revision ${effect.revision} of ${shortId(effect.session)}`,
        );
        print(`  decided ${instant(effect.at)} UTC`);
      }
      for (const delivery of deliveries) {
        print(`  ${delivery.endpoint}  ${standing(delivery)}`);
        for (const line of columns(delivery.attempts.map(attemptRow))) print(line);
        const omitted = delivery.attemptsMade - delivery.attempts.length;
        if (omitted > 0) note(`  … and ${omitted} attempts before them.`);
      }
    });
}
