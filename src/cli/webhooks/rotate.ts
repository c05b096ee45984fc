/** `gatehouse webhooks rotate`. */
import type { Command } from "commander";
import { ROTATION_GRACE_MS } from "../../webhooks/webhooks.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION, span } from "../options.js";
import { duration, note, print, printJson } from "../terminal.js";
import { actOnWebhooks } from "./with-webhooks.js";

const EXAMPLE = `
Example:
  $ gatehouse webhooks rotate wh_5f0c2a7be2d04c55 --grace 48h

During the grace deliveries carry two signatures, so a receiver may check with either secret. With --grace 0s the secret
before ends at once.`;

export function webhooksRotateCommand(webhooks: Command): void {
  asAct(webhooks.command("rotate"))
    .summary("give an endpoint a new secret")
    .description("Makes a new secret and prints it. The one before goes on signing for a while.")
    .argument("<endpoint>", "as `gatehouse webhooks list` shows it")
    .option("--grace <time>", "how long the secret before signs, too", span, ROTATION_GRACE_MS)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(
      async (
        id: string,
        { grace, json, ...options }: ActOptions & { readonly grace: number; readonly json?: true },
      ) => {
        const { endpoint, secret } = await actOnWebhooks(
          options,
          { act: "webhooks.rotate", about: { endpoint: id, graceMs: grace } },
          async (store, { tenant }) => store.rotate(tenant, id, grace),
        );
        if (json) return printJson({ ...endpoint, secret });
        print(secret);
        note(
          grace === 0
            ? "The secret before has ended. Keep this one now: it is not shown again."
            : `The secret before signs, too, for ${duration(grace)}. Keep this one now: it is not shown again.`,
        );
      },
    );
}
