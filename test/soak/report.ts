/** What a soak run found, for people, for programs, and as files that stay. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import Table from "cli-table3";
import { bytes, count } from "../../src/cli/terminal.js";
import type { Unit } from "./figures.js";
import { picture } from "./picture.js";
import type { SoakResult } from "./soak.js";
import { type Trend, trends } from "./trend.js";

/** Of a shorter run the second half is still warming up: heaps, caches and windows fill. */
export const SHORTEST_JUDGED_MINUTES = 5;
const MOST_SHOWN = 20;

export interface SoakReport {
  readonly seed: number;
  readonly minutes: number;
  readonly events: number;
  readonly questions: number;
  /** Sessions that were retired; their devices began new ones. */
  readonly retired: number;
  readonly looks: number;
  /** Whether something grows was judged: the run was long enough. */
  readonly isJudged: boolean;
  /** Names of the figures that grow. */
  readonly grows: readonly string[];
  /** Figure → slope per hour, in its unit. */
  readonly slopes: Readonly<Record<string, number>>;
  readonly figures: readonly Trend[];
  /** Processes that ended, and were started again. */
  readonly restarts: number;
  readonly wrong: readonly string[];
  readonly isComplete: boolean;
  /** Why it could not go on. */
  readonly failure?: string;
  readonly picture: string;
}

export const isBad = ({ grows, restarts, wrong, failure }: SoakReport): boolean =>
  grows.length > 0 || restarts > 0 || wrong.length > 0 || failure !== undefined;

/** The report as files in the directory: report.json, report.txt and soak.svg. */
export async function writeReport(result: SoakResult, directory: string): Promise<SoakReport> {
  const file = join(directory, "soak.svg");
  const { seed, minutes, events, questions, retired, sightings, restarts, wrong, isComplete, failure } = result;
  const figures = trends(sightings);
  const isJudged = minutes >= SHORTEST_JUDGED_MINUTES;
  const grows = isJudged ? figures.filter(({ verdict }) => verdict === "grows").map(({ figure }) => figure) : [];
  const report: SoakReport = {
    seed,
    minutes,
    events,
    questions,
    retired,
    looks: sightings.length,
    isJudged,
    grows,
    slopes: Object.fromEntries(figures.map(({ figure, slopePerHour }) => [figure, slopePerHour])),
    figures,
    restarts,
    wrong: wrong.slice(0, MOST_SHOWN),
    isComplete,
    ...(failure && { failure: failure.message }),
    picture: file,
  };
  const title = `${minutes} minutes, ${count(events)} events: ${verdictOf(report)}`;
  await writeFile(file, picture({ sightings, title }));
  await writeFile(join(directory, "report.json"), `${JSON.stringify(report)}\n`);
  await writeFile(join(directory, "report.txt"), textOf(report));
  return report;
}

export function textOf(report: SoakReport): string {
  const { seed, minutes, events, questions, retired, looks, figures, restarts, wrong, failure } = report;
  const table = new Table({
    head: ["figure", "first", "last", "slope per hour", "rise", "allowed", ""],
    colAligns: ["left", "right", "right", "right", "right", "right", "left"],
    style: { head: [], border: [], compact: true },
  });
  for (const { figure, unit, first, last, slopePerHour, rise, allowed, verdict } of figures) {
    table.push([
      figure,
      inUnit(first, unit),
      inUnit(last, unit),
      signed(slopePerHour, unit),
      signed(rise, unit),
      allowed === null ? "–" : inUnit(allowed, unit),
      report.isJudged ? verdict : "",
    ]);
  }
  const lines = [
    `Seed ${seed}: ${count(events)} events and ${count(questions)} questions in ${minutes} minutes; ${count(retired)} sessions were retired and begun anew. Looked at ${count(looks)} times.`,
    table.toString(),
    "Slope: least squares over the second half of the run. Rise: what that makes over the half.",
  ];
  if (failure !== undefined) lines.push(`It could not go on: ${failure}`);
  if (restarts > 0) lines.push(`${count(restarts)} times a process ended by itself; its log says why.`);
  for (const what of wrong) lines.push(`Wrong: ${what}`);
  return [...lines, `${sentence(verdictOf(report))}.`, `As a picture: ${report.picture}`, ""].join("\n");
}

function verdictOf({ isJudged, grows }: Pick<SoakReport, "isJudged" | "grows">): string {
  if (!isJudged) return `not judged, which takes ${SHORTEST_JUDGED_MINUTES} minutes`;
  return grows.length === 0 ? "nothing grows" : `${grows.join(", ")} ${grows.length === 1 ? "grows" : "grow"}`;
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function inUnit(value: number, unit: Unit): string {
  return unit === "bytes" ? bytes(Math.max(0, value)) : count(value);
}

function signed(value: number, unit: Unit): string {
  return `${value < 0 ? "−" : "+"}${inUnit(Math.abs(value), unit)}`;
}
