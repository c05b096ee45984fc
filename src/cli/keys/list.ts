/** `gatehouse keys list`. */
import type { Command } from "commander";
import type { ApiKeyRecord } from "../../keys/api-key.js";
import { JSON_OPTION } from "../options.js";
import { columns, instant, note, paintOut, print, printJson } from "../terminal.js";
import { withKeys } from "./with-keys.js";

const EXAMPLE = `
Example:
  $ gatehouse keys list --json`;

export function keysListCommand(keys: Command): void {
  keys
    .command("list")
    .summary("list API keys")
    .description("Lists the tenant's API keys, the oldest first. Their secrets are not kept, so they are not shown.")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ json }: { readonly json?: true }) => {
      const records = await withKeys(async (store, { tenant }) => store.list(tenant));
      if (json) return printJson({ keys: records.map(({ mac: _, ...shown }) => shown) });
      const now = Date.now();
      for (const line of columns(
        records.map((record) => [
          record.id,
          standing(record, now),
          record.scopes.join(","),
          instant(record.createdAt).slice(0, 10),
          record.name,
        ]),
      ))
        print(line);
      if (records.length === 0) note("No API keys: `gatehouse keys create` makes one.");
    });
}

function standing({ revokedAt, expiresAt }: ApiKeyRecord, now: number): string {
  if (revokedAt !== null) return paintOut("red", "revoked");
  if (expiresAt === null) return paintOut("green", "valid");
  return expiresAt <= now ? paintOut("red", "expired") : paintOut("green", `until ${instant(expiresAt).slice(0, 10)}`);
}
