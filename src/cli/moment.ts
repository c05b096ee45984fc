/** Moments and spans as people give them on the command line. */
import { InvalidArgumentError } from "commander";

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment, or how long before the deployment's own now. */
export type Moment = { readonly at: number } | { readonly beforeNowMs: number };

/** `2026-03-02T12:00:00Z`, `2026-03-02 12:00`, `2026-03-02` (all UTC unless they say otherwise), or `90m`, `36h`, `2d` ago. */
export function moment(text: string): Moment {
  const [, n, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (n !== undefined) return { beforeNowMs: Number(n) * (UNITS_MS[unit] as number) };
  const isDate = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text);
  const hasZone = /(Z|[+-]\d{2}:\d{2})$/.test(text) || text.length === 10;
  const at = isDate ? Date.parse(`${text.replace(" ", "T")}${hasZone ? "" : "Z"}`) : Number.NaN;
  if (Number.isNaN(at)) {
    throw new InvalidArgumentError("Give a time such as 2026-03-02T12:00:00Z (UTC), or how long ago: 90m, 36h, 2d.");
  }
  return { at };
}

/** @param now epoch ms, by the deployment's clock */
export const atMoment = (given: Moment, now: number): number =>
  "at" in given ? given.at : Math.max(0, now - given.beforeNowMs);
