#!/usr/bin/env node
/**
 * The `gatehouse` command. In a working copy it runs the sources, never an older build of them; where it is installed
 * (a package, the container image) there is the build alone.
 */
import { existsSync } from "node:fs";

if (existsSync(new URL("../src/cli/main.ts", import.meta.url))) {
  process.argv.splice(2, 0, "cli");
  await import("./bootstrap.mjs");
} else {
  await import("../dist/src/cli/main.js");
}
