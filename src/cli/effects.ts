/** `gatehouse effects`: what became of effects that were to be sent. */
import type { Command } from "commander";
import { effectsListCommand } from "./effects/list.js";
import { effectsRedriveCommand } from "./effects/redrive.js";
import { effectsShowCommand } from "./effects/show.js";

const EXAMPLE = `
Example:
  $ gatehouse effects list --state spent
  $ gatehouse effects show 12-3405-0-8c41f09a
  $ gatehouse effects redrive --endpoint wh_5f0c2a7be2d04c55`;

export function effectsCommand(program: Command): void {
  const effects = program
    .command("effects")
    .summary("list deliveries of effects, and redrive those that were given up")
    .description("The log of deliveries to webhook endpoints: what waits, what arrived, what was given up, and why.")
    .addHelpText("after", EXAMPLE);
  for (const add of [effectsListCommand, effectsShowCommand, effectsRedriveCommand]) add(effects);
}
