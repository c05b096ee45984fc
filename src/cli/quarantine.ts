/** `gatehouse quarantine`: sessions that were set aside, and what becomes of them. */
import type { Command } from "commander";
import { quarantineDropCommand } from "./quarantine/drop.js";
import { quarantineListCommand } from "./quarantine/list.js";
import { quarantineRedriveCommand } from "./quarantine/redrive.js";
import { quarantineShowCommand } from "./quarantine/show.js";

const EXAMPLE = `
Example:
  $ gatehouse quarantine list
  $ gatehouse quarantine show phone-17/adele
  $ gatehouse quarantine redrive --event posture.reported

A session is set aside when one of its events can't be processed: decisions for it are deny, and what is reported of it is
kept. Once the cause is mended, redrive lets it go on as if nothing had happened; drop gives it up.`;

export function quarantineCommand(program: Command): void {
  const quarantine = program
    .command("quarantine")
    .summary("list sessions that were set aside; let them go on, or give them up")
    .description("Sessions that were set aside because an event could not be processed, or that can't be read.")
    .addHelpText("after", EXAMPLE);
  for (const add of [quarantineListCommand, quarantineShowCommand, quarantineRedriveCommand, quarantineDropCommand])
    add(quarantine);
}
