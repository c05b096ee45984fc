/** A thread that makes one run after the other, as it is asked to. */
import { parentPort } from "node:worker_threads";
import { PLANTED } from "./planted.js";
import type { Outcome, Task } from "./pool.js";
import { scriptOf } from "./script.js";
import { simulate } from "./simulate.js";

const port = parentPort;
if (port === null) throw new Error("this runs in a thread only");

port.on("message", (task: Task | null) => {
  if (task === null) {
    port.close();
    return;
  }
  const bug = task.bug === undefined ? {} : PLANTED[task.bug];
  simulate(scriptOf(task.seed), bug === undefined ? {} : { bug }).then(
    ({ trace: _, played: __, ...outcome }) => port.postMessage(outcome satisfies Outcome),
    // What a run itself throws is a fault of the simulation: it must not pass for a seed that held.
    (error: unknown) => {
      throw error;
    },
  );
});
