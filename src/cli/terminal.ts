/** What commands write: results to stdout, everything else to stderr; colours only where somebody sees them. */
import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

function painter(stream: NodeJS.WriteStream): Paint {
  return (style, text) => (stream.isTTY && process.env["NO_COLOR"] === undefined ? styleText(style, text) : text);
}

export const paintOut = painter(process.stdout);
export const paintErr = painter(process.stderr);

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One JSON object on one line: the whole of stdout of a command that was asked for JSON. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Not part of the result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

const WIDTH = 80;

/** Columns of text, as wide as they need to be; the last one is wrapped. */
export function columns(rows: readonly (readonly string[])[], gap = 2): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, n) => (widths[n] = Math.max(widths[n] ?? 0, visibleLength(cell))));
  return rows.flatMap((row) => {
    const padded = row.slice(0, -1).map((cell, n) => cell + " ".repeat((widths[n] ?? 0) - visibleLength(cell) + gap));
    const indent = widths.slice(0, row.length - 1).reduce((sum, width) => sum + width + gap, 0);
    return wrap((row.at(-1) ?? "").split(" "), " ".repeat(indent), padded.join(""));
  });
}

/** Characters that take up room: colours do not. */
function visibleLength(text: string): number {
  // oxlint-disable-next-line no-control-regex -- the escape character is what marks a colour
  return text.replaceAll(/\u001B\[[\d;]*m/g, "").length;
}

/** Words wrapped to the width of a terminal, each line after `indent`, the first one after `firstIndent`. */
export function wrap(words: readonly string[], indent: string, firstIndent = indent): string[] {
  const lines: string[] = [];
  let line = firstIndent;
  let isEmpty = true;
  for (const word of words) {
    if (!isEmpty && visibleLength(line) + 1 + visibleLength(word) > WIDTH) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return isEmpty ? lines : [...lines, line];
}

/** One line of text, wrapped; what follows the first line is indented like it, and `hanging` more. */
export function wrapLine(text: string, hanging = 0): string[] {
  const [, spaces = "", words = ""] = /^( *)(.*)$/.exec(text) ?? [];
  return wrap(words.split(" "), spaces + " ".repeat(hanging), spaces);
}

const NUMBERS = new Intl.NumberFormat("en-US");

/** `12,345`. */
export const count = (n: number): string => NUMBERS.format(n);

/** `1 session`, `1,234 sessions`. */
export const counted = (n: number, thing: string, things = `${thing}s`): string =>
  `${count(n)} ${n === 1 ? thing : things}`;

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `12.3 MiB`. */
export function bytes(n: number): string {
  const power = n < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(n) / 10));
  return `${Number((n / 1_024 ** power).toFixed(1))} ${BYTE_UNITS[power]}`;
}

/** `2026-03-02 12:00:03`, UTC. */
export const instant = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** The two greatest units of a duration: `3 h 59 min`. */
export function duration(ms: number): string {
  const index = UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  if (index === -1) return `${Math.round(ms)} ms`;
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, unitMs] of UNITS.slice(index, index + 2)) {
    const n = Math.floor(rest / unitMs);
    if (n > 0) parts.push(`${n} ${unit}`);
    rest -= n * unitMs;
  }
  return parts.join(" ");
}
