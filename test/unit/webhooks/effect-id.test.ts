/** Ids by which receivers tell repetitions. */
import { expect, test } from "vitest";
import { effectId, isEffectId } from "../../../src/effects/effect-id.js";

test("an effect has the same id whenever it is read, and the id has the form that is looked for", () => {
  const id = effectId("gh", 12, "3405-0", "{}");
  expect(id).toBe(effectId("gh", 12, "3405-0", "{}"));
  expect(id).toMatch(/^12-3405-0-[0-9a-f]{8}$/);
  expect(isEffectId(id)).toBe(true);
});

test("another effect under the same number, after a failover that lost records, has another id", () => {
  expect(effectId("gh", 12, "3405-0", '{"type":"wipe"}')).not.toBe(effectId("gh", 12, "3405-0", '{"type":"notify"}'));
});

test("another deployment's effect has another id, though one receiver gets both", () => {
  expect(effectId("staging", 12, "3405-0", "{}")).not.toBe(effectId("gh", 12, "3405-0", "{}"));
});

test.each(["", "12-3405-0", "12-3405-0-XYZ", "12-3405-0-8c41f09a:meta", "wh_1"])("%j is no id", (text) => {
  expect(isEffectId(text)).toBe(false);
});
