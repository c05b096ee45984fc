/** `gatehouse policy assign`: whom a policy of the draft is for. */
import { type Command, InvalidArgumentError } from "commander";
import type { Act } from "../../audit/audit-log.js";
import { assignPolicy } from "../../control/assign.js";
import { findPolicy, storedPolicies, withPolicies } from "../../control/stored-policies.js";
import { UsageError } from "../failure.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { note, print, printJson } from "../terminal.js";
import { NOT_IN_FORCE, editDraft } from "./administer.js";
import { audienceWords } from "./words.js";

const EXAMPLE = `
Example:
  $ gatehouse policy assign 6f1d2c84 --group 8c2f0a7e-51d6-4b3c-9e0f-27a4d1b65c38 --exclude 0b7e4f12-6a3d-4c58-8f91-d2e5a6037bc4

POLICY is an id, the beginning of an id, or a whole name. An excluded group always wins. What is named replaces the
assignments that the policy has, unless --add is given.`;

interface AssignOptions extends ActOptions {
  readonly group?: readonly string[];
  readonly exclude?: readonly string[];
  readonly allUsers?: true;
  readonly none?: true;
  readonly add?: true;
  readonly json?: true;
}

export function policyAssignCommand(policy: Command): void {
  asAct(policy.command("assign"))
    .summary("say whom a policy is for")
    .description("Assigns an app protection policy of the draft.")
    .argument("<policy>")
    .option("--group <id...>", "groups whose members it covers", groupId)
    .option("--exclude <id...>", "groups whose members it does not cover", groupId)
    .option("--all-users", "every licensed user")
    .option("--none", "nobody")
    .option("--add", "beside the assignments that it has")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (named: string, options: AssignOptions) => {
      const { group = [], exclude = [], allUsers = false, none = false, add = false, json } = options;
      checkTargets(options);
      const targets = { everyone: allUsers, groups: group, excluded: exclude };
      const act: Act = {
        act: "policy.assign",
        about: { policy: named, groups: group.slice(), exclude: exclude.slice(), everyone: allUsers, add },
      };
      const { stored, diff } = await editDraft(options, act, (content) => {
        const policies = storedPolicies(content);
        const found = findPolicy(policies, named);
        const stored = assignPolicy(found, targets, add);
        return {
          stored,
          content: withPolicies(
            content,
            policies.map((one) => (one === found ? stored : one)),
          ),
        };
      });
      const { id, name, targeting } = stored.policy;
      if (json) return printJson({ policy: id, name, targeting, changed: diff.policies.length > 0 });
      print(`${name}: for ${audienceWords(stored)}.`);
      const reachesNobody = !none && !targeting.everyone && targeting.includedGroups.length === 0;
      if (reachesNobody) note("It excludes and includes nobody, so it covers nobody: add --group or --all-users.");
      note(diff.policies.length > 0 ? NOT_IN_FORCE : "That is what the draft said already.");
    });
}

function groupId(text: string, earlier: readonly string[] = []): readonly string[] {
  if (!/^[A-Za-z0-9_.-]{1,128}$/.test(text)) {
    throw new InvalidArgumentError("Give the id of a group: letters, digits, `.`, `_` and `-`, up to 128.");
  }
  return [...earlier, text];
}

/** @throws UsageError */
function checkTargets({ group = [], exclude = [], allUsers, none, add }: AssignOptions): void {
  const isNamed = group.length > 0 || exclude.length > 0 || allUsers === true;
  if (!isNamed && none !== true) {
    throw new UsageError("no target is named", {
      fix: "Name at least one: --group ID, --exclude ID, --all-users, or --none for nobody.",
    });
  }
  if (none === true && (isNamed || add === true)) {
    throw new UsageError("--none goes with no other target", { fix: "Leave --none out, or everything else." });
  }
}
