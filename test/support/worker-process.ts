/** The worker as a process of its own, to be killed. It ends with the test run, whatever happens. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { programOf } from "./built.js";

export class WorkerProcess {
  /** Of the process, with the signal that ended it. */
  readonly ended: Promise<NodeJS.Signals | null>;
  readonly #process: ChildProcess;
  #words = "";

  constructor(environment: Readonly<Record<string, string>>) {
    this.#process = spawn(process.execPath, programOf("workers/main"), {
      env: { ...process.env, GATEHOUSE_DURABILITY: "D0", GATEHOUSE_TRUST_REDIS_SETTINGS: "true", ...environment },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on("data", (text: Buffer) => (this.#words += text.toString()));
    this.ended = once(this.#process, "close").then(([, signal]) => signal as NodeJS.Signals | null);
  }

  /** Resolves when it works. */
  async up(): Promise<void> {
    const isUp = once(this.#process, "message").then(() => true);
    if (!(await Promise.race([isUp, this.ended.then(() => false)]))) throw new Error(`no worker:\n${this.#words}`);
  }

  /** At once, in the middle of whatever it does. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    this.kill();
    await this.ended;
  }
}
