/** `gatehouse policy settings`: the tenant's own settings, in the draft. */
import type { Command } from "commander";
import { DEFAULT_SETTINGS, TenantSettings } from "../../../machines/policy/settings.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { note, paintErr, print, printJson } from "../terminal.js";
import { NOT_IN_FORCE, editDraft, lookAt } from "./administer.js";
import { readJsonFile } from "./read-files.js";
import { many, valueWords } from "./words.js";

const EXAMPLE = `
Example:
  $ gatehouse policy settings show > settings.json
  $ gatehouse policy settings set settings.json

Settings are choices that policies do not make: what follows from each cause of noncompliance, remediation, apps and
their ids, the texts that people are told. docs/policies.md lists them.`;

export function policySettingsCommand(policy: Command): void {
  const settings = policy
    .command("settings")
    .summary("show or set the tenant's settings")
    .description("The tenant's settings, in the draft.")
    .addHelpText("after", EXAMPLE);
  settings
    .command("show", { isDefault: true })
    .description("Prints the settings that the draft sets; what it leaves out keeps its default.")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ json }: { readonly json?: true }) =>
      lookAt(async ({ deployment: { catalogues }, tenant }) => {
        const { content } = await catalogues.draft(tenant);
        const effective = TenantSettings.parse(content.settings);
        if (json) return printJson({ settings: content.settings, effective });
        print(JSON.stringify(content.settings, undefined, 2));
        const names = Object.keys(DEFAULT_SETTINGS).filter(
          (name) => !Object.hasOwn(content.settings as object, name),
        ) as (keyof TenantSettings)[];
        if (names.length > 0) note(paintErr("dim", "With their defaults:"));
        for (const name of names) note(paintErr("dim", `  ${name}: ${valueWords(name, effective[name])}`));
      }),
    );
  asAct(settings.command("set"))
    .description(
      "Puts the settings in FILE, a JSON object, in the place of the draft's. What it leaves out keeps its default.",
    )
    .argument("<file>", "a JSON object; - for stdin")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (file: string, { json, ...options }: ActOptions & { readonly json?: true }) => {
      const given = await readJsonFile(file);
      TenantSettings.parse(given);
      const { diff } = await editDraft(options, { act: "policy.settings" }, (content) => ({
        content: { ...content, settings: given },
      }));
      if (json) return printJson({ changed: diff.settings });
      for (const { property, before, after } of diff.settings) {
        print(`${property}: ${valueWords(property, before)} → ${valueWords(property, after)}`);
      }
      note(
        diff.settings.length === 0
          ? "These are the draft's settings already."
          : `${many(diff.settings.length, "setting", "settings")} changed. ${NOT_IN_FORCE}`,
      );
    });
}
