/** `gatehouse history`: what happened to one session, record by record. */
import type { Command } from "commander";
import type { JournalRecord } from "../../machines/outcome.js";
import { readConfig } from "../config.js";
import { type History, readHistory } from "../sessions/history.js";
import { look } from "../sessions/look.js";
import { JSON_OPTION, sessionIdOf, shortId, wholeNumber } from "./options.js";
import { openToRead } from "./redis-access.js";
import { readable } from "./session.js";
import { count, note, paintOut, print, printJson, wrap } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse history phone-17/adele --limit 20

Oldest first. Each record says when, which event, from which state to which, and what followed.`;

export function historyCommand(program: Command): void {
  program
    .command("history")
    .summary("tell what happened to one session")
    .description("Prints a session's journal records, oldest first.")
    .argument("<id>", "device/user[/app], or all of tenant/device/user/app")
    .option("--limit <n>", "records at most: the newest ones", wholeNumber(1))
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (text: string, { limit, json }: { readonly limit?: number; readonly json?: true }) => {
      const config = readConfig();
      const id = sessionIdOf(text, config.tenant);
      const deployment = await openToRead(config);
      try {
        const { partition, waiting, lastRecord } = readable(id, await look(deployment, id));
        const history = await readHistory(deployment.store, partition, lastRecord, { limit });
        if (json) printJson({ session: id, partition, waiting, ...history });
        else show(shortId(id), waiting, history);
      } finally {
        await deployment.close();
      }
    });
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
