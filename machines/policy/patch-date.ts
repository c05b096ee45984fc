/** Android security patch levels are dates, `YYYY-MM-DD`. */
const DATE = /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

/** The date as a number that orders like it, e.g. 20240105; `undefined`: the text is not such a date. */
export function parsePatchDate(text: string): number | undefined {
  const match = DATE.exec(text.trim());
  return match === null ? undefined : Number(match[1]) * 10_000 + Number(match[2]) * 100 + Number(match[3]);
}
