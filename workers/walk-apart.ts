/**
 * The walk's steps in a process of their own, with less priority than live traffic: judging sessions is work for a processor, and
 * in the worker's own process every event would wait for it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setPriority } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { RedisTarget } from "../src/redis/address.js";
import type { Place, StepResult, WalkStepper } from "./walk-step.js";

/** Beside this file, in the sources as in the build. */
const PROGRAM = fileURLToPath(new URL(`./walk-process${extname(new URL(import.meta.url).pathname)}`, import.meta.url));

/** Nicer than live traffic: it goes first wherever both want a processor. */
const PRIORITY = 10;

/** A walk is rare; between two of them the process would only hold memory. */
const IDLE_MS = 60_000;

export interface WalkProcessInput {
  readonly redis: RedisTarget;
  readonly prefix: string;
}

export interface StepRequest {
  readonly id: number;
  readonly partition: number;
  readonly place: Place;
}

export type StepReply =
  | { readonly id: number; readonly result: StepResult; readonly resolves: number }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

interface Asked {
  readonly resolve: (result: StepResult) => void;
  readonly reject: (error: Error) => void;
}

export class WalkApart implements WalkStepper {
  private child: ChildProcess | undefined;
  private readonly asked = new Map<number, Asked>();
  private requests = 0;
  resolves = 0;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly input: WalkProcessInput) {}

  /** @throws Error if the process ends, or says that it can't */
  async step(partition: number, place: Place): Promise<StepResult> {
    clearTimeout(this.idle);
    const child = (this.child ??= this.start());
    const id = ++this.requests;
    try {
      return await new Promise<StepResult>((resolve, reject) => {
        this.asked.set(id, { resolve, reject });
        child.send({ id, partition, place } satisfies StepRequest, (error) => {
          if (error !== null) reject(error);
        });
      });
    } finally {
      this.asked.delete(id);
      if (this.asked.size === 0) {
        this.idle = setTimeout(() => void this.close(), IDLE_MS);
        this.idle.unref();
      }
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.idle);
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    // It ends when nobody is connected any more.
    child.disconnect();
    await ended;
  }

  private start(): ChildProcess {
    const child = fork(PROGRAM, { serialization: "json" });
    try {
      if (child.pid !== undefined) setPriority(child.pid, PRIORITY);
    } catch {
      // Not everywhere may a process be made nicer; the walk is right all the same.
    }
    child.on("message", (message) => {
      const reply = message as StepReply;
      const asked = this.asked.get(reply.id);
      if ("error" in reply) asked?.reject(Object.assign(new Error(reply.error.message), { name: reply.error.name }));
      else {
        this.resolves = reply.resolves;
        asked?.resolve(reply.result);
      }
    });
    child.once("exit", (code, signal) => {
      if (this.child === child) this.child = undefined;
      const error = new Error(`the walk's process ended (${signal ?? code}); another is started for the next step`);
      for (const { reject } of this.asked.values()) reject(error);
    });
    child.send(this.input);
    return child;
  }
}
