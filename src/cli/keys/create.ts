/** `gatehouse keys create`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { TENANT_PATTERN } from "../../ingest/cloud-event.js";
import { EMITTERS, SCOPES, type Scope } from "../../keys/api-key.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION, wholeNumber } from "../options.js";
import { note, print, printJson } from "../terminal.js";
import { actOnKeys } from "./with-keys.js";

const EXAMPLE = `
Example:
  $ gatehouse keys create --name "mail backend" --scope emit --scope decide
  $ gatehouse keys create --name "the app itself" --scope emit --emitter app --expires-in-days 90

Scopes: emit (report events), decide (ask for decisions), operate (look at sessions, redrive), admin (policies, users,
webhooks, keys). None includes another. The key is printed once and can't be had again: only a mark of it is kept.`;

const DAY_MS = 86_400_000;

interface CreateOptions extends ActOptions {
  readonly name: string;
  readonly scope: readonly Scope[];
  readonly emitter?: readonly (typeof EMITTERS)[number][];
  readonly tenant?: string;
  readonly expiresInDays?: number;
  readonly json?: true;
}

export function keysCreateCommand(keys: Command): void {
  asAct(keys.command("create"))
    .summary("create an API key")
    .description("Creates an API key and prints it.")
    .requiredOption("--name <name>", "who has it, for people", nameText)
    .addOption(new Option("--scope <scope...>", "what it may do").choices(SCOPES).makeOptionMandatory())
    .addOption(
      new Option("--emitter <emitter...>", "whose events it may report; default: everybody's").choices(EMITTERS),
    )
    .option("--tenant <tenant>", "whose key it is; default: GATEHOUSE_TENANT", tenantText)
    .option("--expires-in-days <n>", "default: never", wholeNumber(1, 3_650))
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ name, scope, emitter, tenant, expiresInDays, json, ...options }: CreateOptions) => {
      const { record, key } = await actOnKeys(
        options,
        tenant,
        { act: "keys.create", about: { name, scopes: scope, emitters: emitter?.slice(), expiresInDays } },
        async (store, whose, { know }) => {
          const made = await store.create({
            tenant: whose,
            name,
            scopes: [...new Set(scope)],
            ...(emitter && { emitters: [...new Set(emitter)] }),
            expiresAt: expiresInDays === undefined ? null : Date.now() + expiresInDays * DAY_MS,
          });
          know({ id: made.record.id });
          return made;
        },
      );
      const { mac: _, ...shown } = record;
      if (json) return printJson({ ...shown, key });
      print(key);
      note(`For ${record.tenant}: ${record.scopes.join(", ")}. Keep it now: it can't be shown again.`);
    });
}

function nameText(text: string): string {
  const name = text.trim();
  if (name.length < 1 || name.length > 128) throw new InvalidArgumentError("Give 1–128 characters.");
  return name;
}

function tenantText(text: string): string {
  if (!TENANT_PATTERN.test(text)) throw new InvalidArgumentError("Give 1–64 letters, digits, `_` or `-`.");
  return text;
}
