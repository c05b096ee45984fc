/** `gatehouse webhooks add`. */
import { type Command, Option } from "commander";
import { EFFECTS, type EffectType } from "../../../machines/effects/catalogue.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { note, print, printJson } from "../terminal.js";
import { actOnWebhooks } from "./with-webhooks.js";

const EXAMPLE = `
Example:
  $ gatehouse webhooks add https://hooks.contoso.example/gatehouse
  $ gatehouse webhooks add https://hooks.contoso.example/wipes --type wipe signOut --app azure-mobile

The URL is https on port 443 or 8443, and its name has public addresses alone. With the private instance of \`gatehouse
up\`, http://localhost and any port will do, too. GATEHOUSE_WEBHOOK_ALLOW_PRIVATE allows other ranges of addresses.`;

interface AddOptions extends ActOptions {
  readonly type?: readonly EffectType[];
  readonly kind?: readonly ("state" | "command")[];
  readonly app?: readonly string[];
  readonly description?: string;
  readonly json?: true;
}

export function webhooksAddCommand(webhooks: Command): void {
  asAct(webhooks.command("add"))
    .summary("add an endpoint")
    .description("Adds an endpoint and prints its secret. From then on it is sent the effects that it asks for.")
    .argument("<url>")
    .addOption(
      new Option("--type <type...>", "types of effects; default: all").choices(Object.keys(EFFECTS) as EffectType[]),
    )
    .addOption(new Option("--kind <kind...>", "kinds of effects; default: both").choices(["state", "command"]))
    .option("--app <app...>", "apps of the sessions; default: all")
    .option("--description <text>", "for people")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (url: string, { type, kind, app, description, json, ...acting }: AddOptions) => {
      const { endpoint, secret } = await actOnWebhooks(
        acting,
        { act: "webhooks.create", about: { host: hostOf(url) } },
        async (store, { tenant }, { know }) => {
          const made = await store.create(tenant, {
            url,
            ...(description !== undefined && { description }),
            filter: {
              ...(type && { types: [...new Set(type)] }),
              ...(kind && { kinds: [...new Set(kind)] }),
              ...(app && { apps: [...new Set(app)] }),
            },
          });
          know({ endpoint: made.endpoint.id });
          return made;
        },
      );
      if (json) return printJson({ ...endpoint, secret });
      print(endpoint.id);
      print(secret);
      note("The second line is the secret that deliveries are signed with. Keep it now: it is not shown again.");
      note(`Try it out: gatehouse webhooks test ${endpoint.id}`);
    });
}

/** The rest of a URL may be secret. */
function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "";
}
