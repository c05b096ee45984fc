/**
 * A Gatehouse worker that tells when so many entries are committed. Effects are committed to the outbox; as in the plain way, nobody
 * delivers them.
 */
import { createLogger } from "../../src/log.js";
import { startWorker } from "../../workers/worker.js";
import { clockMs, inChild, tell } from "./child.js";

inChild<{ url: string; prefix: string }>(async ({ url, prefix }) => {
  let committed = 0;
  /** In all, since the start; `null`: not told yet, or told already that it is reached. */
  let expected: number | null = null;
  const commits: { partition: number; entries: number; at: number }[] = [];
  const check = (): void => {
    if (expected === null || committed < expected) return;
    expected = null;
    tell({ kind: "done", at: clockMs(), commits });
  };
  await startWorker({
    redis: url,
    prefix,
    wakeShards: 1,
    concurrency: 8,
    shutdownMs: 1_000,
    sink: null,
    log: createLogger("warn", "bench"),
    onCommit: (partition, entries) => {
      committed += entries;
      commits.push({ partition, entries, at: clockMs() });
      check();
    },
  });
  process.on("message", (message: { expected: number }) => {
    ({ expected } = message);
    check();
  });
  tell({ kind: "ready" });
});
