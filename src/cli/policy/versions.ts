/** `gatehouse policy versions`: what was published, the newest first. */
import type { Command } from "commander";
import { JSON_OPTION, wholeNumber } from "../options.js";
import { columns, instant, note, paintOut, print, printJson } from "../terminal.js";
import { lookAt } from "./administer.js";
import { many } from "./words.js";

const EXAMPLE = `
Example:
  $ gatehouse policy versions
  $ gatehouse policy diff 3 4`;

export function policyVersionsCommand(policy: Command): void {
  policy
    .command("versions")
    .summary("list what was published")
    .description("Lists the tenant's catalogue versions, the newest first.")
    .option("--limit <n>", "versions at most", wholeNumber(1), 20)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ limit, json }: { readonly limit: number; readonly json?: true }) =>
      lookAt(async ({ deployment: { catalogues }, tenant }) => {
        const current = await catalogues.current(tenant);
        const asked = Array.from({ length: Math.min(limit, current) }, (_, n) => current - n);
        const versions = (await catalogues.documents(tenant, asked)).map(
          ({ version, publishedAt, note: said, policies, conditionalAccess }) => ({
            version,
            publishedAt: publishedAt ?? null,
            note: said ?? null,
            policies: policies.length,
            conditionalAccess: conditionalAccess.length,
          }),
        );
        if (json) return printJson({ tenant, current, versions });
        const rows = versions.map(({ version, publishedAt, note: said, policies, conditionalAccess }) => [
          version === current ? paintOut("bold", String(version)) : String(version),
          publishedAt === null ? "" : instant(Date.parse(publishedAt)),
          many(policies + conditionalAccess, "policy", "policies"),
          [...(version === current ? [paintOut("green", "in force")] : []), ...(said === null ? [] : [said])].join(
            "  ",
          ),
        ]);
        for (const line of columns(rows)) print(line.trimEnd());
        if (current === 0) note("Nothing was published yet.");
        if (current > asked.length) note(`… and ${current - asked.length} older ones: --limit shows more.`);
      }),
    );
}
