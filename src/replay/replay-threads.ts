/** Folds many partitions again at once: a thread a core, each taking the next partition when it is done with one. */
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { GatehouseError, StoreUnavailableError } from "../errors.js";
import type { SourceTarget } from "./open-source.js";
import type { ReplayReport } from "./partition-replay.js";
import type { ReplayRequest } from "./replay-partition.js";
import type { PartitionVerdict } from "./verify-partition.js";

export interface ReplayThreadInput {
  readonly source: SourceTarget;
  readonly request: ReplayRequest | "verify";
}

export type ThreadReply =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly records: number }
  | { readonly kind: "done"; readonly partition: number; readonly result: ReplayReport | PartitionVerdict }
  /** What crosses from thread to thread loses its class. */
  | {
      readonly kind: "failed";
      readonly message: string;
      readonly code: string | undefined;
      readonly fix: string | undefined;
    };

/** A thread ended without saying why. */
export class ReplayThreadError extends GatehouseError {
  readonly code = "replay.thread_failed";
  readonly retryable = true;
}

export interface ThreadsOptions extends ReplayThreadInput {
  readonly partitions: readonly number[];
  /** Told of every so many records that are done. */
  readonly onRecords?: (records: number) => void;
  readonly signal?: AbortSignal;
}

/** The thread's program: beside this one, in the sources as in the build. */
const EXTENSION = extname(new URL(import.meta.url).pathname);
const PROGRAM = new URL(`./replay-thread${EXTENSION}`, import.meta.url);
const IS_SOURCE = EXTENSION === ".ts";

/** A page of records lives until it is folded, and is copied about when the young generation is smaller: with 64 MB a fifth more time a record. */
const YOUNG_GENERATION_MB = 128;

/** A thread does not take over what lets this process run the sources: there it begins with that. */
const fromSource = (): string =>
  `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))})` +
  `.then(({ register }) => { register(); return import(${JSON.stringify(PROGRAM.href)}); })`;

/**
 * @returns what came of each partition, in the order of `partitions`
 * @throws whatever a thread failed with; AbortError
 */
export async function inThreads<Result extends ReplayReport | PartitionVerdict>({
  partitions,
  source,
  request,
  onRecords = () => {},
  signal,
}: ThreadsOptions): Promise<Result[]> {
  const results = new Map<number, Result>();
  const left = [...partitions];
  const threads: Worker[] = [];
  const run = async (): Promise<void> => {
    const thread = new Worker(IS_SOURCE ? fromSource() : PROGRAM, {
      workerData: { source, request } satisfies ReplayThreadInput,
      eval: IS_SOURCE,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    threads.push(thread);
    await new Promise<void>((resolve, reject) => {
      const giveNext = (): void => thread.postMessage(left.shift() ?? null);
      thread.on("message", (reply: ThreadReply) => {
        if (reply.kind === "progress") onRecords(reply.records);
        else if (reply.kind === "failed") reject(asError(reply));
        else {
          if (reply.kind === "done") results.set(reply.partition, reply.result as Result);
          giveNext();
        }
      });
      thread.once("error", reject);
      thread.once("exit", (code) => {
        if (code === 0) resolve();
        else reject(new ReplayThreadError(`a thread ended with code ${code}`, { fix: "Run the command again." }));
      });
    });
  };
  const onAbort = (): void => threads.forEach((thread) => void thread.terminate());
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const wanted = Math.min(availableParallelism(), partitions.length);
    await Promise.all(Array.from({ length: wanted }, run));
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    onAbort();
  }
  return partitions.map((partition) => results.get(partition) as Result);
}

function asError({ message, code, fix }: Extract<ThreadReply, { kind: "failed" }>): Error {
  if (code === "store.unavailable") return new StoreUnavailableError(message, { outcomeUnknown: false });
  return Object.assign(new Error(message), { code: code ?? "internal", fix });
}
