/**
 * What "most restrictive" means, setting by setting: the value that several policies come to. Each rule takes the values in any order
 * and answers the same.
 */
import { compareVersions, parseVersion } from "./version.js";

export interface Strictness<Value> {
  /** In words, for the documentation. */
  readonly words: string;
  /** A numeric entry field: different numbers are a conflict, for which a tenant can choose the default. */
  readonly isNumeric: boolean;
  /** The most restrictive of at least one value. `null` is off, and gives way to anything else. */
  readonly strictest: (values: readonly Value[]) => Value;
}

export const whenTrue: Strictness<boolean> = {
  words: "`true`",
  isNumeric: false,
  strictest: (values) => values.includes(true),
};

/** For what a policy permits: all must. */
export const whenFalse: Strictness<boolean> = {
  words: "`false`",
  isNumeric: false,
  strictest: (values) => !values.includes(false),
};

/** Named values, the most restrictive first. */
export function ranked<Value extends string | boolean | null>(...order: readonly Value[]): Strictness<Value> {
  return {
    words: order.map((value) => `\`${String(value)}\``).join(" over "),
    isNumeric: false,
    strictest: (values) => order.find((value) => values.includes(value)) as Value,
  };
}

/** Off gives way, and of the rest `choose` takes one. */
function ofConfigured<Value>(
  words: string,
  isNumeric: boolean,
  choose: (values: readonly NonNullable<Value>[]) => NonNullable<Value>,
): Strictness<Value> {
  return {
    words,
    isNumeric,
    strictest: (values) => {
      const configured = values.filter((value): value is NonNullable<Value> => value !== null && value !== undefined);
      // All are `null`, which is then a value.
      return configured.length === 0 ? (null as Value) : choose(configured);
    },
  };
}

export const greatest = <Value extends number | null>(): Strictness<Value> =>
  ofConfigured<Value>("the greatest", true, (values) => Math.max(...values) as NonNullable<Value>);

export const least = <Value extends number | null>(): Strictness<Value> =>
  ofConfigured<Value>("the least", true, (values) => Math.min(...values) as NonNullable<Value>);

/** A grace has no number that would be nobody's: off is none at all, and the strictest. */
export const leastGrace: Strictness<number | null> = {
  words: "the least; off is none",
  isNumeric: false,
  strictest: (values) => {
    const shortest = Math.min(...values.map((value) => value ?? 0));
    return shortest === 0 ? null : shortest;
  },
};

/** `17` and `17.0` are one version with two spellings: the text decides, so that the order of the policies does not. */
function compareVersionTexts(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  const difference = left === undefined || right === undefined ? 0 : compareVersions(left, right);
  return difference === 0 ? (a < b ? -1 : a > b ? 1 : 0) : difference;
}

export const newest = ofConfigured<string | null>("the newest", false, (values) =>
  values.reduce((a, b) => (compareVersionTexts(a, b) >= 0 ? a : b)),
);

export const oldest = ofConfigured<string | null>("the oldest", false, (values) =>
  values.reduce((a, b) => (compareVersionTexts(a, b) <= 0 ? a : b)),
);

/** Dates are written so that their texts order like them. */
export const latest = ofConfigured<string | null>("the latest", false, (values) =>
  values.reduce((a, b) => (a >= b ? a : b)),
);

/** Without a name in common nothing is allowed, which is not the same as off. */
export const intersection = ofConfigured<readonly string[] | null>("names that all of them allow", false, (values) =>
  values.reduce((a, b) => a.filter((name) => b.includes(name))),
);
