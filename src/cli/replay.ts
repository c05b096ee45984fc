/** `gatehouse replay`: events that were recorded, or that stand in a file, once more. */
import { type Command, InvalidArgumentError } from "commander";
import { createInterface } from "node:readline/promises";
import { type SessionId, sessionIdParts } from "../../machines/session/session.js";
import { type Config, readConfig } from "../config.js";
import type { OpenDeployment } from "../deployment/open-deployment.js";
import { TENANT_PATTERN } from "../ingest/cloud-event.js";
import { splitEvents } from "../ingest/split-events.js";
import type { Refusal } from "../ingest/refusal.js";
import { FileReplay } from "../replay/file-replay.js";
import { journalPages } from "../replay/journal-pages.js";
import { type ReplayReport, mergeReports } from "../replay/partition-replay.js";
import { type ReemitScope, reemit, reported } from "../replay/reemit.js";
import { look } from "../sessions/look.js";
import { partitionOf } from "../store/session-key.js";
import { type ActOptions, asAct, record } from "./act.js";
import { ARCHIVE_OPTION } from "./archive-to-read.js";
import { EXIT } from "./exit-code.js";
import { NotFoundError, UsageError } from "./failure.js";
import { openInput } from "./input-file.js";
import { onInterrupt } from "./interrupt.js";
import { foldAgain, journalOf, openJournal } from "./journal-run.js";
import { type Moment, atMoment, moment } from "./moment.js";
import { JSON_OPTION, sessionIdOf, several, shortId, wholeNumber } from "./options.js";
import { progressBar } from "./progress-bar.js";
import { openRunning, openToRead } from "./redis-access.js";
import { columns, count, instant, note, paintOut, print, printJson, wrapLine } from "./terminal.js";
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

--apply sends the recorded events in again, after saying how many and asking: events that are still remembered (by source
and id) are duplicates and change nothing, all others are processed as new ones, with everything that follows from them.`;

interface ReplayOptions extends ActOptions {
  readonly session?: string;
  readonly tenant?: string;
  readonly partition?: readonly number[];
  readonly since?: Moment;
  readonly until?: Moment;
  readonly skipBad?: true;
  readonly apply?: true;
  readonly yes?: true;
  readonly archive?: string;
  readonly from?: readonly [partition: number, seq: number];
  readonly json?: true;
}

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
      else if (options.apply) await apply(options);
      else await replayJournal(options);
    });
}

function tenantName(text: string): string {
  if (TENANT_PATTERN.test(text)) return text;
  throw new InvalidArgumentError("Give a tenant as its API keys have it.");
}

/** Whose events are meant, and of which session. @throws UsageError */
function meant(
  { session, tenant: named }: ReplayOptions,
  config: Config,
): { readonly tenant: string; readonly id: SessionId | undefined } {
  const tenant = named ?? config.tenant;
  if (session === undefined) return { tenant, id: undefined };
  const id = sessionIdOf(session, tenant);
  return { tenant: sessionIdParts(id).tenant, id };
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

function partitionOfSession(id: SessionId, partitionCount: number): number {
  const { tenant, device } = sessionIdParts(id);
  return partitionOf(tenant, device, partitionCount);
}

function journalPage(report: ReplayReport, recordsPerSecond: number): string[] {
  const { records, sessions, diverged, divergences, elsewhere, notReplayed } = report;
  const head = `${count(records)} records, ${count(sessions)} ${sessions === 1 ? "session" : "sessions"}, ${count(recordsPerSecond)} records/s.`;
  const left = notReplayed.historyMissing + notReplayed.unreadable + notReplayed.setAside;
  const leftOut =
    left === 0
      ? []
      : [
          `${count(left)} sessions are left out: their first records are not kept or can't be read, or they were quarantined and redriven.`,
        ];
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
  ];
}

interface BadLine extends Refusal {
  readonly place: number;
}

const MOST_SHOWN = 10;

