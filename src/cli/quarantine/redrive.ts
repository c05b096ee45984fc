/** `gatehouse quarantine redrive`. */
import type { Command } from "commander";
import type { Act } from "../../audit/audit-log.js";
import { readConfig } from "../../config.js";
import { type ActOptions, asAct, record } from "../act.js";
import { confirmed } from "../confirm.js";
import { JSON_OPTION, sessionIdOf, shortId } from "../options.js";
import { openRunning } from "../redis-access.js";
import { columns, count, counted, instant, note, paintOut, print, printJson } from "../terminal.js";
import { sessionIdParts } from "../../../machines/session/session.js";
import { decideAll, readAll, report, tallied, waitOption } from "./decide.js";
import { type FilterOptions, idsOf, reasonLines, withFilter } from "./filter.js";

const EXAMPLE = `
Example:
  $ gatehouse quarantine redrive
  $ gatehouse quarantine redrive --event posture.reported --yes --reason "release 1.4.2 mends it"
  $ gatehouse quarantine redrive phone-17/adele --yes

Says first how many sessions and events there are, and asks; without a terminal it asks nothing and changes nothing until
--yes is given. Mend the cause before: a session whose event fails again stays set aside, with nothing lost. Each session
is done whole or not at all, so running it again after an interruption goes on, and twice does no harm. Ends with 3 if
some session stays set aside.`;

interface RedriveOptions extends FilterOptions, ActOptions {
  readonly despiteLoss?: true;
  readonly wait: number;
  readonly yes?: true;
  readonly json?: true;
}

/** Sessions that a preview names. */
const SHOWN = 10;

export function quarantineRedriveCommand(quarantine: Command): void {
  asAct(withFilter(quarantine.command("redrive")))
    .summary("let them go on, with all that came since; first a preview")
    .description("Lifts the quarantine of the sessions named, else of all that the filter finds.")
    .argument("[session...]", "device/user[/app], or all of tenant/device/user/app")
    .option("--despite-loss", "although the journal no longer holds the first of a session's events")
    .addOption(waitOption())
    .option("--yes", "do not ask")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (named: readonly string[], options: RedriveOptions) => {
      const { yes, json, wait: waitMs, despiteLoss = false } = options;
      const config = readConfig();
      const { tenant } = config;
      for (const text of named) sessionIdOf(text, tenant);
      const deployment = await openRunning(config);
      try {
        const ids = await idsOf(deployment.store, tenant, named, options);
        const found = await readAll(deployment, ids, named.length > 0);
        const events = found.reduce((sum, one) => sum + one.events, 0);
        const cut = found.filter(({ isCut }) => isCut).length;
        const unreadable = found.filter(({ kind }) => kind === "unreadable").length;
        const preview = { sessions: found.length, events, cut, unreadable };
        if (found.length === 0) {
          if (json) return printJson({ redriven: false, ...preview });
          return note("No session was set aside: there is nothing to redrive.");
        }
        if (!json) {
          print(`${counted(found.length, "session")}, ${counted(events, "event")}`);
          for (const line of reasonLines(found.map(({ reason }) => reason))) print(line);
          const rows = found
            .slice(0, SHOWN)
            .map(({ session, at, events: n }) => [
              `  ${shortId(session)}`,
              counted(n, "event"),
              at === undefined ? "" : `since ${instant(at)} UTC`,
            ]);
          for (const line of columns(rows)) print(line);
          if (found.length > SHOWN) print(`  … and ${count(found.length - SHOWN)} more`);
          if (unreadable > 0)
            print(paintOut("yellow", `  ${count(unreadable)} can't be read: drop is all there is for them`));
          if (cut > 0)
            print(paintOut("yellow", `  of ${count(cut)} the journal no longer holds all: see --despite-loss`));
        }
        if (yes !== true) {
          if (json) return printJson({ redriven: false, ...preview });
          if (!process.stdin.isTTY) return note("Nothing was changed: --yes redrives them.");
          if (!(await confirmed("redrive so many sessions", String(found.length)))) return note("Nothing was changed.");
        }
        const [only] = found;
        const act: Act = {
          act: "quarantine.redrive",
          about: {
            why: options.why,
            event: options.event,
            partition: options.partition,
            kind: options.kind,
            despiteLoss,
          },
          person:
            found.length === 1 && only !== undefined
              ? sessionIdParts(only.session)
              : { user: options.user, device: options.device },
        };
        const where = { ...config, redis: deployment.redis };
        const outcome = await record(where, options, act, async ({ touch, know }) => {
          const ended = await decideAll(
            deployment,
            found.map(({ session }) => session),
            "quarantine.lifted",
            { waitMs, despiteLoss },
            (decided) => touch({ sessions: decided.length, ...tallied(decided) }),
          );
          if (ended.isInterrupted) know({ interrupted: true });
          return ended;
        });
        report("goes on", outcome, found.length, json === true);
        if (json)
          printJson({ redriven: true, ...preview, interrupted: outcome.isInterrupted, results: outcome.decided });
      } finally {
        await deployment.close();
      }
    });
}
