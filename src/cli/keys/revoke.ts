/** `gatehouse keys revoke`. */
import type { Command } from "commander";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { print, printJson } from "../terminal.js";
import { actOnKeys } from "./with-keys.js";

const EXAMPLE = `
Example:
  $ gatehouse keys revoke 9f3c1a7be2d04c55

Within five seconds no request with it is taken any more. Revoking a key again changes nothing.`;

export function keysRevokeCommand(keys: Command): void {
  asAct(keys.command("revoke"))
    .summary("revoke an API key")
    .description("Revokes an API key for good.")
    .argument("<id>", "as `gatehouse keys list` shows it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (id: string, { json, ...options }: ActOptions & { readonly json?: true }) => {
      const { mac: _, ...shown } = await actOnKeys(
        options,
        undefined,
        { act: "keys.revoke", about: { id } },
        async (store, tenant) => store.revoke(tenant, id),
      );
      if (json) return printJson(shown);
      print(`${shown.id} (${shown.name}) is revoked.`);
    });
}
