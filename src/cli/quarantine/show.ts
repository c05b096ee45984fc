/** `gatehouse quarantine show`. */
import type { Command } from "commander";
import type { JournalRecord } from "../../../machines/outcome.js";
import { readConfig } from "../../config.js";
import { type SetAside, readSetAside } from "../../quarantine/set-aside.js";
import { NotFoundError } from "../failure.js";
import { JSON_OPTION, sessionIdOf, shortId } from "../options.js";
import { openToRead } from "../redis-access.js";
import { columns, count, counted, instant, note, paintOut, print, printJson } from "../terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse quarantine show phone-17/adele
  $ gatehouse quarantine show phone-17/adele --json | jq '.records[0]'

The first record is the event that could not be processed. --json has every record whole.`;

/** Records that a reader is shown. */
const SHOWN = 20;

export function quarantineShowCommand(quarantine: Command): void {
  quarantine
    .command("show")
    .summary("show why one was set aside, and what came since")
    .description("Shows a session that was set aside: the reason, the event, and what was reported since.")
    .argument("<session>", "device/user[/app], or all of tenant/device/user/app")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (text: string, { json }: { readonly json?: true }) => {
      const config = readConfig();
      const id = sessionIdOf(text, config.tenant);
      const deployment = await openToRead(config);
      try {
        const found = await readSetAside(deployment.store, id);
        if (found === undefined) throw noSession(id);
        if (json) return printJson(found);
        for (const line of page(found)) print(line);
      } finally {
        await deployment.close();
      }
    });
}

export const noSession = (id: string): NotFoundError =>
  new NotFoundError(`there is no session ${id}`, {
    fix: "`gatehouse quarantine list` shows those that were set aside.",
  });

function page({ session, partition, kind, reason, at, state, records, isCut, toRedrive, toObey, waiting }: SetAside) {
  const rest = records.length - SHOWN;
  if (rest > 0) note(`… and ${count(rest)} records after those shown; --json has them.`);
  return [
    `${paintOut("bold", shortId(session))}  ${kind}`,
    ...columns([
      ["  why", reason],
      ...(at === undefined ? [] : [["  since", `${instant(at)} UTC`]]),
      ...(state === undefined ? [] : [["  rests in", state]]),
      ["  partition", String(partition)],
      ...(waiting === 0 ? [] : [["  waiting", `${counted(waiting, "accepted event")}, not processed yet`]]),
      ...(kind === "unreadable" ? [] : [["  redrive", `applies ${counted(toRedrive.length, "event")}`]]),
      ["  drop", `still obeys ${count(toObey.length)} of them: what the organisation reported`],
    ]),
    ...(isCut ? [paintOut("yellow", "  The journal no longer holds the first of its records.")] : []),
    "",
    ...columns(records.slice(0, SHOWN).map(recordRow)),
  ];
}

const recordRow = ({ seq, at, event, outcome, reason = "" }: JournalRecord): string[] => [
  `  ${seq}`,
  instant(at),
  event.type,
  outcome,
  reason,
];
