/** `gatehouse policy diff`: what differs between two versions, or between what is in force and the draft. */
import { type Command, InvalidArgumentError } from "commander";
import type { CatalogueContent } from "../../control/catalogue-document.js";
import { VersionUnknownError } from "../../control/catalogue-errors.js";
import { type ContentDiff, type PolicyChange, diffContent, isEmptyDiff } from "../../control/diff-content.js";
import type { Draft } from "../../control/draft.js";
import type { RedisCatalogues } from "../../control/redis-catalogues.js";
import { JSON_OPTION } from "../options.js";
import { note, paintOut, print, printJson, wrapLine } from "../terminal.js";
import { lookAt, noteOutdated } from "./administer.js";
import { valueWords } from "./words.js";

const EXAMPLE = `
Example:
  $ gatehouse policy diff
  $ gatehouse policy diff 3 4
  $ gatehouse policy diff 3 draft

FROM and TO are versions or "draft"; without them, what is in force is compared with the draft.`;

type Side = number | "draft";

export function policyDiffCommand(policy: Command): void {
  policy
    .command("diff")
    .summary("compare versions, or what is in force with the draft")
    .description("Says what of policies and settings differs, property by property.")
    .argument("[from]", "a version; default: the one in force", side)
    .argument("[to]", 'a version, or "draft", which is the default', side)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (from: Side | undefined, to: Side | undefined, { json }: { readonly json?: true }) =>
      lookAt(async ({ deployment: { catalogues }, tenant }) => {
        const draft = await catalogues.draft(tenant);
        const [before, after] = [from ?? draft.current, to ?? "draft"];
        const diff = diffContent(
          await contentOf(catalogues, tenant, before, draft),
          await contentOf(catalogues, tenant, after, draft),
        );
        if (json) return printJson({ tenant, from: before, to: after, ...diff });
        note(`${sideWords(before, draft)} → ${sideWords(after, draft)}`);
        for (const line of diffLines(diff)) print(line);
        if (isEmptyDiff(diff)) note("They say the same.");
        if (after === "draft") noteOutdated(draft);
      }),
    );
}

function side(text: string): Side {
  if (text === "draft") return text;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Give the number of a version, or "draft".');
  return Number(text);
}

async function contentOf(
  catalogues: RedisCatalogues,
  tenant: string,
  which: Side,
  { current, content }: Draft,
): Promise<CatalogueContent> {
  if (which === "draft") return content;
  if (which > current) throw new VersionUnknownError(which, current);
  return catalogues.inForce(tenant, which);
}

function sideWords(which: Side, { current }: Draft): string {
  if (which === "draft") return "draft";
  if (which === 0) return "nothing published";
  return which === current ? `version ${which} (in force)` : `version ${which}`;
}

const SIGNS = { added: ["+", "green"], removed: ["-", "red"], changed: ["~", "yellow"] } as const;

function diffLines({ policies, settings }: ContentDiff): string[] {
  return [
    ...policies.flatMap(policyLines),
    ...(settings.length === 0 ? [] : [`${paintOut("yellow", "~")} ${paintOut("bold", "settings")}`]),
    ...settings.flatMap(({ property, before, after }) => valueLines(property, before, after)),
  ];
}

function policyLines({ change, name, id, properties }: PolicyChange): string[] {
  const [sign, colour] = SIGNS[change];
  return [
    `${paintOut(colour, sign)} ${paintOut("bold", name)}${paintOut("dim", `  ${id}`)}`,
    ...properties.flatMap(({ property, before, after }) => valueLines(property, before, after)),
  ];
}

const valueLines = (property: string, before: unknown, after: unknown): string[] =>
  wrapLine(`    ${property}: ${valueWords(property, before)} → ${valueWords(property, after)}`, 2);
