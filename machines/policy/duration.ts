/**
 * ISO 8601 durations, as Graph writes them: `PT30M`, `P90D`, `-PT17.1357909S`. They are compared by length, so `PT12H`
 * and `PT720M` are the same. A year counts 365 days and a month 30: a limit needs one length, whenever it begins.
 */
const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
const UNITS_MS = [365 * DAY_MS, 30 * DAY_MS, 7 * DAY_MS, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS];

// Every unit is optional, but at least one must follow `P`, and one must follow `T`.
const DURATION =
  /^([+-]?)P(?=.)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:[.,]\d{1,9})?)S)?)?$/;

/**
 * Length in whole ms, fractions rounded up; negative for a negative duration. `undefined`: the text is not a duration.
 */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text.trim());
  if (match === null) return undefined;
  const [, sign, ...amounts] = match;
  let ms = 0;
  for (const [index, unitMs] of UNITS_MS.entries()) ms += Number(amounts[index]?.replace(",", ".") ?? 0) * unitMs;
  ms = Math.ceil(ms);
  return sign === "-" && ms > 0 ? -ms : ms;
}
