/** Makes many runs at once: a thread a core, each taking the next run when it is done with one. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { RunResult } from "./simulate.js";

export interface Task {
  readonly seed: number;
  /** Name of a planted bug. */
  readonly bug?: string;
}

export type Outcome = Omit<RunResult, "trace" | "played">;

interface Waiting {
  readonly task: Task;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
}

const PROGRAM = new URL("./thread.ts", import.meta.url);

/** A thread does not take over what lets this process run the sources: it begins with that. */
const fromSource = (): string =>
  `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))})` +
  `.then(({ register }) => { register(); return import(${JSON.stringify(PROGRAM.href)}); })`;

/** Much is made and thrown away in a run: the more of it has room, the less of it is looked at twice. */
const YOUNG_MB = 64;

export class Pool {
  readonly size: number;
  readonly #waiting: Waiting[] = [];
  readonly #threads: Worker[] = [];
  readonly #idle: Worker[] = [];

  constructor(size = availableParallelism()) {
    this.size = size;
  }

  /** @throws whatever a run failed with that is no violation */
  run(task: Task): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, resolve, reject });
      const thread = this.#idle.pop() ?? (this.#threads.length < this.size ? this.#start() : undefined);
      if (thread !== undefined) this.#giveNext(thread);
    });
  }

  close(): void {
    for (const thread of this.#threads) thread.postMessage(null);
  }

  #start(): Worker {
    const thread = new Worker(fromSource(), {
      eval: true,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#threads.push(thread);
    return thread;
  }

  #giveNext(thread: Worker): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#idle.push(thread);
      return;
    }
    const done = (outcome: Outcome): void => {
      thread.off("error", next.reject);
      next.resolve(outcome);
      this.#giveNext(thread);
    };
    thread.once("message", done);
    thread.once("error", next.reject);
    thread.postMessage(next.task);
  }
}
