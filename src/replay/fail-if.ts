/** When a what-if is too much: a bound that a pipeline sets, such as `signedOut > +0.1%`. */
import { STATE_NAMES, type StateName } from "../../machines/session/context.js";
import type { ReplayReport } from "./partition-replay.js";

const MEASURES = ["lockouts", "loseAccess", "wiped"] as const;
type Measure = (typeof MEASURES)[number] | StateName;

export interface FailIf {
  readonly text: string;
  readonly measure: Measure;
  /** Compared with what was recorded, and not by itself. */
  readonly isIncrease: boolean;
  /** Sessions, or percent of them. */
  readonly bound: number;
  readonly isPercent: boolean;
}

/** @returns why the text is no bound, if it is none */
export function parseFailIf(text: string): FailIf | string {
  const [, name = "", plus, number, percent] =
    /^\s*([A-Za-z]+)\s*>\s*(\+)?\s*(\d+(?:\.\d+)?)\s*(%)?\s*$/.exec(text) ?? [];
  if (number === undefined) return "Give a measure, > and a bound: 'signedOut > +0.1%' or 'wiped > 0'.";
  const measures: readonly string[] = [...STATE_NAMES, ...MEASURES];
  if (!measures.includes(name)) return `${name} is no measure. Give one of ${measures.join(", ")}.`;
  return {
    text: text.trim(),
    measure: name as Measure,
    isIncrease: plus !== undefined,
    bound: Number(number),
    isPercent: percent !== undefined,
  };
}

export interface Exceeded {
  readonly bound: string;
  /** In the bound's own unit. */
  readonly value: number;
}

/** The bound that is exceeded, with what was found; `undefined`: it is kept. */
export function exceeds(
  report: ReplayReport,
  { text, measure, isIncrease, bound, isPercent }: FailIf,
): Exceeded | undefined {
  const [was, would] = amounts(report, measure);
  const sessions = Object.values(report.recordedStates).reduce((sum, n) => sum + n, 0);
  const amount = isIncrease ? would - was : would;
  const value = isPercent ? (sessions === 0 ? 0 : (amount / sessions) * 100) : amount;
  return value > bound ? { bound: text, value: Math.round(value * 1_000) / 1_000 } : undefined;
}

function amounts(report: ReplayReport, measure: Measure): readonly [was: number, would: number] {
  if (measure === "lockouts") return [report.recordedLockouts, report.lockouts];
  if (measure === "loseAccess" || measure === "wiped") return [0, report[measure]];
  return [report.recordedStates[measure] ?? 0, report.states[measure] ?? 0];
}
