/** `gatehouse quarantine drop`. */
import type { Command } from "commander";
import { sessionIdParts } from "../../../machines/session/session.js";
import { readConfig } from "../../config.js";
import { type ActOptions, asAct, record } from "../act.js";
import { confirmed } from "../confirm.js";
import { JSON_OPTION, sessionIdOf, shortId } from "../options.js";
import { openRunning } from "../redis-access.js";
import { columns, count, counted, note, print, printJson } from "../terminal.js";
import { decideAll, readAll, report, tallied, waitOption } from "./decide.js";
import { noSession } from "./show.js";

const EXAMPLE = `
Example:
  $ gatehouse quarantine drop phone-17/adele
  $ gatehouse quarantine drop phone-17/adele --yes --reason "the snapshot is damaged"

The session is signed out (reason givenUp), decisions for it are deny, and the next sign-in begins anew: the PIN has to be
set again. What the app reported since it was set aside is not applied; what the organisation said still counts: a wipe
is still to be done, a verdict still stands. Records stay in the journal. It can't be undone.`;

interface DropOptions extends ActOptions {
  readonly wait: number;
  readonly yes?: true;
  readonly json?: true;
}

export function quarantineDropCommand(quarantine: Command): void {
  asAct(quarantine.command("drop"))
    .summary("give sessions up: signed out, to begin anew; first a preview")
    .description("Gives up sessions that were set aside, by name.")
    .argument("<session...>", "device/user[/app], or all of tenant/device/user/app")
    .addOption(waitOption())
    .option("--yes", "do not ask")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (named: readonly string[], options: DropOptions) => {
      const { yes, json, wait: waitMs } = options;
      const config = readConfig();
      const ids = [...new Set(named.map((text) => sessionIdOf(text, config.tenant)))];
      const deployment = await openRunning(config);
      try {
        const found = await readAll(deployment, ids, true);
        const missing = ids.find((id) => !found.some(({ session }) => session === id));
        if (missing !== undefined) throw noSession(missing);
        const sessions = found.map(({ at: _, isCut: __, ...one }) => one);
        if (!json) {
          for (const { session, kind, reason, events, obeyed } of sessions) {
            print(shortId(session));
            for (const line of columns([
              [`  ${kind}`, reason],
              ["  given up", kind === "unreadable" ? "all that was known" : counted(events, "event")],
              ["  still obeyed", `${count(obeyed)} of the organisation's`],
            ]))
              print(line);
          }
        }
        if (yes !== true) {
          if (json) return printJson({ dropped: false, sessions });
          if (!process.stdin.isTTY) return note("Nothing was changed: --yes drops them.");
          if (!(await confirmed("give so many sessions up", String(found.length)))) return note("Nothing was changed.");
        }
        const [only] = found;
        const person = found.length === 1 && only !== undefined ? { person: sessionIdParts(only.session) } : {};
        const where = { ...config, redis: deployment.redis };
        const outcome = await record(where, options, { act: "quarantine.drop", ...person }, async ({ touch, know }) => {
          const ended = await decideAll(deployment, ids, "quarantine.dropped", { waitMs }, (decided) =>
            touch({ sessions: decided.length, ...tallied(decided) }),
          );
          if (ended.isInterrupted) know({ interrupted: true });
          return ended;
        });
        report("given up", outcome, found.length, json === true);
        if (json) printJson({ dropped: true, interrupted: outcome.isInterrupted, results: outcome.decided });
      } finally {
        await deployment.close();
      }
    });
}
