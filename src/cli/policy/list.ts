/** `gatehouse policy list`: the policies of the draft beside those in force. */
import type { Command } from "commander";
import { diffContent } from "../../control/diff-content.js";
import { type StoredPolicy, storedPolicies } from "../../control/stored-policies.js";
import { JSON_OPTION } from "../options.js";
import { note, paintOut, print, printJson, wrapLine } from "../terminal.js";
import { lookAt, noteOutdated } from "./administer.js";
import { audienceWords, kindWords, many, stateWords } from "./words.js";

const EXAMPLE = `
Example:
  $ gatehouse policy list`;

export function policyListCommand(policy: Command): void {
  policy
    .command("list")
    .summary("list the policies of the draft, and what is changed in it")
    .description("Lists the policies of the draft, and says what of it is not in force.")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ json }: { readonly json?: true }) =>
      lookAt(async ({ deployment: { catalogues }, tenant }) => {
        const draft = await catalogues.draft(tenant);
        const inForce = await catalogues.inForce(tenant, draft.current);
        const diff = diffContent(inForce, draft.content);
        const changes = new Map(diff.policies.map(({ kind, id, change }) => [`${kind}/${id}`, change]));
        const rows = [...storedPolicies(draft.content), ...removed(inForce, changes)].map((stored) => ({
          stored,
          change: changes.get(`${stored.kind}/${stored.policy.id}`),
        }));
        if (json) {
          return printJson({
            tenant,
            inForce: draft.current,
            draft: draft.isOpen ? { base: draft.base, settingsChanged: diff.settings.length > 0 } : null,
            policies: rows.map(({ stored, change }) => ({
              ...describe(stored),
              assigned: audienceWords(stored),
              change: change ?? null,
            })),
          });
        }
        for (const { stored, change } of rows) for (const line of lines(stored, change)) print(line);
        if (rows.length === 0) note("No policies: begin with `gatehouse policy import`.");
        note(
          draft.current === 0
            ? "Nothing was published yet."
            : `Version ${draft.current} is in force${changes.size + diff.settings.length === 0 ? ", and the draft says the same." : "."}`,
        );
        if (diff.settings.length > 0)
          note(`${many(diff.settings.length, "setting is", "settings are")} changed in the draft.`);
        noteOutdated(draft);
      }),
    );
}

function removed(inForce: Parameters<typeof storedPolicies>[0], changes: ReadonlyMap<string, string>): StoredPolicy[] {
  return storedPolicies(inForce).filter(({ kind, policy }) => changes.get(`${kind}/${policy.id}`) === "removed");
}

function describe(stored: StoredPolicy): object {
  const { kind, policy } = stored;
  return {
    id: policy.id,
    name: policy.name,
    kind,
    ...(stored.kind === "appProtection" ? { platform: stored.policy.platform } : { state: stored.policy.state }),
  };
}

const MARKS = { added: "green", changed: "yellow", removed: "red" } as const;

function lines(stored: StoredPolicy, change: keyof typeof MARKS | undefined): string[] {
  const { id, name } = stored.policy;
  const state = stateWords(stored);
  const mark = change === undefined ? paintOut("dim", "in force") : paintOut(MARKS[change], change.padEnd(8));
  return [
    `${mark}  ${paintOut("bold", name)}${paintOut("dim", `  ${kindWords(stored)}${state === "" ? "" : `, ${state}`}`)}`,
    // On lines of their own: with GUIDs they are nearly as wide as a terminal.
    `          ${id}`,
    ...wrapLine(`          for ${audienceWords(stored)}`, 2),
  ];
}
