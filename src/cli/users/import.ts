/** `gatehouse users import`: license, groups and account of many users, from a file of any size. */
import type { Command } from "commander";
import { readConfig } from "../../config.js";
import { jsonPointer } from "../../ingest/refusal.js";
import { type Imported, importUsers } from "../../users/import-users.js";
import { LINE_BYTES, type UserLine, readUserLine } from "../../users/user-line.js";
import { NotTakenList } from "../emit/not-taken.js";
import { splitEvents } from "../../ingest/split-events.js";
import { EXIT } from "../exit-code.js";
import { openInput, showProgress } from "../input-file.js";
import { type ActOptions, asAct, record } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { openRunning } from "../redis-access.js";
import { count, print, printJson } from "../terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse users import users.ndjson
  $ az rest --url 'https://graph.microsoft.com/v1.0/users?$select=id,accountEnabled,assignedPlans&$expand=memberOf' |
      jq -c '.value[]' | gatehouse users import -

A line is {"user": "adele", "licensed": true, "groups": ["sales"], "account": "enabled"}, or a user as Graph exports it (id,
accountEnabled, assignedPlans or assignedLicenses, memberOf). What a line leaves out stays as it is known; groups are
complete. A line that can't be used costs no other line anything; each is reported with its number, and the exit code is then 3.
Importing a file again is safe: what is known already is not changed, and nobody is told anything.`;

const FIX = 'Send {"user", "licensed"?, "groups"?, "account"?: "enabled" or "disabled"}, or a Graph user with its id.';

export function usersImportCommand(users: Command): void {
  asAct(users.command("import"))
    .summary("take in license, groups and account of many users")
    .description("Takes in the users of FILE, which is NDJSON or one JSON array; - is stdin.")
    .argument("<file>", "NDJSON, or a JSON array; - for stdin")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (file: string, { json, ...options }: ActOptions & { readonly json?: true }) => {
      const config = readConfig();
      const input = await openInput(file);
      const deployment = await openRunning(config);
      const progress = showProgress(input.bytes, "users");
      const notTaken = new NotTakenList();
      const totals = { read: 0, changed: 0, unchanged: 0, told: 0 };
      const startedAt = performance.now();
      const where = { ...config, redis: deployment.redis };
      try {
        await record(where, options, { act: "users.import" }, async ({ touch }) => {
          const split = splitEvents(input.read(progress.read), { maxBytes: LINE_BYTES });
          for await (const chunk of split.chunks) {
            const lines: UserLine[] = [];
            for (const one of chunk) {
              const line = "refusal" in one ? undefined : readUserLine(one.input);
              if (line !== undefined && "user" in line) lines.push(line);
              else {
                notTaken.add(
                  split.kind,
                  one.place,
                  "refusal" in one
                    ? one.refusal
                    : {
                        code: "user.invalid",
                        path: jsonPointer(line?.path ?? []),
                        message: line?.message ?? "",
                        fix: FIX,
                      },
                );
              }
            }
            add(totals, await importUsers(deployment, config.tenant, lines));
            totals.read += chunk.length;
            progress.done(chunk.length);
            touch({ ...totals, refused: notTaken.size });
          }
        });
      } finally {
        progress.stop();
        input.close();
        await deployment.close();
      }

      const seconds = (performance.now() - startedAt) / 1_000;
      if (json) {
        printJson({
          ...totals,
          refused: notTaken.size,
          refusals: notTaken.kept,
          refusalsOmitted: notTaken.size - notTaken.kept.length,
          usersPerSecond: Math.round(totals.read / seconds),
        });
      } else {
        notTaken.show();
        print(
          `${count(totals.read)} read = ${count(totals.changed)} changed + ${count(totals.unchanged)} unchanged + ${count(notTaken.size)} refused;` +
            ` ${count(totals.told)} sessions told, ${count(Math.round(totals.read / seconds))} users/s`,
        );
      }
      if (notTaken.size > 0) process.exitCode = EXIT.refused;
    });
}

function add(totals: { -readonly [Name in keyof Imported]: number }, { changed, unchanged, told }: Imported): void {
  totals.changed += changed;
  totals.unchanged += unchanged;
  totals.told += told;
}
