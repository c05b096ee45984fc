/** Over HTTP the client needs nothing but Node: what loads a library is loaded only by those who share the Redis. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** Imports that are still there when types are erased, dynamic ones apart. */
const STATIC_IMPORT = /^(?:import|export)\s(?!type\b)[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm;

function loadedBy(file: URL, seen = new Map<string, Set<string>>()): Map<string, Set<string>> {
  const name = fileURLToPath(file);
  if (seen.has(name)) return seen;
  const libraries = new Set<string>();
  seen.set(name, libraries);
  for (const [, named, bare] of readFileSync(file, "utf8").matchAll(STATIC_IMPORT)) {
    const specifier = named ?? bare ?? "";
    if (specifier.startsWith(".")) loadedBy(new URL(specifier.replace(/\.js$/, ".ts"), file), seen);
    else libraries.add(specifier);
  }
  return seen;
}

const librariesOf = (path: string): Set<string> =>
  new Set([...loadedBy(new URL(`../../../${path}`, import.meta.url)).values()].flatMap((each) => [...each]));

test("the client loads no library before it is told to share a Redis", () => {
  const loaded = librariesOf("src/client/index.ts");
  expect([...loaded].filter((name) => !name.startsWith("node:"))).toEqual([]);
});

test("the client that shares a Redis does", () => {
  expect(librariesOf("src/client/direct-client.ts")).toContain("ioredis");
});
