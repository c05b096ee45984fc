/** The program that takes the walk's steps apart from live traffic: asked by its parent, and gone with it. */
import { RedisCatalogues } from "../src/control/redis-catalogues.js";
import { RulesSource } from "../src/control/rules-source.js";
import { connectStore } from "../src/redis/connection.js";
import { openRedisPartitionStore } from "../src/store/redis/redis-partition-store.js";
import type { StepReply, StepRequest, WalkProcessInput } from "./walk-apart.js";
import { WalkSteps } from "./walk-step.js";

process.once("disconnect", () => process.exit(0));
// The parent decides when to stop: a signal to the whole group must not cut a step short.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});

process.once("message", (input) => {
  const steps = open(input as WalkProcessInput);
  // A failure is told to whoever asks for a step.
  steps.catch(() => undefined);
  process.on("message", (message) => {
    const { id, partition, place } = message as StepRequest;
    steps
      .then(async (opened) => {
        const result = await opened.step(partition, place);
        tell({ id, result, resolves: opened.resolves });
      })
      .catch((error: unknown) => {
        const { name, message: text } = error instanceof Error ? error : new Error(String(error));
        tell({ id, error: { name, message: text } });
      });
  });
});

async function open({ redis: target, prefix }: WalkProcessInput): Promise<WalkSteps> {
  const redis = await connectStore(target);
  const store = await openRedisPartitionStore(redis, { prefix });
  return new WalkSteps(store, new RulesSource(new RedisCatalogues(redis, prefix)));
}

function tell(reply: StepReply): void {
  // A worker that died meanwhile is heard of by the disconnection.
  process.send?.(reply, undefined, undefined, () => undefined);
}
