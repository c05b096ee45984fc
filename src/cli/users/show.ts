/** `gatehouse users show`: what is known of one user, and how their sessions stand. */
import type { Command } from "commander";
import { decide } from "../../../machines/decision.js";
import { canonicalId } from "../../../machines/users/canonical-id.js";
import type { UserRecord } from "../../../machines/users/user-record.js";
import { readConfig } from "../../config.js";
import type { OpenDeployment } from "../../deployment/open-deployment.js";
import { isUserSubject } from "../../ingest/cloud-event.js";
import { look } from "../../sessions/look.js";
import type { UserId, UserStore } from "../../users/user-store.js";
import { UsageError, UserNotFoundError } from "../failure.js";
import { JSON_OPTION, shortId, wholeNumber } from "../options.js";
import { openToRead } from "../redis-access.js";
import { columns, count, instant, note, paintOut, print, printJson } from "../terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse users show adele

Shows the user's record and each of the user's sessions as it stands now. A session that was not told the record's last
version yet is judged by it all the same.`;

export function usersShowCommand(users: Command): void {
  users
    .command("show")
    .summary("show what is known of a user, and the user's sessions")
    .description("Shows what is known of USER, and how the user's sessions stand.")
    .argument("<user>")
    .option("--limit <n>", "sessions at most", wholeNumber(1), 100)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (name: string, { limit, json }: { readonly limit: number; readonly json?: true }) => {
      if (!isUserSubject(name)) {
        throw new UsageError(`${JSON.stringify(name)} names no user`, {
          fix: "A user's name is 1–128 letters, digits, `.`, `_` and `-`.",
        });
      }
      const config = readConfig();
      const user: UserId = { tenant: config.tenant, user: canonicalId(name) };
      const deployment = await openToRead(config);
      try {
        const record = await deployment.users.read(user);
        const { sessions, more } = await readSessions(deployment, user, limit);
        if (record === undefined && sessions.length === 0) {
          throw new UserNotFoundError(`nothing is known of the user ${user.user}`, {
            fix: "A user is known from an event, an import or a sign-in on. `gatehouse sessions --user …` looks through stored sessions.",
          });
        }
        if (json) printJson({ user: user.user, record: record ?? null, sessions, more });
        else {
          for (const line of page(user.user, record, sessions)) print(line);
          if (more) note(`… and more; --limit shows more than ${count(limit)}.`);
        }
      } finally {
        await deployment.close();
      }
    });
}

interface ShownSession {
  readonly session: string;
  /** Absent: it never began, or can't be read. */
  readonly state?: string;
  readonly decision?: string;
  readonly reasons?: readonly string[];
}

async function readSessions(
  deployment: OpenDeployment,
  user: UserId,
  limit: number,
): Promise<{ sessions: ShownSession[]; more: boolean }> {
  const ids = new Set<string>();
  let from: string | null = null;
  do {
    const page: Awaited<ReturnType<UserStore["sessionsOf"]>> = await deployment.users.sessionsOf(user, from, limit);
    for (const { device, app } of page.sessions) ids.add(`${user.tenant}/${device}/${user.user}/${app}`);
    from = page.next;
  } while (from !== null && ids.size <= limit);
  const shown = [...ids].sort().slice(0, limit);
  const sessions: ShownSession[] = [];
  for (const id of shown) {
    const { session, rules, now } = await look(deployment, id);
    if (session === undefined || "unreadable" in session || rules === undefined) sessions.push({ session: id });
    else {
      const { decision, reasons } = decide(session, rules, now);
      sessions.push({ session: id, state: session.state, decision, reasons });
    }
  }
  return { sessions, more: ids.size > shown.length };
}

function page(user: string, record: UserRecord | undefined, sessions: readonly ShownSession[]): string[] {
  const known = (value: string | undefined): string => value ?? paintOut("dim", "never told");
  return [
    paintOut("bold", user),
    ...columns([
      ["  license", known(record?.licensed === undefined ? undefined : record.licensed ? "yes" : "no")],
      ["  account", known(record?.account)],
      ["  groups", known(record?.groups && (record.groups.length === 0 ? "none" : record.groups.join(", ")))],
      ...(record === undefined ? [] : [["  version", `${record.version}, of ${instant(record.at)} UTC`]]),
    ]),
    "",
    paintOut("bold", "Sessions"),
    ...(sessions.length === 0
      ? ["  none"]
      : columns(
          sessions.map(({ session, state, decision, reasons = [] }) => [
            `  ${shortId(session)}`,
            state ?? "never began",
            [decision ?? "", ...reasons].join(" "),
          ]),
        )),
  ];
}
