/** `gatehouse webhooks test`. */
import type { Command } from "commander";
import { EXIT } from "../exit-code.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { print, printJson } from "../terminal.js";
import { answerLines } from "./words.js";
import { actOnWebhooks } from "./with-webhooks.js";

const EXAMPLE = `
Example:
  $ gatehouse webhooks test wh_5f0c2a7be2d04c55

Ends with 1 if the endpoint did not answer 2xx.`;

export function webhooksTestCommand(webhooks: Command): void {
  asAct(webhooks.command("test"))
    .summary("send a signed test event, and print what came back")
    .description(
      "Sends one signed event of the type gatehouse.effect.test, at once and from here, whatever state the endpoint is in.",
    )
    .argument("<endpoint>", "as `gatehouse webhooks list` shows it")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (id: string, { json, ...options }: ActOptions & { readonly json?: true }) => {
      const { url, sent } = await actOnWebhooks(
        options,
        { act: "webhooks.test", about: { endpoint: id } },
        async (store, { tenant }) => {
          const endpoint = await store.get(tenant, id);
          return { url: endpoint.url, sent: await store.test(tenant, id) };
        },
      );
      const { answer } = sent;
      if (answer.why !== undefined) process.exitCode = EXIT.failure;
      if (json)
        return printJson({ endpoint: id, url, webhookId: sent.id, delivered: answer.why === undefined, ...answer });
      for (const line of answerLines(url, answer)) print(line);
    });
}
