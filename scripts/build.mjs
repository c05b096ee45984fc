/**
 * Compiles to dist/, and copies what the modules read from places relative to their own: Lua scripts, samples and the errors.
 * `node scripts/build.mjs bench` compiles the benchmarks as well, and to a place of their own: dist/ is what is shipped.
 */
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("../", import.meta.url)));
const [out, project] =
  process.argv[2] === "bench" ? [".bench", "tsconfig.bench.json"] : ["dist", "tsconfig.build.json"];
// A module that was removed or renamed must not live on in the build.
rmSync(out, { recursive: true, force: true });
execFileSync(join("node_modules", ".bin", "tsc"), ["--project", project], { stdio: "inherit" });
for (const file of readdirSync("src", { recursive: true })) {
  if (file.endsWith(".lua")) cpSync(join("src", file), join(out, "src", file));
}
cpSync("samples", join(out, "samples"), { recursive: true });
// The API answers with a page for each error code.
cpSync(join("docs", "errors.md"), join(out, "docs", "errors.md"));
