/** `gatehouse replay`: events that were recorded, or that stand in a file, once more. */
import { type Command, InvalidArgumentError } from "commander";
import { readConfig } from "../config.js";
import { TENANT_PATTERN } from "../ingest/cloud-event.js";
import { type ReplayReport, mergeReports } from "../replay/partition-replay.js";
import { asAct } from "./act.js";
import { ARCHIVE_OPTION } from "./archive-to-read.js";
import { EXIT } from "./exit-code.js";
import { NotFoundError, UsageError } from "./failure.js";
import { foldAgain, journalOf, leftOutLines, openJournal } from "./journal-run.js";
import { atMoment, moment } from "./moment.js";
import { JSON_OPTION, several, shortId, wholeNumber } from "./options.js";
import { replayApplied } from "./replay/apply.js";
import { replayFile } from "./replay/file.js";
import { type ReplayOptions, meant, partitionOfSession } from "./replay/options.js";
import { count, instant, paintOut, print, printJson, wrapLine } from "./terminal.js";
import { describe } from "./verify.js";

const EXAMPLE = `
Example:
  $ gatehouse replay
  $ gatehouse replay --session phone-17/adele
  $ gatehouse replay yesterday.ndjson
  $ gatehouse replay --apply --since 2026-03-02T09:00:00Z --until 2026-03-02T09:30:00Z

Folds the journal again and says which sessions come out otherwise than recorded (then the exit code is 5). Nothing is
written and no effect goes out. --since and --until compare what was recorded in between. With an archive it begins where
that does, and works without Redis. With FILE, NDJSON or a JSON array of CloudEvents as \`gatehouse emit\` takes them, its events
are folded as if they were all that happened, under the policies in force, and compared with the sessions as they stand.

--apply sends the recorded events in again, after saying how many and asking (without a terminal nothing is done until --yes): events that are still remembered (by source
and id) are duplicates and change nothing, all others are processed as new ones, with everything that follows from them.`;

export function replayCommand(program: Command): void {
  asAct(program.command("replay"))
    .summary("fold recorded events again, or send them in again")
    .description("Folds recorded events, or those of FILE, again; dry, unless --apply is given.")
    .argument("[file]", "NDJSON or a JSON array of CloudEvents; - for stdin")
    .option("--session <session>", "one session alone")
    .option("--tenant <tenant>", "of this tenant; default: GATEHOUSE_TENANT", tenantName)
    .option("--partition <n...>", "these partitions alone", several(wholeNumber(0)))
    .option("--since <time>", "what was recorded from then on", moment)
    .option("--until <time>", "what was recorded up to then", moment)
    .option(...ARCHIVE_OPTION)
    .option("--skip-bad", "with FILE: go on after a line that is no event")
    .option("--apply", "send the events in again")
    .option("--yes", "with --apply: do not ask")
    .option("--from <partition/record>", "with --apply: go on where an earlier run stopped", position)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (file: string | undefined, options: ReplayOptions) => {
      if (file !== undefined && options.apply) {
        throw new UsageError("--apply is for what was recorded", { fix: "`gatehouse emit FILE` sends a file in." });
      }
      if (options.apply && options.archive !== undefined) {
        throw new UsageError("--apply sends in what the journal in Redis holds", { fix: "Leave out --archive." });
      }
      if (file !== undefined) await replayFile(file, options);
      else if (options.apply) await replayApplied(options);
      else await replayJournal(options);
    });
}

function tenantName(text: string): string {
  if (TENANT_PATTERN.test(text)) return text;
  throw new InvalidArgumentError("Give a tenant as its API keys have it.");
}

function position(text: string): readonly [number, number] {
  const [, partition, seq] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (partition === undefined || seq === undefined) {
    throw new UsageError(`${text} is no position`, { fix: "Give what the earlier run said: 17/4211." });
  }
  return [Number(partition), Number(seq)];
}

async function replayJournal(options: ReplayOptions): Promise<void> {
  const { partition, since, until, archive, json } = options;
  const config = readConfig();
  const { tenant, id } = meant(options, config);
  const opened = await openJournal(config, archive);
  try {
    const only = id === undefined ? partition : [partitionOfSession(id, opened.partitionCount)];
    const journal = await journalOf(opened, only);
    const { results, seconds, recordsPerSecond } = await foldAgain<ReplayReport>(opened, journal, {
      scope: {
        tenant,
        session: id,
        since: since && atMoment(since, journal.now),
        until: until && atMoment(until, journal.now),
      },
    });
    const report = mergeReports(results);
    if (id !== undefined && report.sessions === 0) {
      throw new NotFoundError(`nothing is recorded of ${id}`, {
        fix: "`gatehouse sessions --device …` or `--user …` lists the sessions that are there.",
      });
    }
    if (json) {
      const { records, tombstones, sessions, notReplayed, diverged, divergences, elsewhere, moves, states } = report;
      const what = { records, tombstones, sessions, notReplayed, diverged, divergences, elsewhere, moves, states };
      printJson({ ...what, seconds, recordsPerSecond });
    } else for (const line of journalPage(report, recordsPerSecond)) print(line);
    if (report.diverged > 0) process.exitCode = EXIT.diverged;
  } finally {
    await opened.close();
  }
}

function journalPage(report: ReplayReport, recordsPerSecond: number): string[] {
  const { records, sessions, diverged, divergences, elsewhere, notReplayed } = report;
  const head = `${count(records)} records, ${count(sessions)} ${sessions === 1 ? "session" : "sessions"}, ${count(recordsPerSecond)} records/s.`;
  const leftOut = leftOutLines(notReplayed);
  if (records === 0) return ["The journal is empty."];
  if (sessions === 0) return ["No such events were recorded."];
  if (diverged === 0) return [paintOut("green", "Everything comes out as it was recorded."), head, ...leftOut];
  return [
    paintOut(["bold", "red"], `${count(diverged)} sessions come out otherwise; ${count(elsewhere)} end elsewhere.`),
    head,
    ...leftOut,
    ...divergences.flatMap(({ session, seq, at, recorded, replayed }) => [
      "",
      ...wrapLine(`${shortId(session)}, record ${seq}, ${instant(at)} UTC`, 2),
      `  recorded  ${describe(recorded)}`,
      `  replayed  ${describe(replayed)}`,
    ]),
    ...(diverged > divergences.length
      ? ["", `… and ${count(diverged - divergences.length)} more: --partition, --session and --since narrow it down.`]
      : []),
  ];
}
