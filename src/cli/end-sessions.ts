/** What `gatehouse wipe` and `gatehouse signout` have in common. */
import type { Command } from "commander";
import type { ActName } from "../audit/acts.js";
import { canonicalId } from "../../machines/users/canonical-id.js";
import { readConfig } from "../config.js";
import { type EndScope, type Ending, type SessionEnding, endSessions, previewEnding } from "../ending/end-sessions.js";
import { isSubject, isUserSubject } from "../ingest/cloud-event.js";
import { type ActOptions, asAct, record } from "./act.js";
import { confirmed } from "./confirm.js";
import { EXIT } from "./exit-code.js";
import { UsageError, UserNotFoundError } from "./failure.js";
import { JSON_OPTION, shortId } from "./options.js";
import { openRunning } from "./redis-access.js";
import { columns, count, note, paintOut, print, printJson } from "./terminal.js";

export interface EndOptions extends ActOptions {
  readonly device?: string;
  readonly app?: string;
  readonly yes?: true;
  readonly json?: true;
}

export function withEndOptions(command: Command): Command {
  return asAct(command)
    .argument("<user>")
    .option("--device <device>", "on one device alone")
    .option("--app <app>", "of one app alone")
    .option("--yes", "do not ask")
    .option(...JSON_OPTION);
}

const PASSED_BY: Readonly<Record<NonNullable<SessionEnding["passedBy"]>, string>> = {
  "signed out": "signed out already",
  "wipe pending": "such a wipe is pending already",
  "no wipe": "no wipe stands",
  "no session": "has not begun",
};

/**
 * @param act as the audit log calls it
 * @param verb what is typed to confirm: `… to <verb>`
 */
export async function end(
  user: string,
  options: EndOptions,
  ending: Ending,
  { act, verb }: { readonly act: ActName; readonly verb: string },
): Promise<void> {
  const { yes, json } = options;
  const config = readConfig();
  const scope = scopeOf(config.tenant, user, options);
  const deployment = await openRunning(config);
  try {
    const previews = await previewEnding(deployment, scope, ending);
    if (previews.length === 0) {
      throw new UserNotFoundError(`${scope.user} has no such session`, {
        fix: "`gatehouse users show` lists the sessions of a user; look for the name that the directory gives.",
      });
    }
    const wanted = previews.filter(({ event }) => event !== undefined);
    const shown = previews.map(({ event: _, ...preview }) => preview);
    if (!json) for (const line of previewLines(previews)) print(line);
    if (wanted.length === 0) {
      if (json) return printJson({ user: scope.user, applied: false, sessions: shown });
      return note("There is nothing to do.");
    }
    if (yes !== true) {
      if (json) return printJson({ user: scope.user, applied: false, sessions: shown });
      if (!process.stdin.isTTY) return note("Nothing was done: --yes does it.");
      if (!(await confirmed(verb, scope.user))) return note("Nothing was done.");
    }
    const where = { ...config, redis: deployment.redis };
    const about = { app: options.app, ...(ending.what === "wipe" && { scope: ending.scope }) };
    const results = await record(where, options, { act, about, person: scope }, async ({ touch }) => {
      touch({ sessions: previews.length });
      return endSessions(deployment, config.tenant, wanted, (sent) => touch({ sent: sent.length }));
    });
    if (results.some(({ status }) => status === "refused")) process.exitCode = EXIT.refused;
    if (json) return printJson({ user: scope.user, applied: true, sessions: shown, results });
    print("");
    const words = { sent: paintOut("green", "sent"), before: "sent before", refused: paintOut("red", "refused") };
    for (const line of columns(results.map(({ session, status }) => [`  ${shortId(session)}`, words[status]])))
      print(line);
    if (ending.what !== "cancelWipe") {
      note("Decisions for them are deny from now on, though no worker may have come to them yet.");
    }
  } finally {
    await deployment.close();
  }
}

function previewLines(previews: readonly SessionEnding[]): string[] {
  const rows = previews.map(({ session, state, passedBy, isSetAside, to, effects }) => [
    `  ${shortId(session)}`,
    state ?? "can't be read",
    passedBy !== undefined
      ? paintOut("dim", PASSED_BY[passedBy])
      : isSetAside
        ? "is quarantined: obeyed when that is lifted or dropped"
        : `→ ${to}${effects.length === 0 ? "" : `: ${effects.join(", ")}`}`,
  ]);
  const wanted = previews.filter(({ event }) => event !== undefined).length;
  const sessions = previews.length === 1 ? "session is concerned" : "sessions are concerned";
  return [`${count(wanted)} of ${count(previews.length)} ${sessions}`, ...columns(rows)];
}

/** @throws UsageError */
function scopeOf(tenant: string, user: string, { device, app }: EndOptions): EndScope {
  if (!isUserSubject(user)) {
    throw new UsageError(`${JSON.stringify(user)} names no user`, {
      fix: "A user's name is 1–128 letters, digits, `.`, `_` and `-`.",
    });
  }
  if (!isSubject(`${device ?? "d"}/${user}/${app ?? "a"}`)) {
    throw new UsageError("--device or --app can't be a name", {
      fix: "A device's name is 1–64 letters, digits, `_` and `-`; an app's may have `.`, too, and 128 characters.",
    });
  }
  return { tenant, user: canonicalId(user), device: device === undefined ? undefined : canonicalId(device), app };
}
