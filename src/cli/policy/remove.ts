/** `gatehouse policy remove`: takes a policy out of the draft. */
import type { Command } from "commander";
import { findPolicy, storedPolicies, withPolicies } from "../../control/stored-policies.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { note, print, printJson } from "../terminal.js";
import { NOT_IN_FORCE, editDraft } from "./administer.js";

const EXAMPLE = `
Example:
  $ gatehouse policy remove 6f1d2c84

POLICY is an id, the beginning of an id, or a whole name. Versions that were published keep the policy.`;

export function policyRemoveCommand(policy: Command): void {
  asAct(policy.command("remove"))
    .summary("take a policy out of the draft")
    .description("Takes a policy out of the draft. It stays in force until the draft is published.")
    .argument("<policy>")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (named: string, { json, ...options }: ActOptions & { readonly json?: true }) => {
      const { stored } = await editDraft(options, { act: "policy.remove", about: { policy: named } }, (content) => {
        const policies = storedPolicies(content);
        const stored = findPolicy(policies, named);
        return {
          stored,
          content: withPolicies(
            content,
            policies.filter((one) => one !== stored),
          ),
        };
      });
      const { id, name } = stored.policy;
      if (json) return printJson({ removed: id, name });
      print(`${name} (${id}) is removed from the draft.`);
      note(NOT_IN_FORCE);
    });
}
