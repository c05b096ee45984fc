/** The most restrictive of several values, for every property that acts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GRAPH_PROPERTIES, type ActingProperty } from "../../../machines/policy/graph-properties.js";
import { MEANINGFUL } from "./catalogues.js";

describe.each(MEANINGFUL)("%s", (name, raw) => {
  const { strictest, read, absent } = GRAPH_PROPERTIES[name] as ActingProperty<unknown>;
  const values = [...raw.map((value) => read(value)), absent];
  const several = fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 5 });

  test("comes to the same in whatever order, and however they are grouped", () =>
    fc.assert(
      fc.property(several, several, (some, others) => {
        const all = strictest([...some, ...others]);
        expect(strictest([...others, ...some])).toEqual(all);
        expect(strictest([strictest(some), strictest(others)])).toEqual(all);
      }),
      { numRuns: 50 },
    ));

  test("of one value, said by all, is that value", () => {
    for (const value of values) expect(strictest([value, value])).toEqual(value);
  });
});
