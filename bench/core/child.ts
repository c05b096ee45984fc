/** Child processes that answer by messages: the bench's emitters and workers, apart as they are in production. */
import { type ChildProcess, fork } from "node:child_process";
import { WORKER_NODE_FLAGS } from "../../src/node-flags.js";
import { programOf } from "./program.js";

/** A commit whose answer is lost is not counted, and a count that falls short is waited for no longer than this. */
const PATIENCE_MS = 180_000;

export class Child {
  private readonly process: ChildProcess;

  /** @param module relative to this one, without what its file's name ends with; it is given `input` as its first message */
  constructor(module: string, input: unknown, flags = WORKER_NODE_FLAGS) {
    const { file, execArgv } = programOf(module, import.meta.url);
    this.process = fork(file, {
      execArgv: [...execArgv, ...flags],
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.process.send(input as never);
  }

  /** Resolves with the first message of this kind. */
  async next<Message extends { readonly kind: string }>(kind: Message["kind"]): Promise<Message> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`a bench process said nothing for ${PATIENCE_MS / 1_000} s: run the bench again`)),
        PATIENCE_MS,
      );
      const onMessage = (message: unknown): void => {
        if ((message as Message).kind !== kind) return;
        this.process.off("message", onMessage);
        clearTimeout(late);
        resolve(message as Message);
      };
      this.process.on("message", onMessage);
      this.process.once("exit", (code) => reject(new Error(`a bench process ended early, with ${code ?? "a signal"}`)));
    });
  }

  send(message: unknown): void {
    this.process.send(message as never);
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await ended;
  }
}

/** In a child: runs `body` with the parent's first message. */
export function inChild<Input>(body: (input: Input) => Promise<void>): void {
  // It never outlives a bench that failed.
  process.once("disconnect", () => process.exit(1));
  process.once("message", (input) => {
    body(input as Input).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
}

export function tell(message: { readonly kind: string } & Readonly<Record<string, unknown>>): void {
  process.send?.(message);
}

/** Milliseconds since the epoch with fractions, the same in every process of this machine. */
export function clockMs(): number {
  return performance.timeOrigin + performance.now();
}
