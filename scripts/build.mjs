/** Compiles to dist/, and copies what the modules read from places relative to their own: Lua scripts, samples and the errors. */
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("../", import.meta.url)));
// A module that was removed or renamed must not live on in the build.
rmSync("dist", { recursive: true, force: true });
execFileSync(join("node_modules", ".bin", "tsc"), ["--project", "tsconfig.build.json"], { stdio: "inherit" });
for (const file of readdirSync("src", { recursive: true })) {
  if (file.endsWith(".lua")) cpSync(join("src", file), join("dist", "src", file));
}
cpSync("samples", join("dist", "samples"), { recursive: true });
// The API answers with a page for each error code.
cpSync(join("docs", "errors.md"), join("dist", "docs", "errors.md"));
