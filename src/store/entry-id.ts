/** Reading `<ms>-<n>` ids. They are strings everywhere; only order and time ever need their numbers. */
import type { EntryId } from "./partition-store.js";

/** The cursor of a partition that has committed nothing; lower than every id. */
export const ZERO_ID: EntryId = "0-0";

/** The first number of an id: epoch ms of an inbox entry, the record's number of an effect. */
export function firstOf(id: string): number {
  return Number(id.slice(0, id.indexOf("-")));
}

/** The second number of an id: the counter within the first. */
export function secondOf(id: string): number {
  return Number(id.slice(id.indexOf("-") + 1));
}

/** Below, equal to or above zero as `a` comes before, is, or comes after `b`. */
export function compareIds(a: string, b: string): number {
  return firstOf(a) - firstOf(b) || secondOf(a) - secondOf(b);
}
