/** `gatehouse keys`: API keys of a tenant. */
import type { Command } from "commander";
import { keysCreateCommand } from "./keys/create.js";
import { keysListCommand } from "./keys/list.js";
import { keysRevokeCommand } from "./keys/revoke.js";

const EXAMPLE = `
Example:
  $ gatehouse keys create --name "mail backend" --scope emit --scope decide
  $ gatehouse keys list
  $ gatehouse keys revoke 9f3c1a7be2d04c55`;

export function keysCommand(program: Command): void {
  const keys = program
    .command("keys")
    .summary("create, list and revoke API keys")
    .description("API keys: each belongs to one tenant, and may do what its scopes say.")
    .addHelpText("after", EXAMPLE);
  keysCreateCommand(keys);
  keysListCommand(keys);
  keysRevokeCommand(keys);
}
