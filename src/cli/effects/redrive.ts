/** `gatehouse effects redrive`. */
import type { Command } from "commander";
import type { Redrive } from "../../webhooks/webhooks.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { columns, count, note, print, printJson } from "../terminal.js";
import { actOnWebhooks, withWebhooks } from "../webhooks/with-webhooks.js";

const EXAMPLE = `
Example:
  $ gatehouse effects redrive --endpoint wh_5f0c2a7be2d04c55
  $ gatehouse effects redrive --endpoint wh_5f0c2a7be2d04c55 --yes

Without --yes it says how many deliveries there are, and why they were given up, and changes nothing. Each keeps its
webhook-id, so a receiver that took one already can tell.`;

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
    .option("--dry-run", "count and reasons alone: what happens without --yes, too")
    .option("--yes", "do it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ yes, dryRun, json, by, reason, ...query }: RedriveOptions) => {
      const applies = yes === true && dryRun === undefined;
      const options = { ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) };
      const result = applies
        ? await actOnWebhooks(
            options,
            { act: "effects.redrive", about: query },
            async (store, { tenant }, { touch }) => {
              const redriven = await store.redrive(tenant, query);
              touch({ deliveries: redriven.count });
              return redriven;
            },
          )
        : await withWebhooks(async (store, { tenant }) => store.previewRedrive(tenant, query));
      if (json) return printJson({ redriven: applies, ...result });
      for (const line of lines(result, applies)) print(line);
      if (!applies && result.count > 0) note("Nothing was changed: --yes redrives them.");
    });
}

function lines({ count: n, byReason, byEndpoint, notActive }: Redrive, applies: boolean): string[] {
  const rows = (figures: Readonly<Record<string, number>>): string[] =>
    columns(
      Object.entries(figures)
        .sort(([, one], [, other]) => other - one)
        .map(([name, many]) => [`  ${count(many)}`, name]),
    );
  if (n === 0) return ["No spent delivery matches."];
  return [
    applies ? `${count(n)} deliveries are due again.` : `${count(n)} spent deliveries would be due again.`,
    ...rows(byReason),
    "To",
    ...rows(byEndpoint),
    ...notActive.map((id) => `${id} is not active: they wait there until \`gatehouse webhooks resume ${id}\`.`),
  ];
}
