/** `gatehouse doctor`: what is wrong with a deployment, and what to do about it. */
import type { Command } from "commander";
import { readConfig } from "../config.js";
import { CHECK_LEVELS, type CheckLevel, type DoctorCheck } from "./doctor/check.js";
import { type Examination, examine } from "./doctor/examine.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { JSON_OPTION } from "./options.js";
import { columns, paintOut, print, printJson, wrapLine } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse doctor
  $ gatehouse doctor --quick --json

Looks at Redis (whether it answers, its settings, access, clock and memory), at the work (workers, backlog, partitions
that stand still, deadlines), policies, deliveries, journals, the archive and sessions that were set aside. Each is ok, a
warning or failed, with what to do. Ends with 0 also where there are warnings; with 1 if a check failed; with 6 if Redis
can't be reached. It changes nothing.`;

export function doctorCommand(program: Command): void {
  program
    .command("doctor")
    .summary("find what is wrong, and say what to do about it")
    .description("Examines a deployment, and says for each thing that is wrong what to do.")
    .option("--quick", "leave out what looks at every session")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ quick = false, json }: { readonly quick?: boolean; readonly json?: true }) => {
      const examination = await examine(readConfig(), quick);
      const { checks } = examination;
      if (json) printJson({ healthy: countOf(checks, "failed") === 0, ...totals(checks), checks });
      else for (const line of page(checks)) print(line);
      process.exitCode = exitCodeOf(examination);
    });
}

const countOf = (checks: readonly DoctorCheck[], level: CheckLevel): number =>
  checks.filter((check) => check.level === level).length;

const totals = (checks: readonly DoctorCheck[]) =>
  Object.fromEntries(CHECK_LEVELS.map((level) => [level, countOf(checks, level)]));

function exitCodeOf({ checks, reachable }: Examination): ExitCode {
  if (!reachable) return EXIT.unavailable;
  return countOf(checks, "failed") > 0 ? EXIT.failure : EXIT.ok;
}

const PAINT: Readonly<Record<CheckLevel, Parameters<typeof paintOut>[0]>> = {
  ok: "green",
  warning: "yellow",
  failed: ["bold", "red"],
};

function page(checks: readonly DoctorCheck[]): string[] {
  const names = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, level, detail, fix }) => [
    ...columns([[paintOut(PAINT[level], level.padEnd("warning".length)), name.padEnd(names), detail]]),
    ...(fix === undefined ? [] : fix.split("\n").flatMap((line) => wrapLine(`         → ${line}`, 2))),
  ]);
  const { warning = 0, failed = 0 } = totals(checks);
  const said =
    warning + failed === 0 ? paintOut(["bold", "green"], "All well.") : `${failed} failed, ${warning} to look at.`;
  return [...lines, "", said];
}
