/** `gatehouse what-if`: the recorded events under policies that were never published, or not then, or in another chart. */
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { readConfig } from "../config.js";
import { type CatalogueContent, EMPTY_CONTENT, readCatalogue } from "../control/catalogue-document.js";
import { VersionUnknownError } from "../control/catalogue-errors.js";
import { applyImport, readImport } from "../control/import-documents.js";
import { type FailIf, exceeds, parseFailIf } from "../replay/fail-if.js";
import { loadMachine } from "../replay/load-machine.js";
import { type OtherFate, type ReplayReport, mergeReports } from "../replay/partition-replay.js";
import { ARCHIVE_OPTION } from "./archive-to-read.js";
import { EXIT } from "./exit-code.js";
import { NotFoundError, UsageError } from "./failure.js";
import { type OpenJournal, foldAgain, journalOf, leftOutLines, openJournal } from "./journal-run.js";
import { type Moment, atMoment, moment } from "./moment.js";
import { JSON_OPTION, several, shortId, wholeNumber } from "./options.js";
import { readFiles } from "./policy/read-files.js";
import { columns, count, instant, paintErr, note, paintOut, print, printJson, wrapLine } from "./terminal.js";

/** Examples of one kind. */
const MOST_SHOWN = 5;

const EXAMPLE = `
Example:
  $ gatehouse what-if --policy level3-ios.json
  $ gatehouse what-if --draft --since 7d --fail-if 'signedOut > +0.1%' --fail-if 'wiped > 0'
  $ gatehouse what-if --published 6 --since 2026-03-02T12:00:00Z
  $ gatehouse what-if --machine ./lenient.mjs

Folds every recorded event again, as if these policies had been published at --since (by default: before the first
record) and nothing after; or through another chart, by itself or with --policy, --draft or --published. Says who would have ended elsewhere, who would have lost access, and when. What people would
have done otherwise nobody knows: they are taken to do what they did. Nothing is written, and no effect goes out.

--fail-if ends with 5 if more would happen than that: a state (signedOut, noncompliant, …), lockouts (access taken away),
loseAccess (denied at the end), or wiped; > a number of sessions or a share (%), with + counted against what was recorded.`;

interface WhatIfOptions {
  readonly policy?: readonly string[];
  readonly draft?: true;
  readonly published?: number;
  readonly machine?: string;
  readonly archive?: string;
  readonly since?: Moment;
  readonly failIf?: readonly FailIf[];
  readonly json?: true;
}

export function whatIfCommand(program: Command): void {
  program
    .command("what-if")
    .summary("fold the recorded events under other policies, or through another chart")
    .description("Says what policies, or another chart, would have done to the people whose events were recorded.")
    .option("--policy <file...>", "policies exported from Graph, put into what is in force as an import would")
    .option("--draft", "the draft, as it is")
    .option("--published <version>", "a version that was published", wholeNumber(1))
    .option("--machine <module>", "another chart: a module whose default export is an XState machine")
    .option("--since <time>", "from when on they would have been in force", moment)
    .option(...ARCHIVE_OPTION)
    .option("--fail-if <bound>", "end with 5 if more would happen", several(bound))
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(whatIf);
}

function bound(text: string): FailIf {
  const read = parseFailIf(text);
  if (typeof read === "string") throw new InvalidArgumentError(read);
  return read;
}

async function whatIf({ json, failIf = [], ...options }: WhatIfOptions): Promise<void> {
  const config = readConfig();
  const { tenant } = config;
  const opened = await openJournal(config, options.archive);
  try {
    const policies = await imagined(opened, tenant, options);
    // What can't be used is said before a long run.
    if (policies !== undefined) readCatalogue({ version: 1, ...policies.content });
    const machine = options.machine === undefined ? undefined : resolve(options.machine);
    if (machine !== undefined) await loadMachine(machine);
    const what = [policies?.what, machine && `the chart of ${options.machine}`].filter(Boolean).join(" and ");
    const journal = await journalOf(opened, undefined);
    if (journal.records === 0) throw new NotFoundError("the journal is empty: nothing was recorded yet");
    const at = options.since === undefined ? 0 : atMoment(options.since, journal.now);
    const run = await foldAgain<ReplayReport>(opened, journal, {
      scope: { tenant },
      imagined: { tenant, at, ...(policies && { content: policies.content }), ...(machine && { machine }) },
    });
    const report = mergeReports(run.results);
    const exceeded = failIf.flatMap((bound) => exceeds(report, bound) ?? []);
    if (json) {
      const { seconds, recordsPerSecond } = run;
      printJson({ tenant, what, since: at, until: journal.now, ...report, exceeded, seconds, recordsPerSecond });
    } else {
      for (const line of page(report, what, options.since === undefined ? undefined : at)) print(line);
      for (const { bound, value } of exceeded) {
        note(paintErr("red", `Too much: ${bound}; it would be ${value}${bound.endsWith("%") ? " %" : ""}.`));
      }
    }
    if (exceeded.length > 0) process.exitCode = EXIT.diverged;
  } finally {
    await opened.close();
  }
}

