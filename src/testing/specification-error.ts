/** A specification that does not hold, told so that the reader need not run it again to see why. */
import type { JournalRecord } from "../../machines/outcome.js";
import { effectText } from "./effect-expectation.js";

export class SpecificationError extends Error {
  constructor(
    /** What was asked about: state, effects, cause … */
    readonly what: string,
    readonly expected: unknown,
    readonly actual: unknown,
    history: readonly JournalRecord[],
  ) {
    super(
      [
        `${what}`,
        `  expected  ${text(expected)}`,
        `  actual    ${text(actual)}`,
        "what happened",
        ...historyLines(history),
      ].join("\n"),
    );
    this.name = "SpecificationError";
  }
}

/** A history as the reader of a failure is told it, a line or more a record. */
export function historyLines(history: readonly JournalRecord[]): readonly string[] {
  return history.map((record) => `  ${line(record)}`);
}

function text(value: unknown): string {
  return Array.isArray(value) ? value.join("\n            ") || "none" : String(value);
}

function line({ at, event, outcome, reason, from, to, effects }: JournalRecord): string {
  const time = new Date(at).toISOString().slice(0, 19).replace("T", " ");
  const { type, ...data } = event;
  const what = Object.keys(data).length === 0 ? type : `${type} ${JSON.stringify(data)}`;
  const where = from === to ? (to ?? "no session") : `${from} → ${to}`;
  const why = outcome === "applied" ? "" : ` ${outcome}: ${reason}`;
  return `${time}  ${what}  [${where}]${why}${effects.map((one) => `\n      ${effectText(one)}`).join("")}`;
}
