/** docs/errors.md lists every code that a reader can meet, and none besides. */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { POLICY_ERROR_CODES } from "../../machines/policy/policy-error.js";
import { PROBLEMS } from "../../src/http/problem.js";
import { REFUSAL_CODES } from "../../src/ingest/refusal.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where a code is given to something: `code = "a.b"`, `code: "a.b"`. */
const GIVEN = /\bcode(?::| =|: string =) "([a-z]+\.[a-z_]+)"/g;

const given = ["machines", "src", "workers"].flatMap((room) =>
  readdirSync(`${root}${room}`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [...readFileSync(`${root}${room}/${file}`, "utf8").matchAll(GIVEN)])
    .map(([, code]) => code),
);

const documented = [...readFileSync(`${root}docs/errors.md`, "utf8").matchAll(/^\| `([a-z]+\.[a-z_]+)`/gm)].map(
  ([, code]) => code,
);

test("every code that is raised is documented, once, and every documented code is raised", () => {
  const raised = new Set([...given, ...Object.keys(POLICY_ERROR_CODES), ...Object.keys(PROBLEMS), ...REFUSAL_CODES]);
  expect(new Set(documented)).toEqual(raised);
  expect(documented).toHaveLength(raised.size);
});
