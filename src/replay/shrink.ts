/** Delta debugging: what can be left out of a list without losing what it leads to. */

/**
 * @param holds whether a sublist, in its order, still leads there; the whole list does. It is told what was left out of the last one that did
 * @returns a sublist that still does, of which no single item can be left out
 */
export function shrink<Item>(
  items: readonly Item[],
  holds: (some: readonly Item[], without: { readonly from: number; readonly size: number }) => boolean,
): readonly Item[] {
  let kept = items;
  for (let size = Math.ceil(kept.length / 2); kept.length > 0; size = Math.ceil(size / 2)) {
    let isSmaller = false;
    for (let from = 0; from < kept.length;) {
      const without = kept.toSpliced(from, size);
      if (holds(without, { from, size })) {
        kept = without;
        isSmaller = true;
      } else from += size;
    }
    // Leaving one out may be what lets an earlier one go.
    if (size === 1 && !isSmaller) break;
  }
  return kept;
}
