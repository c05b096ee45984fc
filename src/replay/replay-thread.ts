/** A thread that folds whole partitions again, one after the other, as it is asked to. */
import { parentPort, workerData } from "node:worker_threads";
import { openSource } from "./open-source.js";
import { type ReplayRequest, replayPartition } from "./replay-partition.js";
import type { ReplayThreadInput, ThreadReply } from "./replay-threads.js";
import { verifyPartition } from "./verify-partition.js";

const { source: target, request } = workerData as ReplayThreadInput;
const port = parentPort;
if (port === null) throw new Error("this runs in a thread only");

const { source, close } = await openSource(target);
const tell = (reply: ThreadReply): void => port.postMessage(reply);
const onRecords = (records: number): void => tell({ kind: "progress", records });

port.on("message", (partition: number | null) => {
  if (partition === null) {
    port.close();
    void close();
    return;
  }
  work(partition).then(
    (result) => tell({ kind: "done", partition, result }),
    (error: unknown) => {
      const { message, code, fix } = error as { message?: string; code?: string; fix?: string };
      tell({ kind: "failed", message: message ?? String(error), code, fix });
    },
  );
});
tell({ kind: "ready" });

async function work(partition: number) {
  return request === "verify"
    ? verifyPartition(source, partition, onRecords)
    : replayPartition(source, partition, request satisfies ReplayRequest, onRecords);
}
