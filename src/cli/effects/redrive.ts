/** `gatehouse effects redrive`. */
import type { Command } from "commander";
import type { Redrive } from "../../webhooks/webhooks.js";
import { type ActOptions, asAct } from "../act.js";
import { confirmed } from "../confirm.js";
import { JSON_OPTION } from "../options.js";
import { columns, count, counted, note, print, printJson } from "../terminal.js";
import { actOnWebhooks, withWebhooks } from "../webhooks/with-webhooks.js";

const EXAMPLE = `
Example:
  $ gatehouse effects redrive --endpoint wh_5f0c2a7be2d04c55
  $ gatehouse effects redrive --endpoint wh_5f0c2a7be2d04c55 --yes

Says first how many deliveries there are and why they were given up, and asks; without a terminal it asks nothing and
changes nothing until --yes is given. Each keeps its webhook-id, so a receiver that took one already can tell. Run again
after an interruption it goes on with those that are left.`;

interface RedriveOptions extends ActOptions {
  readonly endpoint?: string;
  readonly type?: string;
  readonly id?: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

export function effectsRedriveCommand(effects: Command): void {
  asAct(effects.command("redrive"))
    .summary("try again what was given up; first a preview")
    .description("Makes spent deliveries due again, their schedule from the beginning.")
    .option("--endpoint <endpoint>", "to one endpoint; default: to all")
    .option("--type <type>", "of one type of effect")
    .option("--id <id>", "of one effect")
    .option("--dry-run", "count and reasons alone")
    .option("--yes", "do not ask")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ yes, dryRun, json, by, reason, ...query }: RedriveOptions) => {
      const preview = await withWebhooks(async (store, { tenant }) => store.previewRedrive(tenant, query));
      if (!json) for (const line of previewLines(preview)) print(line);
      if (preview.count === 0 || yes !== true || dryRun === true) {
        if (json) return printJson({ redriven: false, ...preview });
        if (preview.count === 0) return;
        if (dryRun === true || !process.stdin.isTTY) return note("Nothing was changed: --yes redrives them.");
        if (!(await confirmed("redrive so many deliveries", String(preview.count))))
          return note("Nothing was changed.");
      }
      const options = { ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) };
      const result = await actOnWebhooks(
        options,
        { act: "effects.redrive", about: query },
        async (store, { tenant }, { touch }) => {
          const redriven = await store.redrive(tenant, query);
          touch({ deliveries: redriven.count });
          return redriven;
        },
      );
      if (json) return printJson({ redriven: true, ...result });
      print(`${counted(result.count, "delivery is", "deliveries are")} due again.`);
    });
}

function previewLines({ count: n, byReason, byEndpoint, notActive }: Redrive): string[] {
  const rows = (figures: Readonly<Record<string, number>>): string[] =>
    columns(
      Object.entries(figures)
        .sort(([, one], [, other]) => other - one)
        .map(([name, many]) => [`  ${count(many)}`, name]),
    );
  if (n === 0) return ["No spent delivery matches."];
  return [
    `${counted(n, "spent delivery", "spent deliveries")} would be due again.`,
    ...rows(byReason),
    "To",
    ...rows(byEndpoint),
    ...notActive.map((id) => `${id} is not active: they wait there until \`gatehouse webhooks resume ${id}\`.`),
  ];
}
