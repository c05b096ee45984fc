/** `gatehouse sessions`: which sessions there are, and how they stand. */
import { type Command, Option } from "commander";
import type { Session } from "../../machines/session/session.js";
import { STATE_NAMES } from "../../machines/session/context.js";
import { canonicalId } from "../../machines/users/canonical-id.js";
import { readConfig } from "../config.js";
import type { OpenDeployment } from "../deployment/open-deployment.js";
import { listSessions } from "../sessions/list-sessions.js";
import {
  ASKED_CAUSES,
  ASKED_STATES,
  type SessionFilter,
  matchesFilter,
  sessionRow,
} from "../sessions/session-filter.js";
import { partitionOf } from "../store/session-key.js";
import { UsageError } from "./failure.js";
import { JSON_OPTION, shortId, wholeNumber } from "./options.js";
import { openToRead } from "./redis-access.js";
import { instant, note, paintOut, print, printJson } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse sessions --state noncompliant
  $ gatehouse sessions --cause osVersion --limit 5
  $ gatehouse session "$(gatehouse sessions --state remediating --limit 1 --ids)"

States: ${STATE_NAMES.join(", ")}.
A session is shown as it stands now: deadlines that passed and policies that were published are counted in. Events that
wait for a worker are not; \`gatehouse session ID\` has them too.`;

interface SessionsOptions extends SessionFilter {
  readonly limit: number;
  readonly ids?: true;
  readonly json?: true;
}

export function sessionsCommand(program: Command): void {
  program
    .command("sessions")
    .summary("list sessions, by state, cause, user or device")
    .description("Lists sessions.")
    .addOption(
      new Option("--state <state>", "one of the seven states, or a part of one such as unenrolled.held")
        .choices(ASKED_STATES)
        .argParser(askedState),
    )
    .addOption(
      new Option("--cause <cause>", "the cause of noncompliance, or the reason of a sign-out").choices(ASKED_CAUSES),
    )
    .option("--user <user>")
    .option("--device <device>")
    .option("--limit <n>", "sessions at most", wholeNumber(1), 20)
    .option("--ids", "print the ids alone, one a line")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (options: SessionsOptions) => {
      const config = readConfig();
      const deployment = await openToRead(config);
      try {
        // One more than asked for tells whether there are more.
        const found = await find(deployment, config.tenant, options, options.limit + 1);
        const more = found.length > options.limit;
        show(found.slice(0, options.limit), more, options);
      } finally {
        await deployment.close();
      }
    });
}

function askedState(state: string): string {
  const known: readonly string[] = ASKED_STATES;
  if (known.includes(state)) return state;
  throw new UsageError(`${JSON.stringify(state)} is no state`, { fix: `States: ${known.join(", ")}.` });
}

async function find(
  { store, rules }: OpenDeployment,
  tenant: string,
  filter: SessionFilter,
  limit: number,
): Promise<Session[]> {
  const { partitionCount } = store.deployment;
  const partitions =
    filter.device === undefined
      ? Array.from({ length: partitionCount }, (_, partition) => partition)
      : [partitionOf(tenant, canonicalId(filter.device), partitionCount)];
  const found: Session[] = [];
  let unreadable = 0;
  for (const partition of partitions) {
    for await (const page of listSessions(store, rules, partition)) {
      unreadable += page.unreadable.length;
      for (const session of page.sessions) {
        if (matchesFilter(session, tenant, filter)) found.push(session);
        if (found.length === limit) return found;
      }
    }
  }
  if (unreadable > 0) note(`${unreadable} stored sessions can't be read; decisions for them are deny.`);
  return found;
}

/** What keeps the session where it is, if it is a cause or a reason. */
function why({ state, facts, quarantine }: Session): string | undefined {
  if (quarantine !== undefined) return "quarantined";
  if (state === "signedOut")
    return [facts.signOutReason, facts.cause].filter((reason) => reason !== undefined).join(", ");
  return facts.cause;
}

function show(sessions: readonly Session[], more: boolean, { json, ids, limit }: SessionsOptions): void {
  if (json) {
    return printJson({ sessions: sessions.map(sessionRow), more });
  }
  for (const session of sessions) {
    if (ids) {
      print(shortId(session.id));
      continue;
    }
    const reason = why(session);
    print(
      `${paintOut("bold", session.state)}${reason ? ` (${reason})` : ""}${paintOut("dim", `  ${details(session)}`)}`,
    );
    // On a line of its own: with two GUIDs it is nearly as wide as a terminal.
    print(`  ${shortId(session.id)}`);
  }
  if (sessions.length === 0) note("No session matches.");
  if (more) note(`… and more: --limit ${limit * 5} shows more of them.`);
}

function details({ revision, timers }: Session): string {
  const [next] = Object.entries(timers).sort(([, one], [, other]) => one - other);
  return `revision ${revision}${next === undefined ? "" : `, ${next[0]} ${instant(next[1])}`}`;
}
