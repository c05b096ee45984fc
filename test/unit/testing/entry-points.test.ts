/** What a backend imports is there in the package as it is in this repository, and brings no test library to whoever has none. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), "utf8");

interface Package {
  /** A text is a file that is no code. */
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}
const { exports, dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(read("package.json")) as Package;
const { compilerOptions } = JSON.parse(read("tsconfig.json")) as {
  compilerOptions: { paths: Record<string, string[]> };
};

const ENTRIES = Object.entries(exports).flatMap(([name, entry]) =>
  typeof entry === "string" ? [] : [{ name, ...entry }],
);

describe.each(ENTRIES)("$name", ({ name, types, default: code }) => {
  const source = code.replace("./dist/", "").replace(/js$/, "ts");

  test("is built from a file that there is, with its types", () => {
    expect(existsSync(join(root, source))).toBe(true);
    expect(types).toBe(code.replace(/js$/, "d.ts"));
  });

  test("is the same file for this repository's own tests and examples", () =>
    expect(compilerOptions.paths[name.replace(".", "gatehouse")]).toEqual([`./${source}`]));

  test("imports only what is installed with it, or the peer that it is named after", () => {
    const peer = name.replace("./testing/", "");
    const allowed = new Set([...Object.keys(dependencies), ...(peer in peerDependencies ? [peer] : [])]);
    expect([...packagesOf(source)].filter((one) => !allowed.has(one))).toEqual([]);
  });
});

test("every peer is optional: a server has none of them", () => {
  expect(Object.keys(peerDependencies)).toEqual(["fast-check", "vitest"]);
  for (const peer of Object.keys(peerDependencies)) expect(peerDependenciesMeta[peer]).toEqual({ optional: true });
  expect(Object.keys(dependencies)).not.toEqual(expect.arrayContaining(["vitest"]));
  expect(Object.keys(dependencies)).not.toEqual(expect.arrayContaining(["fast-check"]));
});

/** Packages that a file imports, by itself or through files of ours; types alone count for nothing. */
function packagesOf(entry: string): ReadonlySet<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const [head = ""] = read(file).split(/^(?:export )?(?:const|function|async|class|abstract|interface|let)\b/m);
    for (const [, from = ""] of head.matchAll(/^(?:import|export) (?!type\b)[^;]*?from "([^"]+)";$/gm)) {
      if (from.startsWith(".")) visit(join(dirname(file), from.replace(/js$/, "ts")));
      else if (!from.startsWith("node:"))
        packages.add(
          from
            .split("/")
            .slice(0, from.startsWith("@") ? 2 : 1)
            .join("/"),
        );
    }
  };
  visit(entry);
  return packages;
}
