/** A worker as a child process, kept alive: one that dies without being told to is replaced. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { GatehouseError } from "../errors.js";
import { WORKER_NODE_FLAGS } from "../node-flags.js";

/** How long a worker that was told to stop may take. */
const SHUTDOWN_MS = 5_000;
/** Beyond its own deadline something is wrong with it. */
const KILL_AFTER_MS = SHUTDOWN_MS + 2_000;
const RESTART_PAUSE_MS = 250;
/** A worker that died this often before it was up will not come up. */
const MAX_FAILED_STARTS = 3;

/** A worker ended before it was up. */
export class WorkerStartError extends GatehouseError {
  readonly code = "worker.start_failed";
  readonly retryable = false;
}

/** The worker's program: beside `src`, in the sources as in the build. */
export const WORKER_PROGRAM = fileURLToPath(
  new URL(`../../workers/main${extname(new URL(import.meta.url).pathname)}`, import.meta.url),
);

export interface WorkerProcessOptions {
  /** Settings, beyond those of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** The worker's log is appended to it. */
  readonly logFile: string;
  /** Hears, in a sentence, of a worker that died and of the one in its place. */
  readonly onChange: (sentence: string) => void;
  /** Called if no worker can be had any more. */
  readonly onFailure: (error: WorkerStartError) => void;
}

export class WorkerProcess {
  private stopping = false;

  private constructor(
    private readonly options: WorkerProcessOptions,
    private readonly log: FileHandle,
    private child: ChildProcess,
  ) {}

  /** @throws WorkerStartError if it ends before it is up */
  static async start(options: WorkerProcessOptions): Promise<WorkerProcess> {
    const log = await open(options.logFile, "a", 0o600);
    try {
      const process = new WorkerProcess(options, log, await startChild(options, log));
      process.watch();
      return process;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves when it has ended. */
  async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    await end(this.child);
    await this.log.close();
  }

  private watch(): void {
    this.child.once("exit", (code, signal) => {
      if (!this.stopping) void this.replace(signal ?? `exit code ${code ?? "unknown"}`);
    });
  }

  private async replace(how: string): Promise<void> {
    const died = `worker ${this.pid} died (${how})`;
    for (let failures = 0; !this.stopping;) {
      try {
        const child = await startChild(this.options, this.log);
        // Told to stop while a new one came up.
        if (this.stopping) return await end(child);
        this.child = child;
        this.watch();
        return this.options.onChange(`${died}; worker ${this.pid} took over`);
      } catch (error) {
        if (++failures < MAX_FAILED_STARTS) await delay(RESTART_PAUSE_MS);
        else if (error instanceof WorkerStartError) return this.options.onFailure(error);
        else throw error;
      }
    }
  }
}

async function startChild({ environment, logFile }: WorkerProcessOptions, log: FileHandle): Promise<ChildProcess> {
  const { size } = await log.stat();
  const child = fork(WORKER_PROGRAM, {
    execArgv: [...process.execArgv, ...WORKER_NODE_FLAGS],
    env: { ...process.env, GATEHOUSE_SHUTDOWN_MS: String(SHUTDOWN_MS), ...environment },
    stdio: ["ignore", log.fd, log.fd, "ipc"],
  });
  const up = await new Promise<boolean>((settle) => {
    child.once("message", () => settle(true));
    child.once("exit", () => settle(false));
    child.once("error", () => settle(false));
  });
  if (up) return child;
  const words = (await readFile(logFile)).subarray(size).toString().trim();
  throw new WorkerStartError(`a worker did not come up:\n${words}`, { fix: `Its log is ${logFile}.` });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const patience = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
  clearTimeout(patience);
}
