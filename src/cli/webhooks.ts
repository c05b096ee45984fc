/** `gatehouse webhooks`: where effects are sent. */
import type { Command } from "commander";
import { webhooksAddCommand } from "./webhooks/add.js";
import { webhooksListCommand } from "./webhooks/list.js";
import { webhooksPauseCommand } from "./webhooks/pause.js";
import { webhooksRemoveCommand } from "./webhooks/remove.js";
import { webhooksResumeCommand } from "./webhooks/resume.js";
import { webhooksRotateCommand } from "./webhooks/rotate.js";
import { webhooksShowCommand } from "./webhooks/show.js";
import { webhooksTestCommand } from "./webhooks/test.js";

const EXAMPLE = `
Example:
  $ gatehouse webhooks add https://hooks.contoso.example/gatehouse --kind command
  $ gatehouse webhooks test wh_5f0c2a7be2d04c55
  $ gatehouse webhooks list

Effects are sent as signed CloudEvents (Standard Webhooks) until the endpoint answers 2xx or the schedule of 11 attempts
over two days is spent. docs/webhooks.md says more.`;

export function webhooksCommand(program: Command): void {
  const webhooks = program
    .command("webhooks")
    .summary("add, test, pause and remove webhook endpoints")
    .description("The tenant's webhook endpoints: where effects are sent, and which of them.")
    .addHelpText("after", EXAMPLE);
  for (const add of [
    webhooksAddCommand,
    webhooksListCommand,
    webhooksShowCommand,
    webhooksTestCommand,
    webhooksRotateCommand,
    webhooksPauseCommand,
    webhooksResumeCommand,
    webhooksRemoveCommand,
  ]) {
    add(webhooks);
  }
}
