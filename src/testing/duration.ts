/** Spans of time in words, so that a specification says `after("3 h")` and not how many milliseconds that is. */

/** In words (`3 h`, `1 d 2 h 30 m`, `500 ms`) or in parts, which add up. */
export type Span = string | SpanParts;

export interface SpanParts {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly ms?: number;
}

const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
type Unit = keyof typeof UNITS_MS;

const PART = /(\d+) ?(d|h|ms|m|s)(?![a-z])/g;

/** @throws RangeError if the span is negative, not a whole number of milliseconds, or not in words that are known */
export function spanMs(span: Span): number {
  if (typeof span === "string") return wordsMs(span);
  const { days = 0, hours = 0, minutes = 0, seconds = 0, ms = 0 } = span;
  const total = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000 + ms;
  if (!Number.isSafeInteger(total) || total < 0) {
    throw new RangeError(`a span of ${total} ms: give whole milliseconds, and no negative parts`);
  }
  return total;
}

function wordsMs(words: string): number {
  const parts = [...words.matchAll(PART)];
  if (parts.length === 0 || words.replaceAll(PART, "").trim() !== "") {
    throw new RangeError(
      `a span of ${JSON.stringify(words)}: give numbers with d, h, m, s or ms, such as "1 d 2 h 30 m"`,
    );
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS_MS[unit as Unit], 0);
}

/** A span as people write it, and as `spanMs` reads it: `1d 2h 30m`. */
export function spanText(totalMs: number): string {
  let rest = Math.abs(totalMs);
  const parts: string[] = [];
  for (const [unit, unitMs] of Object.entries(UNITS_MS)) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return `${totalMs < 0 ? "-" : ""}${parts.join(" ") || "0s"}`;
}