async function replayFile(file: string, options: ReplayOptions): Promise<void> {
  const { skipBad, json } = options;
  const config = readConfig();
  const { tenant } = meant(options, config);
  const input = await openInput(file);
  const deployment = await openToRead(config);
  const bar = progressBar(input.bytes ?? 0, "bytes");
  try {
    const version = await deployment.catalogues.current(tenant);
    await deployment.rules.prepare({}, [{ tenant, version }]);
    const replay = new FileReplay(tenant, {
      base: version,
      broadcasts: [],
      rules: (asked, session) => deployment.rules.rulesOf(tenant, asked, session),
    });
    let read = 0;
    const split = splitEvents(input.read((bytes) => bar.show((read += bytes))));
    const bad: BadLine[] = [];
    for await (const chunk of split.chunks) {
      for (const one of chunk) {
        const refusal = "refusal" in one ? one.refusal : replay.take(one.input);
        if (refusal === undefined) continue;
        const { code, path, message, fix } = refusal;
        if (!skipBad) {
          throw new UsageError(
            `${file}, ${split.kind} ${one.place}${path === "" ? "" : ` at ${path}`}: ${message} (${code})`,
            {
              fix: `${fix}\n--skip-bad goes on without such ${split.kind}s.`,
            },
          );
        }
        bad.push({ ...refusal, place: one.place });
      }
    }
    bar.stop();
    const elsewhere: { session: string; recorded: string; replayed: string }[] = [];
    let notRecorded = 0;
    for (const [session, replayed] of replay.ends()) {
      const { session: stored } = await look(deployment, session);
      if (stored === undefined || "unreadable" in stored) notRecorded++;
      else if (stored.state !== replayed) elsewhere.push({ session, recorded: stored.state, replayed });
    }
    if (json) printJson({ ...replay.totals, version, elsewhere, notRecorded, bad });
    else {
      const { events, sessions, aboutUsers } = replay.totals;
      print(`${count(events)} events, ${count(sessions)} sessions, policy version ${version}.`);
      if (bad.length > 0)
        print(paintOut("yellow", `${count(bad.length)} ${split.kind}s are no events and were left out.`));
      if (aboutUsers > 0)
        print(`${count(aboutUsers)} events about users were left out: they change the user's record.`);
      if (notRecorded > 0) print(`${count(notRecorded)} sessions are not in the deployment.`);
      if (elsewhere.length === 0) print(paintOut("green", "All others end where they stand in the deployment."));
      else {
        print(paintOut(["bold", "red"], `${count(elsewhere.length)} sessions end elsewhere than they stand:`));
        const rows = elsewhere.slice(0, MOST_SHOWN);
        for (const line of columns(
          rows.map((one) => [`  ${shortId(one.session)}`, `${one.recorded} → ${one.replayed}`]),
        ))
          print(line);
      }
    }
    if (elsewhere.length > 0) process.exitCode = EXIT.diverged;
  } finally {
    bar.stop();
    input.close();
    await deployment.close();
  }
}

const SAMPLE = 5;
/** Sent in at a time. */
const AT_ONCE = 500;

