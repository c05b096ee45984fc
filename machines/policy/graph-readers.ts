/**
 * How one property of a Graph document is read. Documents come from many hands and releases, so a value is either understood,
 * or "off", or says nothing, or is invalid; reading never throws.
 */
import { DAY_MS, parseDuration } from "./duration.js";
import { isOff } from "./graph-off.js";
import { parsePatchDate } from "./patch-date.js";
import type { Action, Platform } from "./rules.js";
import { parseVersion } from "./version.js";

/** A value that is present and can't be what the property means, such as the filler of a template. */
export const INVALID = Symbol("invalid");
/** A number or duration that means what it should, and is too small or too large: somebody chose it, so nothing may stand in for it. */
export const OUT_OF_RANGE = Symbol("out of range");

export interface GraphProperty<Value> {
  readonly on: Platform | "both";
  /** What a document without the property means; `null` is off. */
  readonly absent: Value;
  /** What stands in for an invalid value; left out: `absent`. */
  readonly insteadOfInvalid?: Value;
  /** Valid values in words. */
  readonly expected: string;
  /** `undefined`: the value says nothing, as if the property were absent. */
  readonly read: (raw: unknown) => Value | undefined | typeof INVALID | typeof OUT_OF_RANGE;
}

type On = Platform | "both";

export function flag(on: On, absent: boolean): GraphProperty<boolean> {
  return {
    on,
    absent,
    expected: "true or false",
    read: (raw) => (raw === null ? undefined : typeof raw === "boolean" ? raw : INVALID),
  };
}

/** A flag with a third answer: `null` leaves the matter to other properties. */
export function optionalFlag(on: On): GraphProperty<boolean | null> {
  return {
    on,
    absent: null,
    expected: "true, false or null",
    read: (raw) => (raw === null || typeof raw === "boolean" ? raw : INVALID),
  };
}

/** `fillerZero`: a 0 is what templates put where nothing was chosen. */
export function count(
  on: On,
  absent: number,
  min: number,
  max: number,
  { fillerZero = false } = {},
): GraphProperty<number> {
  return {
    on,
    absent,
    expected: `a whole number from ${min} to ${max}`,
    read: (raw) => (raw === null ? undefined : raw === 0 && fillerZero ? INVALID : wholeNumber(raw, min, max)),
  };
}

/** A number of days of which 0 is off. */
export function days(on: On): GraphProperty<number | null> {
  const max = 365;
  return {
    on,
    absent: null,
    expected: `a whole number of days from 1 to ${max}, or 0 for off`,
    read: (raw) => (raw === 0 || isOff(raw) ? null : wholeNumber(raw, 1, max)),
  };
}

function wholeNumber(raw: unknown, min: number, max: number) {
  if (typeof raw !== "number") return INVALID;
  return Number.isInteger(raw) && raw >= min && raw <= max ? raw : OUT_OF_RANGE;
}

// Ten years is as good as never, and far below where sums of epoch ms lose precision.
const LONGEST_DAYS = 3650;

/** A limit in ms that can be off. */
export function optionalDuration(on: On, absent: number | null): GraphProperty<number | null> {
  return {
    on,
    absent,
    expected: `an ISO 8601 duration of at most P${LONGEST_DAYS}D, or PT0S for off`,
    read: (raw) => {
      if (isOff(raw)) return null;
      const ms = durationOf(raw);
      return ms === 0 ? null : ms;
    },
  };
}

/** A limit in ms that always holds. */
export function duration(on: On, absent: number): GraphProperty<number> {
  return {
    on,
    absent,
    expected: `an ISO 8601 duration above zero, at most P${LONGEST_DAYS}D`,
    read: (raw) => {
      if (raw === null) return undefined;
      const ms = durationOf(raw);
      return ms === 0 ? INVALID : ms;
    },
  };
}

function durationOf(raw: unknown) {
  const ms = typeof raw === "string" ? parseDuration(raw) : undefined;
  if (ms === undefined || ms < 0) return INVALID;
  return ms <= LONGEST_DAYS * DAY_MS ? ms : OUT_OF_RANGE;
}

/** A bound on a version. */
export function version(on: On): GraphProperty<string | null> {
  return bound(on, "a version such as 17.4.1", (text) => parseVersion(text) !== undefined);
}

/** A bound on a security patch. */
export function patchDate(on: On): GraphProperty<string | null> {
  return bound(on, "a date YYYY-MM-DD", (text) => parsePatchDate(text) !== undefined);
}

function bound(on: On, expected: string, isValid: (text: string) => boolean): GraphProperty<string | null> {
  return {
    on,
    absent: null,
    expected,
    read: (raw) => (isOff(raw) ? null : typeof raw === "string" && isValid(raw) ? raw.trim() : INVALID),
  };
}

/** Names, separated by `;` or in an array; lower-cased, sorted, each once. Without a name the list is off. */
export function nameList(on: On): GraphProperty<readonly string[] | null> {
  return {
    on,
    absent: null,
    expected: "names separated by semicolons, or an array of names",
    read: (raw) => {
      if (isOff(raw)) return null;
      const items: unknown = typeof raw === "string" ? raw.split(";") : raw;
      if (!Array.isArray(items) || !items.every((item) => typeof item === "string")) return INVALID;
      const names = items.map((item) => item.trim().toLowerCase()).filter((name) => name !== "");
      return names.length === 0 ? null : [...new Set(names)].sort();
    },
  };
}

/** One of several names. `insteadOfInvalid` also stands in for names that are newer than this table. */
export function choice<const Value extends string>(
  on: On,
  absent: Value,
  values: readonly Value[],
  insteadOfInvalid?: Value,
): GraphProperty<Value> {
  return {
    on,
    absent,
    ...(insteadOfInvalid !== undefined && { insteadOfInvalid }),
    expected: values.join(", "),
    read: (raw) => values.find((value) => value === raw) ?? (isOff(raw) ? undefined : INVALID),
  };
}

/** What a failing condition does. An action that is unknown, or has no meaning here, blocks. */
export function action<const Value extends Action>(on: On, values: readonly Value[]): GraphProperty<Value | "block"> {
  return choice<Value | "block">(on, "block", values, "block");
}

/** An action that can be off. Like `action` otherwise, except that absent means off. */
export function optionalAction<const Value extends string>(
  on: On,
  values: readonly Value[],
): GraphProperty<Value | "block" | null> {
  return {
    on,
    absent: null,
    insteadOfInvalid: "block",
    expected: `${values.join(", ")}, or null for off`,
    read: (raw) => (isOff(raw) ? null : (values.find((value) => value === raw) ?? INVALID)),
  };
}
