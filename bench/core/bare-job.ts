/** A BullMQ job that does nothing, at a steady rate: how long from when it is given to BullMQ until its completion is stored. */
import { setTimeout as delay } from "node:timers/promises";
import { Queue, Worker } from "bullmq";
import { connectQueue } from "../../src/redis/connection.js";
import { clockMs, inChild, tell } from "./child.js";

const PREFIX = "bare";
const NAME = "bare";

interface Input {
  readonly url: string;
  readonly role: "worker" | "emitter";
  readonly jobs: number;
  readonly perSecond: number;
}

inChild<Input>(async ({ url, role, jobs, perSecond }) => {
  if (role === "worker") {
    const completed: Record<string, number> = {};
    const worker = new Worker(NAME, async () => undefined, {
      connection: connectQueue(url),
      prefix: PREFIX,
      concurrency: 8,
    });
    worker.on("completed", (job) => {
      completed[job.name] = clockMs();
      if (Object.keys(completed).length === jobs) tell({ kind: "completed", completed });
    });
    await worker.waitUntilReady();
    tell({ kind: "ready" });
    return;
  }
  const queue = new Queue(NAME, { connection: connectQueue(url), prefix: PREFIX });
  await queue.waitUntilReady();
  const added: Record<string, number> = {};
  const startedAt = clockMs();
  const pending: Promise<unknown>[] = [];
  for (let index = 0; index < jobs; index++) {
    // The first half warms up and is not measured.
    const wait = startedAt + (index * 1_000) / perSecond - clockMs();
    if (wait > 0) await delay(wait);
    if (index >= jobs / 2) added[`job-${index}`] = clockMs();
    pending.push(queue.add(`job-${index}`, {}, { removeOnComplete: true }));
  }
  await Promise.all(pending);
  tell({ kind: "added", added });
});
