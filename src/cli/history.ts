/** `gatehouse history`: what happened to one session, record by record. */
import type { Command } from "commander";
import type { JournalRecord } from "../../machines/outcome.js";
import type { SessionId } from "../../machines/session/session.js";
import { type Config, readConfig } from "../config.js";
import { RulesSource } from "../control/rules-source.js";
import { failedGuards } from "../replay/failed-guards.js";
import type { History } from "../sessions/history.js";
import { type RecordedEffect, recordedEffects } from "../sessions/recorded-effects.js";
import { openWebhooks } from "../webhooks/open-webhooks.js";
import { ARCHIVE_OPTION } from "./archive-to-read.js";
import { standing } from "./effects/words.js";
import { UsageError } from "./failure.js";
import { type OpenJournal, openJournal } from "./journal-run.js";
import { type Moment, atMoment, moment } from "./moment.js";
import { JSON_OPTION, sessionIdOf, shortId, wholeNumber } from "./options.js";
import { type Past, pastOf } from "./session-past.js";
import { count, instant, note, paintOut, print, printJson, wrap } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse history phone-17/adele --limit 20
  $ gatehouse history phone-17/adele --since 2h --guards --deliveries
  $ gatehouse history phone-17/adele --archive /var/lib/gatehouse/archive

Oldest first. Each record says when, which event, from which state to which, which facts changed, what followed, and from
where on another policy version counts. --guards adds which of the chart's guards said no, found by folding the session
again; --deliveries how each effect fared at each webhook endpoint. With an archive (--archive, else GATEHOUSE_ARCHIVE_DIR)
it goes on where the journal was trimmed; without Redis, or of a session that is gone, it tells what is archived.`;

interface HistoryOptions {
  readonly limit?: number;
  readonly since?: Moment;
  readonly guards?: true;
  readonly deliveries?: true;
  readonly archive?: string;
  readonly json?: true;
}

export function historyCommand(program: Command): void {
  program
    .command("history")
    .summary("tell what happened to one session")
    .description("Prints a session's journal records, oldest first.")
    .argument("<session>", "device/user[/app], or all of tenant/device/user/app")
    .option("--limit <n>", "records at most: the newest ones", wholeNumber(1))
    .option("--since <time>", "records from then on", moment)
    .option("--guards", "which guards said no")
    .option("--deliveries", "how effects fared on their way out")
    .option(...ARCHIVE_OPTION)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(history);
}

/** A record, and what was asked for beside it. */
interface ToldRecord extends JournalRecord {
  readonly failedGuards?: readonly string[];
  readonly deliveries?: readonly RecordedEffect[];
}

async function history(
  text: string,
  { limit, since, guards, deliveries, archive, json }: HistoryOptions,
): Promise<void> {
  const config = readConfig();
  const id = sessionIdOf(text, config.tenant);
  const opened = await openJournal(config, archive);
  try {
    // What guards were asked depends on all that was before.
    const past = await pastOf(opened, id, guards ? undefined : limit);
    const { partition, waiting, now } = past;
    const asked = guards ? await guardsOf(opened, id, past) : undefined;
    const wanted = past.records.filter(({ at }) => since === undefined || at >= atMoment(since, now));
    const cut = limit !== undefined && wanted.length > limit ? "limit" : past.cut;
    const fates = deliveries ? await deliveriesOf(config, opened) : undefined;
    const records: ToldRecord[] = [];
    for (const record of limit === undefined ? wanted : wanted.slice(-limit)) {
      records.push({
        ...record,
        ...(asked && { failedGuards: asked.get(record.seq) ?? [] }),
        ...(fates && { deliveries: await fates(partition, record) }),
      });
    }
    const { erased } = past;
    const told = { records, ...(erased !== undefined && { erased }), ...(cut && { cut }) };
    if (json) printJson({ session: id, partition, waiting, ...told });
    else show(shortId(id), waiting, told);
  } finally {
    await opened.close();
  }
}

/** @throws UsageError, NotReplayableError */
async function guardsOf(
  { catalogues }: OpenJournal,
  id: SessionId,
  { records, cut, erased }: Past,
): Promise<ReadonlyMap<number, readonly string[]>> {
  if (cut !== undefined || erased !== undefined) {
    throw new UsageError(`the first records of ${shortId(id)} are not kept, so what guards said can't be told`, {
      fix: "Leave out --guards, or name an archive that goes back as far.",
    });
  }
  const tenant = id.slice(0, id.indexOf("/"));
  const rules = new RulesSource(catalogues);
  const versions = new Set(records.flatMap(({ version }) => version ?? []));
  await rules.prepare(
    {},
    [...versions].map((version) => ({ tenant, version })),
  );
  return failedGuards(id, records, (version, session) => rules.rulesOf(tenant, version, session));
}

