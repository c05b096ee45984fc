/** Runs one command line after another, in one process; see warm-program.mjs. It ends with the process that it is for. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Finished } from "./cli.js";

const PROGRAM = fileURLToPath(new URL("./warm-program.mjs", import.meta.url));

export interface CommandLine {
  readonly args: readonly string[];
  /** All of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly input: string | Buffer;
}

interface Waiting {
  readonly resolve: (finished: Finished) => void;
  readonly reject: (error: Error) => void;
}

export class WarmProcess {
  /** Answers come in the order of the questions. */
  readonly #waiting: Waiting[] = [];
  readonly #process: ChildProcess = fork(PROGRAM, { execArgv: [], serialization: "advanced" });

  constructor() {
    this.#process.on("message", (finished) => this.#waiting.shift()?.resolve(finished as Finished));
    this.#process.on("exit", (code, signal) => {
      const error = new Error(`the process that runs commands ended (${signal ?? code}): what it said is on stderr`);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  /** One at a time: in the order in which they are asked for. */
  async run(line: CommandLine): Promise<Finished> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#process.send(line);
    });
  }
}
