/** A worker that tells, when asked, what it committed. */
import { createLogger } from "../../src/log.js";
import { startWorker } from "../../workers/worker.js";
import { clockMs, inChild, tell } from "../core/child.js";

interface Input {
  readonly url: string;
  readonly prefix: string;
}

inChild<Input>(async ({ url, prefix }) => {
  const commits: { partition: number; entries: number; at: number }[] = [];
  const worker = await startWorker({
    redis: url,
    prefix,
    wakeShards: 1,
    concurrency: 8,
    shutdownMs: 1_000,
    walkApart: true,
    sink: null,
    log: createLogger("warn", "bench"),
    onCommit: (partition, entries) => commits.push({ partition, entries, at: clockMs() }),
  });
  process.on("message", (message) => {
    if (message === "forget") {
      commits.length = 0;
      return;
    }
    tell({ kind: "committed", commits, resolves: worker.walkResolves() });
  });
  tell({ kind: "ready" });
});
