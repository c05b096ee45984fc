/** What can be registered as a remediator. */
import { expect, test } from "vitest";
import { RemediatorRegistry } from "../../../src/remediators/registry.js";
import { loadRemediators } from "../../../src/remediators/load.js";

const handler = () => ({ status: "COMPLIANT" }) as const;

test("a handler is found by its cause, with its limits or the usual ones", () => {
  const registry = new RemediatorRegistry();
  registry.register("rooted", handler);
  registry.register("osVersion", handler, { timeoutMs: 500, attempts: 1 });
  expect(registry.find("rooted")).toEqual({ handler, timeoutMs: 30_000, attempts: 3 });
  expect(registry.find("osVersion")).toEqual({ handler, timeoutMs: 500, attempts: 1 });
  expect(registry.find("knox")).toBeUndefined();
});

test.each([
  ["what is no cause", "flatBattery", {}, /no cause/],
  ["a second handler for a cause", "rooted", {}, /registered already/],
  ["no time", "knox", { timeoutMs: 0 }, /timeoutMs/],
  ["too much time", "knox", { timeoutMs: 600_001 }, /timeoutMs/],
  ["no attempts", "knox", { attempts: 0 }, /attempts/],
  ["half an attempt", "knox", { attempts: 1.5 }, /attempts/],
])("%s is refused", (_, cause, options, words) => {
  const registry = new RemediatorRegistry();
  registry.register("rooted", handler);
  expect(() => registry.register(cause as "rooted", handler, options)).toThrow(words);
});

test("a module that is not there is named", async () => {
  await expect(loadRemediators(["./no-such-module.js"])).rejects.toMatchObject({
    code: "remediators.invalid",
    message: expect.stringContaining("no-such-module"),
  });
});

test("a module that registers nothing is a mistake", async () => {
  await expect(loadRemediators(["node:path"])).rejects.toMatchObject({ code: "remediators.invalid" });
});
