/** `gatehouse policy discard`: the draft becomes what is in force again. */
import type { Command } from "commander";
import { diffContent } from "../../control/diff-content.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { print, printJson } from "../terminal.js";
import { administer, change } from "./administer.js";
import { many } from "./words.js";

const EXAMPLE = `
Example:
  $ gatehouse policy diff
  $ gatehouse policy discard`;

export function policyDiscardCommand(policy: Command): void {
  asAct(policy.command("discard"))
    .summary("throw the changes of the draft away")
    .description("Makes the draft what is in force again. What was changed in it is gone.")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ json, ...options }: ActOptions & { readonly json?: true }) =>
      administer(async (administered) => {
        const {
          deployment: { catalogues },
          tenant,
        } = administered;
        const draft = await catalogues.draft(tenant);
        const { policies, settings } = diffContent(await catalogues.inForce(tenant, draft.current), draft.content);
        await change(administered, options, { act: "policy.discard" }, async ({ touch }) => {
          if (draft.isOpen) await catalogues.saveDraft(tenant, draft, null);
          touch({ policies: policies.length, settings: settings.length });
        });
        if (json) return printJson({ tenant, discarded: { policies: policies.length, settings: settings.length } });
        print(
          policies.length + settings.length === 0
            ? "The draft had no changes."
            : `Gone from the draft: changes to ${many(policies.length, "policy", "policies")} and ${many(settings.length, "setting", "settings")}.`,
        );
      }),
    );
}
