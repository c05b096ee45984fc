/** The lint configuration keeps the house in order only if each of its rules can find what it is for. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const project = fileURLToPath(new URL("../../", import.meta.url));

const PLANTED: [what: string, file: string, code: string, rule: string | undefined][] = [
  ["machines/ may import xstate", "machines/a/xstate.ts", `export * from "xstate/graph";`, undefined],
  ["machines/ may import zod", "machines/a/zod.ts", `export { z } from "zod";`, undefined],
  ["machines/ may import machines/", "machines/a/own.ts", `export * from "../b/random.js";`, undefined],
  ["machines/ → node:*", "machines/a/node.ts", `export { join } from "node:path";`, "no-restricted-imports"],
  ["machines/ → fs", "machines/a/fs.ts", `export { readFileSync } from "fs";`, "no-restricted-imports"],
  ["machines/ → a package", "machines/a/redis.ts", `export { Redis } from "ioredis";`, "no-restricted-imports"],
  ["machines/ → src/", "machines/a/src.ts", `export * from "../../src/free.js";`, "no-restricted-imports"],
  ["machines/ → src/, types", "machines/a/t.ts", `export type * from "../../src/free.js";`, "no-restricted-imports"],
  ["machines/ → src/, dynamic", "machines/dyn.ts", `export default import("../src/free.js");`, "no-restricted-imports"],
  ["machines/ → workers/", "machines/w.ts", `export * from "../workers/drain.js";`, "no-restricted-imports"],
  ["a clock in machines/", "machines/clock.ts", `export const now = () => Date.now();`, "no-restricted-globals"],
  [
    "a timer in machines/",
    "machines/timer.ts",
    `export const later = () => setTimeout(Boolean, 1);`,
    "no-restricted-globals",
  ],
  ["a process in machines/", "machines/env.ts", `export const { env } = process;`, "no-restricted-globals"],
  [
    "chance in machines/",
    "machines/b/random.ts",
    `export const pick = () => Math.random();`,
    "no-restricted-properties",
  ],
  ["src/ may use all of those", "src/free.ts", `export const at = () => Date.now() * Math.random();`, undefined],
  ["src/ may import machines/", "src/cli/fold.ts", `export * from "../../machines/clock.js";`, undefined],
  ["src/ → workers/", "src/cli/up.ts", `export * from "../../workers/drain.js";`, "no-restricted-imports"],
  ["src/ → test/", "src/support.ts", `export * from "../test/support.js";`, "no-restricted-imports"],
  ["workers/ may import src/", "workers/drain.ts", `export * from "../src/free.js";`, undefined],
  ["tests may import anything", "test/support.ts", `export * from "../workers/drain.js";`, undefined],
  ["a cycle", "src/cycle.ts", `import { b } from "./cycle-b.js"; export const a = () => b;`, "no-cycle"],
  ["its other half", "src/cycle-b.ts", `import { a } from "./cycle.js"; export const b = () => a;`, "no-cycle"],
  ["a promise nobody awaits", "src/floating.ts", `export const f = async () => {}; f();`, "no-floating-promises"],
  ["a promise as a condition", "src/condition.ts", `if (import("./free.js")) console.log();`, "no-misused-promises"],
  ["an await of no promise", "src/await.ts", `export default await 1;`, "await-thenable"],
  ["any", "src/any.ts", `export const x = (y: any): unknown => y;`, "no-explicit-any"],
];

let house: string;
let found: Map<string, string[]>;

beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), "house-"));
  for (const file of [".oxlintrc.json", "tsconfig.json"]) copyFileSync(join(project, file), join(house, file));
  symlinkSync(join(project, "node_modules"), join(house, "node_modules"));
  for (const [, file, code] of PLANTED) {
    mkdirSync(dirname(join(house, file)), { recursive: true });
    writeFileSync(join(house, file), `${code}\n`);
  }
  const { stdout } = spawnSync(
    join(project, "node_modules/.bin/oxlint"),
    ["--format=json", "machines", "src", "workers", "test"],
    {
      cwd: house,
      encoding: "utf8",
    },
  );
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] };
  found = new Map();
  for (const { code, filename } of diagnostics) found.set(filename, [...(found.get(filename) ?? []), code]);
});

afterAll(() => rmSync(house, { recursive: true, force: true }));

test.each(PLANTED.filter(([, , , rule]) => rule === undefined))("%s", (_, file) => {
  expect(found.get(file)).toBeUndefined();
});

test.each(PLANTED.filter(([, , , rule]) => rule !== undefined))("is found: %s", (_, file, __, rule) => {
  expect(found.get(file)).toContainEqual(expect.stringContaining(`(${rule})`));
});
