/** The `gatehouse` command as a process of its own, as people run it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** As compiled before the run: see build.ts. */
export const PROGRAM = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

export interface CliOptions {
  /** Where private servers keep their data. */
  readonly directory: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  /** On a terminal, where `script` can make one: both streams are then stdout, and stdin is the keyboard. */
  readonly terminal?: boolean;
}

const onTerminal = (words: readonly string[]): string[] => [
  "script",
  "-qfec",
  // In the shell's place: a shell that stays takes Ctrl-C for its own, and the exit code is its.
  `exec ${words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")}`,
  "/dev/null",
];

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** In which no Redis is known but the one that `environment` names. */
export function environmentOf({ directory, environment = {} }: CliOptions): NodeJS.ProcessEnv {
  const { REDIS_URL: _, GATEHOUSE_TEST_REDIS_URL: __, ...inherited } = process.env;
  return { ...inherited, GATEHOUSE_DIRECTORY: directory, GATEHOUSE_PORT: "0", ...environment };
}

export class Cli {
  stdout = "";
  stderr = "";
  readonly process: ChildProcess;
  private readonly ended: Promise<unknown>;
  private readonly watchers = new Set<() => void>();

  constructor(args: readonly string[], options: CliOptions) {
    const { input, terminal = false } = options;
    const words = [process.execPath, PROGRAM, ...args];
    const [command = "", ...rest] = terminal ? onTerminal(words) : words;
    this.process = spawn(command, rest, {
      env: environmentOf(options),
      stdio: ["pipe", "pipe", "pipe"],
    });
    for (const name of ["stdout", "stderr"] as const) {
      this.process[name]?.setEncoding("utf8").on("data", (text: string) => {
        this[name] += text;
        for (const look of this.watchers) look();
      });
    }
    this.ended = once(this.process, "close").then(() => {
      for (const look of this.watchers) look();
    });
    this.process.stdin?.on("error", () => undefined);
    if (input !== undefined) this.process.stdin?.end(input);
  }

  /** Resolves when the pattern stands in the output, with what it matched; rejects if the process ends before. */
  async says(pattern: RegExp, where: "stdout" | "stderr" = "stderr"): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this[where]);
        if (match === null && this.process.exitCode === null && this.process.signalCode === null) return;
        this.watchers.delete(look);
        if (match === null) reject(new Error(`ended without saying ${pattern}:\n${this.stdout}${this.stderr}`));
        else resolve(match);
      };
      this.watchers.add(look);
      look();
    });
  }

  async finished(): Promise<Finished> {
    await this.ended;
    return { code: this.process.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  /** Ends it, if it has not ended by itself. */
  async stop(): Promise<Finished> {
    this.process.kill("SIGTERM");
    return this.finished();
  }
}

export async function temporaryDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "gatehouse-e2e-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
