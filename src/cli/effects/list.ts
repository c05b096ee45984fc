/** `gatehouse effects list`. */
import { type Command, Option } from "commander";
import { DELIVERY_STATES, type DeliveryState } from "../../effects/delivery.js";
import { JSON_OPTION, shortId, wholeNumber } from "../options.js";
import { note, paintOut, print, printJson } from "../terminal.js";
import { withWebhooks } from "../webhooks/with-webhooks.js";
import { standing } from "./words.js";

const EXAMPLE = `
Example:
  $ gatehouse effects list --state spent --endpoint wh_5f0c2a7be2d04c55

States: waiting (attempts are still to come), delivered (the last 10,000 of each endpoint), spent (given up, with the
reason), dropped (the endpoint was removed while they waited).`;

interface ListOptions {
  readonly state?: DeliveryState;
  readonly endpoint?: string;
  readonly type?: string;
  readonly limit: number;
  readonly json?: true;
}

export function effectsListCommand(effects: Command): void {
  effects
    .command("list")
    .summary("list deliveries")
    .description("Lists deliveries, endpoint by endpoint: what waits by when it is due, the rest newest first.")
    .addOption(new Option("--state <state>").choices(DELIVERY_STATES))
    .option("--endpoint <endpoint>", "of one endpoint; default: of all")
    .option("--type <type>", "of one type of effect")
    .option("--limit <n>", "deliveries at most", wholeNumber(1, 10_000), 20)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ json, ...query }: ListOptions) => {
      const { deliveries, more } = await withWebhooks(async (store, { tenant }) => store.deliveries(tenant, query));
      if (json) return printJson({ deliveries, more });
      for (const delivery of deliveries) {
        const { effect, endpoint } = delivery;
        print(`${paintOut("bold", effect.type)}  ${standing(delivery)}`);
        print(
          paintOut("dim", `  ${effect.id} to ${endpoint}, revision ${effect.revision} of ${shortId(effect.session)}`),
        );
      }
      if (deliveries.length === 0) note("No delivery matches.");
      if (more) note(`… and more: --limit ${query.limit * 5} shows more of them.`);
    });
}
