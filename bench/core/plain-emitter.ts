/** Adds the events of the plain way, in bulk, as a backend would. */
import { once } from "node:events";
import { Queue } from "bullmq";
import { connectQueue } from "../../src/redis/connection.js";
import { type AcceptedEvent, acceptEvent } from "../../src/ingest/accept.js";
import { partitionOf } from "../../src/store/session-key.js";
import { clockMs, inChild, tell } from "./child.js";
import type { Material } from "./material.js";
import { PLAIN_PREFIX, SHARDS, shardName } from "./plain-queue.js";

const CHUNK = 500;

interface Input {
  readonly url: string;
  readonly material: Material;
  /** Events added first, to warm up: not measured. */
  readonly warmUp: number;
}

inChild<Input>(async ({ url, material: { tenant, events }, warmUp }) => {
  const connection = connectQueue(url);
  const queues = Array.from(
    { length: SHARDS },
    (_, shard) => new Queue(shardName(shard), { connection, prefix: PLAIN_PREFIX }),
  );
  await Promise.all(queues.map(async (queue) => queue.waitUntilReady()));

  const add = async (inputs: readonly object[]): Promise<number> => {
    let added = 0;
    for (let from = 0; from < inputs.length; from += CHUNK) {
      const byShard = new Map<number, AcceptedEvent[]>();
      for (const input of inputs.slice(from, from + CHUNK)) {
        const acceptance = acceptEvent(input, tenant);
        if (!("events" in acceptance)) continue;
        for (const event of acceptance.events) {
          const shard = partitionOf(tenant, event.device, SHARDS);
          const group = byShard.get(shard);
          if (group === undefined) byShard.set(shard, [event]);
          else group.push(event);
        }
      }
      await Promise.all(
        [...byShard].map(async ([shard, some]) => {
          added += some.length;
          await queues[shard]?.addBulk(
            some.map((data) => ({ name: "event", data, opts: { removeOnComplete: true, removeOnFail: true } })),
          );
        }),
      );
    }
    return added;
  };

  tell({ kind: "warm", accepted: await add(events.slice(0, warmUp)) });
  await once(process, "message");
  const startedAt = clockMs();
  tell({ kind: "emitted", accepted: await add(events.slice(warmUp)), startedAt });
});
