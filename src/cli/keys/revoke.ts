/** `gatehouse keys revoke`. */
import type { Command } from "commander";
import { JSON_OPTION } from "../options.js";
import { print, printJson } from "../terminal.js";
import { withKeys } from "./with-keys.js";

const EXAMPLE = `
Example:
  $ gatehouse keys revoke 9f3c1a7be2d04c55

Within five seconds no request with it is taken any more. Revoking a key again changes nothing.`;

export function keysRevokeCommand(keys: Command): void {
  keys
    .command("revoke")
    .summary("revoke an API key")
    .description("Revokes an API key for good.")
    .argument("<id>", "as `gatehouse keys list` shows it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (id: string, { json }: { readonly json?: true }) => {
      const { mac: _, ...shown } = await withKeys(async (store, { tenant }) => store.revoke(tenant, id));
      if (json) return printJson(shown);
      print(`${shown.id} (${shown.name}) is revoked.`);
    });
}
