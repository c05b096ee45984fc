/** A dry run in words: what hurts most comes first. */
import type { DryRun, DryRunExample } from "../../control/dry-run.js";
import { shortId } from "../options.js";
import { columns, count, paintOut, wrapLine } from "../terminal.js";
import { many } from "./words.js";

export function dryRunLines(run: DryRun): string[] {
  const { sessions, stateChanges, rulesOnly, wiped, wipedExamples, loseAccess, gainAccess, challenged, moves } = run;
  return [
    ...(wiped === 0
      ? []
      : [
          paintOut(["bold", "red"], `WIPES DATA in ${many(wiped, "session", "sessions")}.`),
          ...wipedExamples.flatMap(exampleLines),
          "",
        ]),
    paintOut("bold", `${many(stateChanges, "session", "sessions")} of ${count(sessions)} would change state.`),
    ...columns([
      ["  lose access", amount(loseAccess, "red")],
      ["  gain access", amount(gainAccess, "green")],
      ["  asked for a PIN or to sign in", amount(challenged, "yellow")],
      ["  other rules, same state", count(rulesOnly)],
    ]),
    ...moves.flatMap(({ from, to, sessions: moved, examples }) => [
      "",
      `${from} → ${paintOut("bold", to)}  ${count(moved)}`,
      ...examples.flatMap(exampleLines),
    ]),
    ...(run.unreadable === 0
      ? []
      : [
          "",
          `${many(run.unreadable, "stored session", "stored sessions")} can't be read; decisions for them are deny.`,
        ]),
    "",
    paintOut("dim", "Nothing was changed. Events that wait for a worker are not counted in."),
  ];
}

const amount = (n: number, colour: "red" | "green" | "yellow"): string => (n === 0 ? "0" : paintOut(colour, count(n)));

const exampleLines = ({ session, reasons, message }: DryRunExample): string[] =>
  wrapLine(`  ${shortId(session)}  ${reasons.join(", ")}: ${message}`, 2).map((line) => paintOut("dim", line));
