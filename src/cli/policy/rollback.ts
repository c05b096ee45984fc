/** `gatehouse policy rollback`: what was in force earlier is published once more. */
import { type Command, InvalidArgumentError } from "commander";
import type { Act } from "../../audit/audit-log.js";
import { rollback } from "../../control/publish.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { note as say, print, printJson } from "../terminal.js";
import { administer, change } from "./administer.js";
import { noteText } from "./version-note.js";
import { watchWalk } from "./watch-walk.js";

const EXAMPLE = `
Example:
  $ gatehouse policy versions
  $ gatehouse policy rollback 3

A version is never changed: the content of version 3 becomes the next version. The draft stays as it is.`;

interface RollbackOptions extends ActOptions {
  readonly note?: string;
  readonly wait: boolean;
  readonly json?: true;
}

export function policyRollbackCommand(policy: Command): void {
  asAct(policy.command("rollback"))
    .summary("publish an earlier version's content again")
    .description("Publishes the content of an earlier version as the next one.")
    .argument("<version>", "whose content", versionNumber)
    .option("--note <text>", "kept with the new version", noteText)
    .option("--no-wait", "do not watch how the version reaches idle sessions")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (to: number, { note, wait, json, ...options }: RollbackOptions) =>
      administer(async (administered) => {
        const { deployment, tenant } = administered;
        const act: Act = { act: "policy.rollback", about: { to, note } };
        const version = await change(administered, options, act, async ({ know }) => {
          const published = await rollback(deployment, tenant, to, { note });
          know({ version: published });
          return published;
        });
        const { isOpen } = await deployment.catalogues.draft(tenant);
        if (json) printJson({ tenant, version, contentOf: to });
        else print(`Version ${version} of ${tenant} is in force, with the content of version ${to}.`);
        if (isOpen)
          say("The draft was left as it is, and was made from an earlier version: see gatehouse policy diff.");
        if (wait) await watchWalk(deployment.store, tenant, version);
      }),
    );
}

function versionNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Give the number of a version.");
  return Number(text);
}
