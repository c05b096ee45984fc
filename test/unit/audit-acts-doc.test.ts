/** docs/administering.md lists every act that is recorded, and none besides. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ACTS } from "../../src/audit/acts.js";

test("every act that is recorded is documented, once, and every documented act is recorded", () => {
  const page = readFileSync(new URL("../../docs/administering.md", import.meta.url), "utf8");
  const [, table = ""] = /^\| act .*\n((?:\|.*\n)+)/m.exec(page) ?? [];
  const named = table.split("\n").flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([\w.]+)`/g)]);
  expect(new Set(named.map(([, act]) => act))).toEqual(new Set(ACTS));
  expect(named).toHaveLength(ACTS.length);
});
