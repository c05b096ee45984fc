/** `gatehouse export-spec`: a session's history as a test that runs by itself and names nobody. */
import type { Command } from "commander";
import { readConfig } from "../config.js";
import { rulesOfHistory } from "../sessions/rules-of-history.js";
import { fromHistory } from "../testing/from-history.js";
import { requirePlayable } from "../testing/history-errors.js";
import { ARCHIVE_OPTION } from "./archive-to-read.js";
import { openJournal } from "./journal-run.js";
import { JSON_OPTION, sessionIdOf, shortId } from "./options.js";
import { pastOf, requireRecords } from "./session-past.js";
import { count, note, printJson } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse export-spec phone-17/adele > adele.test.ts
  $ npx vitest run adele.test.ts

The file has everything that the session went through, the rules that it was judged by, and what each event led to. Ids,
names of policies, groups, devices and models, and free text are replaced by placeholders, and times are relative. It needs
gatehouse and vitest, and no Redis. What was processed so far is exported; docs/testing.md says more.`;

export function exportSpecCommand(program: Command): void {
  program
    .command("export-spec")
    .summary("turn a session's history into a test")
    .description("Prints a test file, for vitest and gatehouse/testing, from a session's journal records.")
    .argument("<session>", "device/user[/app], or all of tenant/device/user/app")
    .option(...ARCHIVE_OPTION)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (text: string, { archive, json }: { readonly archive?: string; readonly json?: true }) => {
      const config = readConfig();
      const id = sessionIdOf(text, config.tenant);
      const opened = await openJournal(config, archive);
      try {
        const past = await pastOf(opened, id);
        requireRecords(id, past);
        const { records, waiting } = past;
        // Said before any rules are looked for: those of records that are gone can't be known.
        requirePlayable(past);
        const rules = await rulesOfHistory(opened.catalogues, id, records);
        const { source, steps, replaced } = fromHistory({ session: id, records, rules });
        if (json) {
          printJson({ session: id, records: records.length, steps: steps.length, replaced, waiting, source });
        } else {
          process.stdout.write(source);
          note(`${shortId(id)}: ${count(records.length)} records, ${count(replaced)} names replaced`);
          if (waiting > 0) note(`(${waiting} accepted events wait for a worker, and are not in it)`);
        }
      } finally {
        await opened.close();
      }
    });
}
