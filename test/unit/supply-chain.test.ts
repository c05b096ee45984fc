/** S17: what is installed with Gatehouse is little, named exactly, and runs nothing while it is installed. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

interface Package {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
}
interface Locked extends Package {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: true;
  readonly optional?: true;
  readonly peer?: true;
  readonly hasInstallScript?: true;
}

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
const manifest = JSON.parse(read("package.json")) as Package;
const { packages } = JSON.parse(read("package-lock.json")) as { readonly packages: Readonly<Record<string, Locked>> };
const installed = Object.entries(packages).filter(([path]) => path !== "");
const inProduction = installed.filter(([, { dev, optional, peer }]) => !dev && !optional && !peer);

describe("S17: dependencies", () => {
  test("that are direct are 40 at most, those of development included", () => {
    const direct = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(direct.length).toBeLessThanOrEqual(40);
  });

  test("of production are pinned to one version each", () => {
    for (const [name, version] of Object.entries(manifest.dependencies ?? {}))
      expect(`${name} ${version}`).toMatch(/ \d+\.\d+\.\d+$/);
  });

  test("are those of the lockfile, in the versions that were asked for", () => {
    const { dependencies, devDependencies } = packages[""] as Locked;
    expect({ dependencies, devDependencies }).toEqual({
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
    });
    for (const [name, version] of Object.entries(manifest.dependencies ?? {}))
      expect(packages[`node_modules/${name}`]?.version).toBe(version);
  });

  test("have a hash each, and name no host: what any registry gives is held against it", () => {
    // The binaries that are optional are those of other platforms.
    for (const [path, { integrity, resolved }] of installed.filter(([, { optional }]) => !optional))
      expect([path, integrity, resolved]).toEqual([path, expect.stringMatching(/^sha512-/), undefined]);
  });

  test("of production need no script when they are installed: an install with scripts off is whole", () => {
    // Scarf's counts downloads, and nothing else.
    expect(inProduction.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([
      "node_modules/@scarf/scarf",
    ]);
    expect(read("scripts/bootstrap.mjs")).toContain("--ignore-scripts");
    expect(read("Dockerfile")).toMatch(/npm ci[^\n]*--ignore-scripts/);
  });
});
