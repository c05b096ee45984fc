/** `gatehouse why`: why a session is where it is, and what would have kept access. */
import type { Command } from "commander";
import type { StepRecord } from "../../machines/step-record.js";
import { readConfig } from "../config.js";
import { RulesSource } from "../control/rules-source.js";
import type { History } from "../sessions/history.js";
import { eventWords } from "../sessions/plain-words.js";
import { type Why, whySession } from "../replay/why-session.js";
import { counterfactualWords, headline } from "../replay/why-words.js";
import { ARCHIVE_OPTION } from "./archive-to-read.js";
import { NotFoundError } from "./failure.js";
import { openJournal } from "./journal-run.js";
import { type Moment, atMoment, moment } from "./moment.js";
import { JSON_OPTION, sessionIdOf, shortId } from "./options.js";
import { pastOf, requireRecords } from "./session-past.js";
import { count, duration, instant, note, paintOut, print, printJson, wrapLine } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse why phone-17/adele
  $ gatehouse why phone-17/adele --at 2026-03-02T10:15:00Z

First one sentence; then the records that led there, found by folding the session again without the others, group by group,
until none of those that are left can be left out; then what would have kept access, each really tried the same way.
All times are UTC.`;

const MOST_SHOWN = 5;

export function whyCommand(program: Command): void {
  program
    .command("why")
    .summary("say why a session is where it is")
    .description("Says why somebody is locked out, or has access, and what would have made the difference.")
    .argument("<session>", "device/user[/app], or all of tenant/device/user/app")
    .option("--at <time>", "as it was then, and not as it is now", moment)
    .option(...ARCHIVE_OPTION)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (text: string, { at, archive, json }: WhyOptions) => {
      const config = readConfig();
      const id = sessionIdOf(text, config.tenant);
      const opened = await openJournal(config, archive);
      try {
        const past = await pastOf(opened, id);
        const { now, waiting } = past;
        requireRecords(id, past);
        const { records } = whole(id, past);
        const rules = new RulesSource(opened.catalogues);
        const versions = new Set(records.flatMap(({ version }) => version ?? []));
        const tenant = id.slice(0, id.indexOf("/"));
        await rules.prepare(
          {},
          [...versions].map((version) => ({ tenant, version })),
        );
        const until = at === undefined ? now : Math.min(now, atMoment(at, now));
        const first = records[0]?.at ?? 0;
        if (until < first) {
          throw new NotFoundError(`${shortId(id)} began at ${instant(first)} UTC, after the time asked about`, {
            fix: "Give a later --at.",
          });
        }
        const why = whySession(id, records, until, (version, session) => rules.rulesOf(tenant, version, session));
        if (json) printJson({ ...why, sentence: headline(why, CLOCK), waiting });
        else for (const line of page(why, waiting)) print(line);
      } finally {
        await opened.close();
      }
    });
}

interface WhyOptions {
  readonly at?: Moment;
  readonly archive?: string;
  readonly json?: true;
}

/** @throws NotFoundError if it does not begin with the session's first record */
function whole(id: string, history: History): History {
  if (history.cut === undefined && history.erased === undefined) return history;
  throw new NotFoundError(`the first records of ${id} are not kept any more, so its past can't be folded again`, {
    fix: "`gatehouse history` shows what is left; `gatehouse session` where it stands and why.",
  });
}

const CLOCK = { time: (ms: number) => `${instant(ms)}`, span: duration };

function page(why: Why, waiting: number): string[] {
  const { session, at, chain, inputs, keptAccess, tried, decision, version } = why;
  const day = instant(at).slice(0, 10);
  const clock = { time: (ms: number) => instant(ms).replace(`${day} `, ""), span: duration };
  const isDenied = decision.decision === "deny";
  if (waiting > 0) note(`(${waiting} accepted events wait for a worker; they are not counted in)`);
  return [
    ...wrapLine(paintOut("bold", headline(why, clock))),
    paintOut("dim", `${shortId(session)}, ${instant(at)} UTC, policy version ${version}`),
    "",
    `What it took (of ${count(inputs)} ${inputs === 1 ? "event" : "events"}, ${count(chain.length)} records):`,
    ...runs(chain).flatMap((run) => runLines(run, clock.time)),
    ...(!isDenied
      ? []
      : keptAccess.length === 0
        ? [
            "",
            tried === 1
              ? "One other course was tried, and it would not have kept access."
              : `None of the ${tried} other courses that were tried would have kept access.`,
          ]
        : [
            "",
            "There would be access",
            ...keptAccess.slice(0, MOST_SHOWN).flatMap((one) => wrapLine(`  · ${counterfactualWords(one, clock)}`, 4)),
          ]),
  ];
}

/** From so many on, records of one kind in a row that moved nothing are told as one. */
const MANY = 4;

/** The records one by one, but those that only kept things as they were together. */
function runs(chain: readonly StepRecord[]): StepRecord[][] {
  const all: StepRecord[][] = [];
  for (const record of chain) {
    const last = all.at(-1);
    const isSameAgain = last?.at(-1)?.event.type === record.event.type && last.at(-1)?.to === record.to;
    if (last !== undefined && isSameAgain && record.from === record.to) last.push(record);
    else all.push([record]);
  }
  return all.flatMap((run) => (run.length < MANY ? run.map((record) => [record]) : [run]));
}

function runLines(run: readonly StepRecord[], time: (ms: number) => string): string[] {
  const [first] = run;
  const last = run.at(-1);
  if (first === undefined || last === undefined) return [];
  if (run.length === 1) return chainLines(first, time);
  return [
    ...chainLines(first, time),
    ...wrapLine(
      paintOut(
        "dim",
        `  … the same ${count(run.length - 1)} times more until ${time(last.at)}: without them access would have ended earlier`,
      ),
      12,
    ),
  ];
}

function chainLines({ at, event, from, to, outcome }: StepRecord, time: (ms: number) => string): string[] {
  const moved = from === undefined || from === to ? "" : `  ${from} → ${paintOut("bold", to ?? "none")}`;
  const what = outcome === "applied" ? moved : `  ${outcome}`;
  return wrapLine(`  ${time(at)}  ${eventWords(event)}${what}`, 12);
}
