/** Delta debugging: what can be left out of a list without losing what it leads to. */

/** A list to be tried: the last one that led there, without `size` items from `from` on. */
export interface Attempt<Item> {
  readonly some: readonly Item[];
  readonly without: { readonly from: number; readonly size: number };
}

/**
 * @param holds whether a sublist, in its order, still leads there; the whole list does. It is told what was left out of the last one that did
 * @returns a sublist that still does, of which no single item can be left out
 */
export function shrink<Item>(
  items: readonly Item[],
  holds: (some: Attempt<Item>["some"], without: Attempt<Item>["without"]) => boolean,
): readonly Item[] {
  const search = shrinking(items);
  for (let next = search.next(); ; next = search.next(holds(next.value.some, next.value.without))) {
    if (next.done === true) return next.value;
  }
}

/** The same, for whoever needs time to find out: gives what to try next, and is told whether it held. */
export function* shrinking<Item>(items: readonly Item[]): Generator<Attempt<Item>, readonly Item[], boolean> {
  let kept = items;
  for (let size = Math.ceil(kept.length / 2); kept.length > 0; size = Math.ceil(size / 2)) {
    let isSmaller = false;
    for (let from = 0; from < kept.length;) {
      const some = kept.toSpliced(from, size);
      if (yield { some, without: { from, size } }) {
        kept = some;
        isSmaller = true;
      } else from += size;
    }
    // Leaving one out may be what lets an earlier one go.
    if (size === 1 && !isSmaller) break;
  }
  return kept;
}
