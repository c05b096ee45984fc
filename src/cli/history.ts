/** `gatehouse history`: what happened to one session, record by record. */
import type { Command } from "commander";
import type { JournalRecord } from "../../machines/outcome.js";
import type { SessionId } from "../../machines/session/session.js";
import { JournalArchive } from "../archive/journal-archive.js";
import { type Config, readConfig } from "../config.js";
import { StoreUnavailableError } from "../errors.js";
import { type History, oneAfterTheOther, readHistory } from "../sessions/history.js";
import { look } from "../sessions/look.js";
import { NotFoundError } from "./failure.js";
import { JSON_OPTION, sessionIdOf, shortId, wholeNumber } from "./options.js";
import { RedisNotRunningError, openToRead } from "./redis-access.js";
import { readable } from "./session.js";
import { count, note, paintOut, print, printJson, wrap } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse history phone-17/adele --limit 20
  $ gatehouse history phone-17/adele --archive /var/lib/gatehouse/archive

Oldest first. Each record says when, which event, from which state to which, and what followed. With an archive
(--archive, else GATEHOUSE_ARCHIVE_DIR) it goes on where the journal was trimmed; without Redis, or of a session that is
gone, it tells what is archived.`;

export function historyCommand(program: Command): void {
  program
    .command("history")
    .summary("tell what happened to one session")
    .description("Prints a session's journal records, oldest first.")
    .argument("<session>", "device/user[/app], or all of tenant/device/user/app")
    .option("--limit <n>", "records at most: the newest ones", wholeNumber(1))
    .option("--archive <dir>", "go on in this archive; default: GATEHOUSE_ARCHIVE_DIR")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (text: string, { limit, json, archive: named }: HistoryOptions) => {
      const config = readConfig();
      const id = sessionIdOf(text, config.tenant);
      const archive = await archiveToRead(named, config);
      const { partition, waiting, ...history } = await pastOf(config, id, archive, limit);
      if (json) printJson({ session: id, partition, waiting, ...history });
      else show(shortId(id), waiting, history);
    });
}

interface HistoryOptions {
  readonly limit?: number;
  readonly json?: true;
  readonly archive?: string;
}

async function archiveToRead(
  named: string | undefined,
  { archiveDirectory }: Config,
): Promise<JournalArchive | undefined> {
  if (named !== undefined) return JournalArchive.open(named);
  if (archiveDirectory === undefined || !(await JournalArchive.isThere(archiveDirectory))) return undefined;
  return JournalArchive.open(archiveDirectory);
}

interface Past extends History {
  readonly partition: number;
  readonly waiting: number;
}

/** @throws NotFoundError */
async function pastOf(
  config: Config,
  id: SessionId,
  archive: JournalArchive | undefined,
  limit: number | undefined,
): Promise<Past> {
  try {
    const deployment = await openToRead(config);
    try {
      const { partition, waiting, lastRecord } = readable(id, await look(deployment, id));
      const reader = archive === undefined ? deployment.store : oneAfterTheOther(deployment.store, archive);
      return { partition, waiting, ...(await readHistory(reader, partition, lastRecord, { limit })) };
    } finally {
      await deployment.close();
    }
  } catch (error) {
    const isThereMore = [RedisNotRunningError, StoreUnavailableError, NotFoundError].some(
      (kind) => error instanceof kind,
    );
    if (archive === undefined || !isThereMore) throw error;
    const history = await archive.history(id, undefined, limit);
    if (history.records.length === 0) throw error;
    note(`(${(error as Error).message}: this is what is archived)`);
    return { partition: archive.partitionOf(id), waiting: 0, ...history };
  }
}

function show(id: string, waiting: number, { records, erased = 0, cut }: History): void {
  print(paintOut("bold", id));
  if (cut === "limit") note("(older records are left out; --limit shows more)");
  if (cut === "trimmed") note("(older records are no longer kept)");
  if (erased > 0) note(`(${count(erased)} erased)`);
  let day = "";
  for (const record of records) {
    const [date = "", time = ""] = new Date(record.at).toISOString().slice(0, 23).split("T");
    if (date !== day) print(paintOut("dim", `${date} UTC`));
    day = date;
    for (const line of recordLines(time, record)) print(line);
  }
  if (waiting > 0) note(`(${waiting} accepted events wait for a worker)`);
}

const INDENT = " ".repeat(14);

function recordLines(time: string, { event, outcome, reason, from, to, effects }: JournalRecord): string[] {
  const moved = from === to ? paintOut("dim", `in ${from ?? "no state"}`) : `${from} → ${paintOut("bold", to ?? "")}`;
  const told = effects.map(({ type, data }) => (type === "notify" ? `notify ${data.key}` : type));
  return [
    `${time}  ${event.type}  ${outcome === "applied" ? moved : paintOut("yellow", outcome)}`,
    ...(reason === undefined ? [] : wrap(reason.split(" "), INDENT)),
    ...wrap(
      told.map((effect, n) => (n < told.length - 1 ? `${effect},` : effect)),
      INDENT,
    ).map((line) => paintOut("dim", line)),
  ];
}
