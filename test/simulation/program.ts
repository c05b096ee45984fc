/** The simulation's command as people run it: a process of its own. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./main.ts", import.meta.url));
const TSX = import.meta.resolve("tsx");
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function simulateCommand(...args: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--import", TSX, PROGRAM, ...args],
      { maxBuffer: MOST_OUTPUT_BYTES },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}
