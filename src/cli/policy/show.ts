/** `gatehouse policy show`: one policy's document. */
import type { Command } from "commander";
import { findPolicy, storedPolicies } from "../../control/stored-policies.js";
import { JSON_OPTION } from "../options.js";
import { note, paintErr, print, printJson } from "../terminal.js";
import { lookAt } from "./administer.js";
import { audienceWords, kindWords } from "./words.js";

const EXAMPLE = `
Example:
  $ gatehouse policy show 6f1d2c84 > policy.json

POLICY is an id, the beginning of an id, or a whole name.`;

export function policyShowCommand(policy: Command): void {
  policy
    .command("show")
    .summary("print a policy's document")
    .description("Prints a policy of the draft: the document as it came, with the assignments that were made here.")
    .argument("<policy>")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (named: string, { json }: { readonly json?: true }) =>
      lookAt(async ({ deployment: { catalogues }, tenant }) => {
        const stored = findPolicy(storedPolicies((await catalogues.draft(tenant)).content), named);
        if (json) return printJson(stored.document);
        note(`${paintErr("bold", stored.policy.name)}  ${kindWords(stored)}, for ${audienceWords(stored)}`);
        print(JSON.stringify(stored.document, undefined, 2));
      }),
    );
}