/** @throws UsageError, ConfigError, StoreUnavailableError */
async function deliveriesOf(config: Config, { deployment }: OpenJournal) {
  if (deployment === undefined) {
    throw new UsageError("deliveries are not archived", { fix: "Start Redis, or leave out --deliveries." });
  }
  const { store, prefix, redis } = deployment;
  const webhooks = await openWebhooks(redis, config);
  return async (partition: number, record: JournalRecord) =>
    recordedEffects({ store, webhooks, prefix }, config.tenant, partition, record);
}

function show(
  id: string,
  waiting: number,
  { records, erased = 0, cut }: { readonly records: readonly ToldRecord[] } & Omit<History, "records">,
): void {
  print(paintOut("bold", id));
  if (cut === "limit") note("(older records are left out; --limit shows more)");
  if (cut === "trimmed") note("(older records are no longer kept)");
  const [oldest] = records;
  if (oldest?.outcome === "quarantined" && oldest.from === undefined && cut === undefined)
    note("(its snapshot could not be read then: no record leads to those before)");
  if (erased > 0) note(`(${count(erased)} erased)`);
  let day = "";
  let version: number | undefined;
  for (const record of records) {
    const [date = "", time = ""] = new Date(record.at).toISOString().slice(0, 23).split("T");
    if (date !== day) print(paintOut("dim", `${date} UTC`));
    day = date;
    for (const line of recordLines(time, record, version)) print(line);
    version = record.version ?? version;
  }
  if (records.length === 0 && cut === undefined && erased + waiting === 0) note("(nothing was recorded since then)");
  if (waiting > 0) note(`(${waiting} accepted events wait for a worker)`);
}

const INDENT = " ".repeat(14);

function recordLines(time: string, record: ToldRecord, versionBefore: number | undefined): string[] {
  const { event, outcome, reason, from, to, effects, changed, version, failedGuards: failed, deliveries } = record;
  const moved =
    from === to ? paintOut("dim", `in ${from ?? "no state"}`) : `${from} → ${paintOut("bold", to ?? "none")}`;
  const told = effects.map(({ type, data }) => (type === "notify" ? `notify ${data.key}` : type));
  const under =
    version === undefined || version === versionBefore ? "" : paintOut("dim", `  policy version ${version}`);
  return [
    `${time}  ${event.type}  ${outcome === "applied" ? moved : paintOut("yellow", outcome)}${under}`,
    ...(reason === undefined ? [] : wrap(reason.split(" "), INDENT)),
    ...("note" in event && event.note !== undefined ? wrap(`“${event.note}”`.split(" "), INDENT) : []),
    ...(changed === undefined ? [] : listed("facts", Object.entries(changed).map(factWords))),
    ...(failed === undefined || failed.length === 0 ? [] : listed("not", failed)),
    ...(deliveries === undefined ? listed("", told) : deliveries.flatMap(deliveryLines)),
  ];
}

function listed(label: string, items: readonly string[]): string[] {
  const words = items.map((item, n) => (n < items.length - 1 ? `${item},` : item));
  return wrap(label === "" || items.length === 0 ? words : [`${label}:`, ...words], INDENT).map((line) =>
    paintOut("dim", line),
  );
}

const MOST_CHARS = 80;
/** Of an id within a fact. */
const MOST_ID_CHARS = 12;
/** A number beyond it among the facts is a time, epoch ms. */
const EARLIEST_MS = Date.UTC(2001, 8, 9);

/** A fact with its new value: `cause=osVersion`, `wipe` gone as `-wipe`. */
function factWords([fact, value]: readonly [string, unknown]): string {
  if (value === null) return `-${fact}`;
  const isTime = typeof value === "number" && value > EARLIEST_MS;
  const text = typeof value === "string" ? value : isTime ? instant(value) : shortJson(value);
  return `${fact}=${text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text}`;
}

/** `{requestId:adm-b3abd7ab…,scope:app,status:pending}`: to be read, not to be parsed. */
function shortJson(value: unknown): string {
  const short = (_: string, part: unknown): unknown =>
    typeof part === "string" && part.length > MOST_ID_CHARS ? `${part.slice(0, MOST_ID_CHARS)}…` : part;
  return JSON.stringify(value, short).replaceAll('"', "");
}

function deliveryLines({ type, id, waits, deliveries }: RecordedEffect): string[] {
  const how = waits ? "waits to be handed over" : deliveries.length === 0 ? "no endpoint's log has it" : "";
  return [
    `${INDENT}${type}${id === undefined ? "" : paintOut("dim", `  ${id}`)}${how === "" ? "" : paintOut("dim", `  ${how}`)}`,
    ...deliveries.map((delivery) => `${INDENT}  ${delivery.endpoint}  ${standing(delivery)}`),
  ];
}
