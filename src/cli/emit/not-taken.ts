/** Events that were not taken in, and why: as many as somebody may want to read, and how many there were. */
import { count, note, paintErr, wrapLine } from "../terminal.js";
import type { PlaceKind } from "../../ingest/split-events.js";

/** Kept for `--json`. */
const KEPT = 1_000;
/** Shown to a reader. */
const SHOWN = 10;
/** A fix may list every type there is. */
const FIX_LENGTH = 160;

/** What was wrong with one, as a refusal says it. */
export interface Problem {
  readonly path: string;
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

export interface NotTaken extends Problem {
  /** Which line of NDJSON, from 1. */
  readonly line?: number;
  /** Which element of a JSON array, from 0. */
  readonly element?: number;
}

const CONFLICT = {
  code: "event.conflict",
  path: "/id",
  message: "another event with the same source and id was accepted before",
  fix: "Give every event an id of its own; sending the same event again must not change it.",
} as const;

export class NotTakenList {
  readonly kept: NotTaken[] = [];
  private all = 0;

  get size(): number {
    return this.all;
  }

  add(kind: PlaceKind, place: number, problem: Problem | "conflict"): void {
    this.all++;
    if (this.kept.length >= KEPT) return;
    const { code, path, message, fix } = problem === "conflict" ? CONFLICT : problem;
    this.kept.push({ [kind]: place, path, code, message, fix });
  }

  /** To stderr. */
  show(): void {
    for (const { line, element, path, code, message, fix } of this.kept.slice(0, SHOWN)) {
      const place = line === undefined ? `element ${element}` : `line ${line}`;
      note(`${paintErr("yellow", place)}  ${code}${path === "" ? "" : `  ${path}`}`);
      for (const text of wrapLine(`  ${message}`)) note(text);
      const brief = fix.length > FIX_LENGTH ? `${fix.slice(0, FIX_LENGTH)}…` : fix;
      for (const text of wrapLine(`  ${brief}`)) note(paintErr("dim", text));
    }
    if (this.all > SHOWN) note(`… and ${count(this.all - SHOWN)} more; --json lists up to ${count(KEPT)}.`);
  }
}
