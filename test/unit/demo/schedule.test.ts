import { expect } from "vitest";
import { fc, test } from "@fast-check/vitest";
import { Schedule } from "../../../src/demo/schedule.js";

test.prop([fc.array(fc.integer({ min: 0, max: 20 }))])(
  "items come out by time, and in the order they went in",
  (times) => {
    const schedule = new Schedule<number>();
    times.forEach((at, index) => schedule.add(at, index));
    const out = Array.from(times, () => schedule.next());
    const expected = times.map((at, item) => ({ at, item })).sort((a, b) => a.at - b.at || a.item - b.item);
    expect(out.map((planned) => ({ at: planned?.at, item: planned?.item }))).toEqual(expected);
    expect(schedule.next()).toBeUndefined();
  },
);