async function apply(options: ReplayOptions): Promise<void> {
  const config = readConfig();
  const { tenant, id } = meant(options, config);
  const { json, from: [fromPartition, fromSeq] = [0, 0] } = options;
  const deployment = await openRunning(config);
  const stopping = new AbortController();
  let at: readonly [number, number] = [fromPartition, fromSeq];
  try {
    const { store } = deployment;
    const { partitionCount } = store.deployment;
    const only = id === undefined ? options.partition : [partitionOfSession(id, partitionCount)];
    const source = { store, catalogues: deployment.catalogues };
    const journal = await journalOf({ source, partitionCount }, only);
    const scope: ReemitScope = {
      tenant,
      session: id,
      since: options.since && atMoment(options.since, journal.now),
      until: options.until && atMoment(options.until, journal.now),
    };
    const partitions = journal.partitions.filter((partition) => partition >= fromPartition);
    // What is sent in now is not sent in again.
    const ends = new Map<number, number>();
    const sample: string[] = [];
    let total = 0;
    for (const partition of partitions) {
      for await (const { entries, upTo } of pagesOf(deployment, partition, at, undefined)) {
        ends.set(partition, upTo);
        for (const { session, at: when, event } of reported(entries, scope)) {
          if (total++ < SAMPLE) sample.push(`${instant(when)}  ${shortId(session)}  ${event.type}`);
        }
      }
    }
    if (total === 0)
      throw new UsageError("no recorded event is meant", { fix: "Widen --since, --until or --session." });
    note(
      `${count(total)} recorded events would be sent in again, with everything that follows from those not remembered:`,
    );
    for (const line of sample) note(`  ${line}`);
    if (total > SAMPLE) note(`  … and ${count(total - SAMPLE)} more`);
    if (!options.yes && !(await confirmed(total))) {
      note("Nothing was sent in.");
      process.exitCode = EXIT.refused;
      return;
    }
    let settle = (): void => undefined;
    const settled = new Promise<void>((resolve) => (settle = resolve));
    // What is under way gets its answer, and it is said how far that was.
    const release = onInterrupt(async () => {
      stopping.abort();
      await settled;
    });
    const bar = progressBar(total, "events");
    const sum = { accepted: 0, duplicate: 0, conflict: 0 };
    let done = 0;
    const sendIn = async (): Promise<void> => {
      for (const partition of partitions) {
        for await (const { entries } of pagesOf(deployment, partition, at, ends.get(partition) ?? 0)) {
          const records = reported(entries, scope);
          for (let n = 0; n < records.length; n += AT_ONCE) {
            stopping.signal.throwIfAborted();
            const some = records.slice(n, n + AT_ONCE);
            at = [partition, some[0]?.seq ?? 0];
            const answer = await reemit(deployment, partition, some);
            at = [partition, (some.at(-1)?.seq ?? 0) + 1];
            sum.accepted += answer.accepted;
            sum.duplicate += answer.duplicate;
            sum.conflict += answer.conflict;
            bar.show((done += some.length));
          }
        }
      }
    };
    const times = { since: scope.since ?? null, until: scope.until ?? null };
    try {
      await record(
        { ...config, tenant, redis: deployment.redis },
        options,
        { act: "events.replay", about: times, person: { user: id?.split("/")[2], device: id?.split("/")[1] } },
        async ({ touch }) => sendIn().finally(() => touch({ ...sum })),
      );
    } catch (error) {
      bar.stop();
      note(
        `${count(done)} of ${count(total)} events were sent in. To go on: gatehouse replay --apply --from ${at.join("/")}, and what was given before.`,
      );
      if (!stopping.signal.aborted) throw error;
    } finally {
      bar.stop();
      settle();
      release();
    }
    if (json) printJson({ ...sum, sent: done, of: total, ...(done < total && { resumeFrom: at.join("/") }) });
    else
      print(
        `${count(done)} sent in = ${count(sum.accepted)} accepted + ${count(sum.duplicate)} duplicate + ${count(sum.conflict)} conflict`,
      );
  } finally {
    await deployment.close();
  }
}

async function* pagesOf(
  { store }: OpenDeployment,
  partition: number,
  [fromPartition, fromSeq]: readonly [number, number],
  upTo: number | undefined,
) {
  const oldest = (await store.oldestRecord(partition)) ?? 1;
  const last = upTo ?? (await store.chunk(partition, null, 1)).seq;
  yield* journalPages(store, partition, Math.max(oldest, partition === fromPartition ? fromSeq : 0), last);
}

async function confirmed(total: number): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`Type ${total} to send them in: `)).trim() === String(total);
  } finally {
    terminal.close();
  }
}
