/**
 * Compiles the program once for a test run: a command that runs from its build starts in less than half the time, and it is what
 * people install.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SCRIPT = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));

export default async function setup(): Promise<void> {
  await promisify(execFile)(process.execPath, [SCRIPT]);
}
