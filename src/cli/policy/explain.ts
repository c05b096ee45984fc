/** `gatehouse policy explain`: what the policies come to for one user, and why. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { explain } from "../../../machines/policy/explain.js";
import type { Platform } from "../../../machines/policy/rules.js";
import type { ResolveFacts } from "../../../machines/policy/resolve-facts.js";
import { canonicalId } from "../../../machines/users/canonical-id.js";
import { type UserRecord, canonicalGroups } from "../../../machines/users/user-record.js";
import { readCatalogue } from "../../control/catalogue-document.js";
import { VersionUnknownError } from "../../control/catalogue-errors.js";
import type { RedisCatalogues } from "../../control/redis-catalogues.js";
import { DEFAULT_APP, isUserSubject } from "../../ingest/cloud-event.js";
import { UsageError } from "../failure.js";
import { JSON_OPTION, wholeNumber } from "../options.js";
import { note, print, printJson } from "../terminal.js";
import { lookAt } from "./administer.js";
import { explanationLines } from "./explanation-report.js";

const EXAMPLE = `
Example:
  $ gatehouse policy explain --user adele --platform ios
  $ gatehouse policy explain --user adele --platform android --groups finance,managers --draft

License and groups are those that are known of the user (gatehouse users show); what is given here counts instead.
Shows which policies cover the user, what each setting comes to and which policy it came from, where policies conflict,
what conditional access demands, and what is left to the device.`;

interface ExplainOptions {
  readonly user: string;
  readonly platform: Platform;
  readonly app: string;
  readonly groups?: readonly string[];
  readonly licensed?: boolean;
  readonly mdmEnrolled?: true;
  readonly version?: number;
  readonly draft?: true;
  readonly json?: true;
}

export function policyExplainCommand(policy: Command): void {
  policy
    .command("explain")
    .summary("say which rules a user gets, and from which policy")
    .description("Says what the policies in force, of the draft or of an earlier version come to for a user.")
    .requiredOption("--user <user>", "whose")
    .addOption(new Option("--platform <platform>").choices(["ios", "android"]).makeOptionMandatory())
    .option("--app <app>", "the protected app", DEFAULT_APP)
    .option("--groups <ids>", "the user's groups, with commas between; empty: none", groupList)
    .option("--licensed <yes>", "true or false: whether the user has a license", yesOrNo)
    .option("--mdm-enrolled", "as on a device that is managed as a whole")
    .addOption(new Option("--version <n>", "by an earlier version").argParser(wholeNumber(1)).conflicts("draft"))
    .option("--draft", "by the draft, as it would be if it were published")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (options: ExplainOptions) => {
      const { user, json } = options;
      if (!isUserSubject(user)) {
        throw new UsageError(`${JSON.stringify(user)} names no user`, {
          fix: "A user's name is 1–128 letters, digits, `.`, `_` and `-`.",
        });
      }
      await lookAt(async ({ deployment: { catalogues, users }, tenant }) => {
        const record = await users.read({ tenant, user: canonicalId(user) });
        const { content, version, called } = await chosen(catalogues, tenant, options);
        const facts = factsOf(options, record);
        const explanation = explain(readCatalogue({ ...content, version }), facts);
        if (json)
          return printJson({ tenant, catalogue: called, facts, account: record?.account ?? null, ...explanation });
        for (const line of explanationLines({ called, facts, account: record?.account, explanation })) print(line);
        if (facts.groups === undefined)
          note("The user's groups are not known: --groups says them, or gatehouse users import.");
      });
    });
}

function yesOrNo(text: string): boolean {
  if (text !== "true" && text !== "false") throw new InvalidArgumentError("Give true or false.");
  return text === "true";
}

function groupList(text: string): readonly string[] {
  const groups = text.split(",").filter((group) => group !== "");
  if (groups.some((group) => !/^[A-Za-z0-9_.-]{1,128}$/.test(group))) {
    throw new InvalidArgumentError("Give ids of groups with commas between: finance,managers.");
  }
  return canonicalGroups(groups);
}

async function chosen(catalogues: RedisCatalogues, tenant: string, { version, draft }: ExplainOptions) {
  if (draft) {
    const { content, current } = await catalogues.draft(tenant);
    return { content, version: current + 1, called: "the draft" };
  }
  const current = await catalogues.current(tenant);
  if (version !== undefined && version > current) throw new VersionUnknownError(version, current);
  const number = version ?? current;
  const called = number === 0 ? "nothing, since nothing was published" : `version ${number}`;
  return { content: await catalogues.inForce(tenant, number), version: number, called };
}

function factsOf(
  { user, platform, app, groups, licensed, mdmEnrolled }: ExplainOptions,
  record: UserRecord | undefined,
): ResolveFacts {
  return {
    platform,
    app,
    user: canonicalId(user),
    mdmEnrolled,
    licensed: licensed ?? record?.licensed,
    groups: groups ?? record?.groups,
  };
}
