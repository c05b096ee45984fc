/** S10: no regular expression that somebody else wrote ever runs: one can take a processor for hours. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where patterns are put together at all, and of what. */
const KNOWN: Readonly<Record<string, string>> = {
  "src/audit/audit-log.ts": "names that are escaped",
  "src/ingest/subject.ts": "constants",
  "src/testing/from-json-schema.ts": "Gatehouse's own schemas, in tests",
};

test("S10: patterns are written in the source, and made of nothing that a tenant says", () => {
  const files = ["machines", "src", "workers"].flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: "utf8" }).map((file) => `${room}/${file}`),
  );
  const making = files.filter(
    (file) => file.endsWith(".ts") && /\bRegExp\(/.test(readFileSync(join(root, file), "utf8")),
  );
  expect(making.length).toBeGreaterThan(0);
  expect(making.sort()).toEqual(Object.keys(KNOWN).sort());
});
