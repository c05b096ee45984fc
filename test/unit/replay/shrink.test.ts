/** What is left over can't do without any of it, and still leads there. */
import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import { shrink } from "../../../src/replay/shrink.js";

test.prop([fc.uniqueArray(fc.nat(500), { minLength: 1, maxLength: 60 }), fc.func(fc.boolean())])(
  "where certain items are needed, exactly they are left",
  (items, isNeeded) => {
    const needed = items.filter((item) => isNeeded(item));
    const left = shrink(items, (some) => needed.every((item) => some.includes(item)));
    expect(left).toEqual(needed);
  },
);

test.prop([fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }), fc.nat(60)])(
  "where there are several ways, no single item of the one that is left can be left out",
  (items, wanted) => {
    const sum = (some: readonly number[]) => some.reduce((all, n) => all + n, 0);
    fc.pre(sum(items) >= wanted);
    const left = shrink(items, (some) => sum(some) >= wanted);
    expect(sum(left)).toBeGreaterThanOrEqual(wanted);
    for (const [n] of left.entries()) expect(sum(left.toSpliced(n, 1))).toBeLessThan(wanted);
  },
);

test("a few of very many are found with few questions", () => {
  const items = Array.from({ length: 10_000 }, (_, n) => n);
  let questions = 0;
  const left = shrink(items, (some) => {
    questions++;
    return [17, 4_200, 9_999].every((item) => some.includes(item));
  });
  expect(left).toEqual([17, 4_200, 9_999]);
  expect(questions).toBeLessThan(200);
});
