/** What a chaos run found, for people, for programs, and as files that stay. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import Table from "cli-table3";
import { count } from "../../src/cli/terminal.js";
import type { ChaosResult } from "./chaos.js";
import { FAULTS, type FaultKind } from "./nemesis.js";
import { timeline } from "./timeline.js";

const MOST_SHOWN = 20;

export interface ChaosReport {
  readonly seed: number;
  /** That things were broken. */
  readonly minutes: number;
  readonly events: number;
  readonly questions: number;
  /** Questions that were answered `deny` in doubt. */
  readonly doubts: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly violations: number;
  /** The first of them. */
  readonly violated: readonly { readonly promise: string; readonly what: string }[];
  /** From the end of a fault until every device had an event accepted again, the longest, ms. */
  readonly recoveryMsMax: number;
  readonly recoveryMs: Readonly<Partial<Record<FaultKind, number>>>;
  /** From peace until everything was committed and delivered, ms; null if it was not. */
  readonly drainedMs: number | null;
  readonly isComplete: boolean;
  readonly isChecked: boolean;
  /** Why it could not go on. */
  readonly failure?: string;
  readonly picture: string;
}

/** The report as files in the directory: report.json, report.txt and timeline.svg. */
export async function writeReport(result: ChaosResult, directory: string): Promise<ChaosReport> {
  const picture = join(directory, "timeline.svg");
  const report = reportOf(result, picture);
  const { seed, events, violations } = report;
  const verdict = report.isChecked ? `${violations} violations` : "not checked";
  const title = `Seed ${seed}: ${count(events)} events, ${result.faults.length} faults, ${verdict}`;
  await writeFile(picture, timeline({ perSecond: result.perSecond, faults: result.faults, title }));
  await writeFile(join(directory, "report.json"), `${JSON.stringify(report)}\n`);
  await writeFile(join(directory, "report.txt"), textOf(report));
  return report;
}

function reportOf(result: ChaosResult, picture: string): ChaosReport {
  const { seed, minutes, total, faults, violations, drainedMs, isComplete, isChecked, failure } = result;
  const times: Partial<Record<FaultKind, number>> = {};
  const recoveryMs: Partial<Record<FaultKind, number>> = {};
  for (const kind of FAULTS) {
    const those = faults.filter((fault) => fault.kind === kind);
    if (those.length === 0) continue;
    times[kind] = those.length;
    const known = those.flatMap((fault) => fault.recoveryMs ?? []);
    if (known.length > 0) recoveryMs[kind] = Math.round(Math.max(...known));
  }
  return {
    seed,
    minutes,
    events: total.events,
    questions: total.allowed + total.denied + total.doubted,
    doubts: total.doubted,
    faults: times,
    violations: violations.length,
    violated: violations.slice(0, MOST_SHOWN),
    recoveryMsMax: Math.max(0, ...Object.values(recoveryMs)),
    recoveryMs,
    drainedMs: drainedMs ?? null,
    isComplete,
    isChecked,
    ...(failure && { failure: failure.message }),
    picture,
  };
}

export function textOf(report: ChaosReport): string {
  const { seed, minutes, events, questions, doubts, faults, recoveryMs, violations, violated, drainedMs } = report;
  const table = new Table({
    head: ["fault", "times", "longest recovery"],
    colAligns: ["left", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const kind of FAULTS) {
    const times = faults[kind];
    if (times !== undefined) table.push([kind, String(times), recoveryOf(recoveryMs[kind])]);
  }
  const drained = drainedMs === null ? "not everything" : `everything after ${count(drainedMs)} ms`;
  const lines = [
    `Seed ${seed}: ${count(events)} events in ${minutes} minutes, ${count(questions)} questions (${count(doubts)} denied in doubt).`,
    table.toString(),
    "Recovery: from the end of a fault until every device had an event accepted again.",
  ];
  if (report.failure !== undefined) lines.push(`It could not go on: ${report.failure}`);
  if (report.isChecked) {
    lines.push(
      `Committed and delivered when peace had come: ${drained}.`,
      violations === 0
        ? "Every promise held."
        : [`${violations} violations:`, ...violated.map(({ promise, what }) => `  ${promise}  ${what}`)].join("\n"),
    );
  } else lines.push("Ended before anything was checked: nothing is said of the promises.");
  return [...lines, `As a picture: ${report.picture}`, ""].join("\n");
}

function recoveryOf(ms: number | undefined): string {
  return ms === undefined ? "–" : `${count(ms)} ms`;
}
