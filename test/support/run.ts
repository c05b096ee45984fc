/** `npm run chaos` and its like as processes of their own, and what they started. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const BOOTSTRAP = fileURLToPath(new URL("../../scripts/bootstrap.mjs", import.meta.url));
const run = promisify(execFile);

export class Run {
  stdout = "";
  stderr = "";
  readonly process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #watchers = new Set<() => void>();

  /** @param command of scripts/bootstrap.mjs */
  constructor(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.process = spawn(process.execPath, [BOOTSTRAP, command, ...args], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const name of ["stdout", "stderr"] as const) {
      this.process[name]?.setEncoding("utf8").on("data", (text: string) => {
        this[name] += text;
        for (const look of this.#watchers) look();
      });
    }
    this.#ended = once(this.process, "exit").then(() => {
      for (const look of this.#watchers) look();
    });
  }

  /** Resolves when the pattern stands on stderr; rejects if the process ends before. */
  async says(pattern: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        const isSaid = pattern.test(this.stderr);
        const isOver = this.process.exitCode !== null || this.process.signalCode !== null;
        if (!isSaid && !isOver) return;
        this.#watchers.delete(look);
        if (isSaid) resolve();
        else reject(new Error(`ended without saying ${pattern}:\n${this.stdout}${this.stderr}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  async exitCode(): Promise<number | null> {
    await this.#ended;
    return this.process.exitCode;
  }

  /** Every process that it started and that lives, and those that they started. */
  async descendants(): Promise<readonly number[]> {
    const parents = new Map((await processes()).map(({ pid, parent }) => [pid, parent]));
    const isOurs = (pid: number): boolean => {
      const parent = parents.get(pid);
      return parent !== undefined && (parent === this.process.pid || isOurs(parent));
    };
    return [...parents.keys()].filter(isOurs);
  }
}

/** Those of the processes that have not ended. */
export async function alive(pids: readonly number[]): Promise<readonly number[]> {
  const all = await processes();
  return pids.filter((pid) => all.some((one) => one.pid === pid));
}

async function processes(): Promise<readonly { readonly pid: number; readonly parent: number }[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid=,stat="]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state = ""]) => !state.startsWith("Z"))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
}
