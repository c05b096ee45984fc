/** Processes the events of the plain way and tells how many are done. */
import { Worker } from "bullmq";
import type { CatalogueDocument } from "../../src/control/catalogue-document.js";
import type { AcceptedEvent } from "../../src/ingest/accept.js";
import { connectQueue } from "../../src/redis/connection.js";
import { clockMs, inChild, tell } from "./child.js";
import { PLAIN_PREFIX, SHARDS, plainProcessor, shardName } from "./plain-queue.js";

inChild<{ url: string; catalogue: CatalogueDocument }>(async ({ url, catalogue }) => {
  const process_ = plainProcessor(connectQueue(url), catalogue);
  let done = 0;
  /** In all, since the start; `null`: not told yet, or told already that it is reached. */
  let expected: number | null = null;
  const check = (): void => {
    if (expected === null || done < expected) return;
    expected = null;
    tell({ kind: "done", at: clockMs() });
  };
  const workers = Array.from({ length: SHARDS }, (_, shard) => {
    const worker = new Worker<AcceptedEvent>(shardName(shard), async ({ data }) => process_(shard, data), {
      connection: connectQueue(url),
      prefix: PLAIN_PREFIX,
      concurrency: 1,
    });
    worker.on("completed", () => {
      done++;
      check();
    });
    return worker;
  });
  process.on("message", (message: { expected: number }) => {
    ({ expected } = message);
    check();
  });
  await Promise.all(workers.map(async (worker) => worker.waitUntilReady()));
  tell({ kind: "ready" });
});
