/** Spans of time in words, so that a specification says `after({ minutes: 30 })` and not how many milliseconds that is. */

/** The parts add up. */
export interface Span {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly ms?: number;
}

/** @throws RangeError if the span is negative or not a whole number of milliseconds */
export function spanMs({ days = 0, hours = 0, minutes = 0, seconds = 0, ms = 0 }: Span): number {
  const total = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000 + ms;
  if (!Number.isSafeInteger(total) || total < 0) {
    throw new RangeError(`a span of ${total} ms: give whole milliseconds, and no negative parts`);
  }
  return total;
}

/** A span as people write it: `1d 2h 30m`. */
export function spanText(totalMs: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
    ["ms", 1],
  ] as const;
  let rest = Math.abs(totalMs);
  const parts: string[] = [];
  for (const [unit, unitMs] of units) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return `${totalMs < 0 ? "-" : ""}${parts.join(" ") || "0s"}`;
}
