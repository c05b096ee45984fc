/** `gatehouse policy publish`: the draft becomes the next version, at once for everybody. */
import type { Command } from "commander";
import type { Act } from "../../audit/audit-log.js";
import { readCatalogue } from "../../control/catalogue-document.js";
import { dryRun } from "../../control/dry-run.js";
import { draftToPublish, publishDraft } from "../../control/publish.js";
import type { OpenDeployment } from "../../deployment/open-deployment.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION, wholeNumber } from "../options.js";
import { print, printJson } from "../terminal.js";
import { administer, change } from "./administer.js";
import { dryRunLines } from "./dry-run-report.js";
import { progressBar } from "../progress-bar.js";
import { noteText } from "./version-note.js";
import { watchWalk } from "./watch-walk.js";
import { many } from "./words.js";

const EXAMPLE = `
Example:
  $ gatehouse policy publish --dry-run
  $ gatehouse policy publish --note "six-digit PIN for finance"

From the moment it returns a version, every decision obeys it. Workers then bring it to the sessions that nothing else
touches; how far they are is shown, and Ctrl-C ends the watching, not the work.`;

interface PublishCommandOptions extends ActOptions {
  readonly dryRun?: true;
  readonly onto?: number;
  readonly note?: string;
  readonly wait: boolean;
  readonly json?: true;
}

export function policyPublishCommand(policy: Command): void {
  asAct(policy.command("publish"))
    .summary("put the draft into force, or see first what that would do")
    .description("Publishes the draft as the next catalogue version.")
    .option("--dry-run", "say which sessions would change, and change nothing")
    .option("--onto <n>", "publish although version N came after the draft was begun", wholeNumber(1))
    .option("--note <text>", "kept with the version", noteText)
    .option("--no-wait", "do not watch how the version reaches idle sessions")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ dryRun: isDry, onto, note, wait, json, ...options }: PublishCommandOptions) =>
      administer(async (administered) => {
        const { deployment, tenant } = administered;
        const draft = await draftToPublish(deployment.catalogues, tenant, onto);
        if (isDry) {
          const candidate = readCatalogue({ ...draft.content, version: draft.current + 1 });
          const report = await dryRunWithProgress(deployment, tenant, candidate);
          if (json) return printJson({ tenant, version: draft.current + 1, ...report });
          for (const line of dryRunLines(report)) print(line);
          return;
        }
        const { policies, conditionalAccess } = draft.content;
        const act: Act = { act: "policy.publish", about: { onto, note } };
        const version = await change(administered, options, act, async ({ know, touch }) => {
          const published = await publishDraft(deployment, tenant, draft, { note });
          know({ version: published });
          touch({ policies: policies.length + conditionalAccess.length });
          return published;
        });
        if (json)
          printJson({ tenant, version, policies: policies.length, conditionalAccess: conditionalAccess.length });
        else {
          print(
            `Version ${version} of ${tenant} is in force: ${many(policies.length + conditionalAccess.length, "policy", "policies")}.`,
          );
        }
        if (wait) await watchWalk(deployment.store, tenant, version);
      }),
    );
}

async function dryRunWithProgress(
  deployment: OpenDeployment,
  tenant: string,
  candidate: ReturnType<typeof readCatalogue>,
): ReturnType<typeof dryRun> {
  const { partitionCount } = deployment.store.deployment;
  const surveys = await deployment.store.survey(Array.from({ length: partitionCount }, (_, partition) => partition));
  const bar = progressBar(
    surveys.reduce((sum, { sessions }) => sum + sessions, 0),
    "sessions",
  );
  try {
    return await dryRun(deployment, tenant, candidate, bar.show);
  } finally {
    bar.stop();
  }
}