/** @returns `undefined`: none but those that were recorded. @throws UsageError, VersionUnknownError, PolicyError */
async function imagined(
  { catalogues, deployment }: OpenJournal,
  tenant: string,
  { policy, draft, published, machine }: WhatIfOptions,
): Promise<{ readonly what: string; readonly content: CatalogueContent } | undefined> {
  const given = [policy, draft, published].filter((one) => one !== undefined).length;
  if (given === 0 && machine !== undefined) return undefined;
  if (given !== 1) {
    throw new UsageError("which policies?", {
      fix: "Give one of --policy FILE, --draft and --published VERSION, or --machine MODULE.",
    });
  }
  const current = await catalogues.current(tenant);
  if (published !== undefined) {
    const [document] = await catalogues.documents(tenant, [published]);
    if (document === undefined) throw new VersionUnknownError(published, current);
    return { what: `version ${published}`, content: document };
  }
  if (draft) {
    if (deployment === undefined) {
      throw new UsageError("a draft is not archived", { fix: "Start Redis, or give the policies with --policy." });
    }
    const { isOpen, content } = await deployment.catalogues.draft(tenant);
    if (!isOpen) throw new UsageError(`${tenant} has no draft`, { fix: "Make one with `gatehouse policy import`." });
    return { what: "the draft", content };
  }
  const reading = readImport(await readFiles(policy ?? []));
  const [problem] = reading.problems;
  if (problem !== undefined) {
    const { file, path, code, message, fix } = problem;
    throw new UsageError(`${file}${path === "$" ? "" : ` at ${path}`}: ${message} (${code})`, { fix });
  }
  if (reading.policies.length === 0) {
    throw new UsageError("no policy is in what was named", { fix: "Name policies as Graph exports them." });
  }
  const [inForce = EMPTY_CONTENT] = await catalogues.documents(tenant, [current]);
  const { content } = applyImport(inForce, reading, undefined);
  return { what: reading.policies.map(({ policy: { name } }) => name).join(", "), content };
}

function page(report: ReplayReport, what: string, since: number | undefined): string[] {
  const { sessions, notReplayed, recordedStates, states, moves, elsewhere, fates } = report;
  const names = [...new Set([...Object.keys(recordedStates), ...Object.keys(states)])] as (keyof typeof states)[];
  const byMove = Object.entries(moves).sort(([, a], [, b]) => b - a);
  return [
    ...wrapLine(
      paintOut("bold", `Under ${what}${since === undefined ? "" : ` since ${instant(since)} UTC`}`) +
        ` ${count(elsewhere)} of ${count(sessions)} sessions would have ended elsewhere.`,
    ),
    "",
    ...columns([
      ["  state at the end", "recorded", "then"],
      ...names.map((name) => [
        `  ${name}`,
        count(recordedStates[name] ?? 0),
        difference(recordedStates[name], states[name]),
      ]),
      [
        "  times access was taken away",
        count(report.recordedLockouts),
        difference(report.recordedLockouts, report.lockouts),
      ],
    ]),
    "",
    ...columns([
      ["  denied at the end, who were not", amount(report.loseAccess, "red")],
      ["  not denied at the end, who were", amount(report.gainAccess, "green")],
      ["  wiped, who were not", amount(report.wiped, "red")],
      ["  not wiped, who were", amount(report.spared, "green")],
    ]),
    ...(report.lockedOutMeanwhile === 0
      ? []
      : [
          "",
          `locked out more often, and yet ending where they did  ${count(report.lockedOutMeanwhile)}`,
          ...fates.filter(isLockedOutMeanwhile).slice(0, MOST_SHOWN).flatMap(fateLines),
        ]),
    ...(report.anotherWay === 0
      ? []
      : [
          "",
          `another way in between, and yet ending where they did  ${count(report.anotherWay)}`,
          ...fates.filter(isAnotherWay).slice(0, MOST_SHOWN).flatMap(fateLines),
        ]),
    ...byMove.flatMap(([move, n]) => {
      const [from = "", to = ""] = move.split(">");
      const some = fates.filter(({ recorded, imagined: then }) => recorded.state === from && then.state === to);
      return ["", `${from} → ${paintOut("bold", to)}  ${count(n)}`, ...some.flatMap(fateLines)];
    }),
    ...(report.diverged === 0
      ? []
      : [
          "",
          paintOut(
            "yellow",
            `${count(report.diverged)} sessions do not even come out as recorded: see gatehouse verify.`,
          ),
        ]),
    ...leftOutLines(notReplayed),
    "",
    paintOut("dim", "Nothing was changed. Everybody is taken to do what they did."),
  ];
}

const isLockedOutMeanwhile = ({ recorded, imagined: then, lockouts }: OtherFate): boolean =>
  recorded.state === then.state && lockouts > 0;

const isAnotherWay = ({ recorded, imagined: then, lockouts }: OtherFate): boolean =>
  recorded.state === then.state && lockouts <= 0;

const amount = (n: number, colour: "red" | "green"): string => (n === 0 ? "0" : paintOut(colour, count(n)));

function difference(was = 0, would = 0): string {
  return would === was ? count(would) : `${count(would)} (${would > was ? "+" : "−"}${count(Math.abs(would - was))})`;
}

function fateLines({ session, imagined: { reasons }, since, lockouts, wiped, spared }: OtherFate): string[] {
  const more = [
    ...(lockouts > 0 ? [`locked out ${lockouts === 1 ? "once" : `${lockouts} times`} more`] : []),
    ...(wiped ? ["wiped"] : []),
    ...(spared ? ["not wiped"] : []),
  ];
  return wrapLine(
    `  ${shortId(session)}  from ${instant(since)} on; ${reasons.join(", ")}${more.length === 0 ? "" : `; ${more.join(", ")}`}`,
    2,
  ).map((line) => paintOut("dim", line));
}
