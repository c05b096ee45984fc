/** `gatehouse policy`: everything an administrator does with policies. */
import type { Command } from "commander";
import { policyAssignCommand } from "./policy/assign.js";
import { policyDiffCommand } from "./policy/diff.js";
import { policyDiscardCommand } from "./policy/discard.js";
import { policyExplainCommand } from "./policy/explain.js";
import { policyImportCommand } from "./policy/import.js";
import { policyListCommand } from "./policy/list.js";
import { policyPublishCommand } from "./policy/publish.js";
import { policyRemoveCommand } from "./policy/remove.js";
import { policyRollbackCommand } from "./policy/rollback.js";
import { policySettingsCommand } from "./policy/settings.js";
import { policyShowCommand } from "./policy/show.js";
import { policyVersionsCommand } from "./policy/versions.js";

const EXAMPLE = `
Example:
  $ gatehouse policy import samples/policies/finance
  $ gatehouse policy assign "Contoso iPhones and iPads: finance" --group 8c2f0a7e-51d6-4b3c-9e0f-27a4d1b65c38
  $ gatehouse policy publish --dry-run
  $ gatehouse policy publish

Changes are made to a draft, of which a tenant has one. Nothing of it is in force before it is published.`;

export function policyCommand(program: Command): void {
  const policy = program
    .command("policy")
    .summary("import, assign, explain, publish and roll back policies")
    .description("The tenant's policies and settings: a draft that is changed, and numbered versions that are not.")
    .addHelpText("after", EXAMPLE);
  for (const add of [
    policyImportCommand,
    policyListCommand,
    policyShowCommand,
    policyAssignCommand,
    policyRemoveCommand,
    policySettingsCommand,
    policyExplainCommand,
    policyDiffCommand,
    policyPublishCommand,
    policyVersionsCommand,
    policyRollbackCommand,
    policyDiscardCommand,
  ]) {
    add(policy);
  }
}
