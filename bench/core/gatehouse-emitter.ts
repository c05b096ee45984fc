/** Sends the events to Gatehouse: all at once as fast as they are taken, or one by one at a steady rate. */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { ingest } from "../../src/ingest/ingest.js";
import { acceptEvent } from "../../src/ingest/accept.js";
import { WakeQueue } from "../../src/queue/queues.js";
import { connectQueue, connectStore } from "../../src/redis/connection.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { RedisUserStore } from "../../src/users/redis-user-store.js";
import { partitionOf } from "../../src/store/session-key.js";
import { clockMs, inChild, tell } from "./child.js";
import type { Material } from "./material.js";

const CHUNK = 4_000;

interface Input {
  readonly url: string;
  readonly prefix: string;
  readonly material: Material;
  /** Events sent first, to warm up: not measured. */
  readonly warmUp: number;
  /** Events a second; absent: as fast as they are taken. */
  readonly perSecond?: number;
}

inChild<Input>(async ({ url, prefix, material: { tenant, events: all }, warmUp, perSecond }) => {
  const connection = await connectStore(url);
  const store = await openRedisPartitionStore(connection, { prefix });
  const users = new RedisUserStore(connection, { prefix, deployment: store.deployment });
  const queue = new WakeQueue(connectQueue(url), { prefix, wakeShards: 1 });
  const target = { store, users, wake: queue.wake };
  const send = async (events: readonly object[]): Promise<number> => {
    let accepted = 0;
    for (let from = 0; from < events.length; from += CHUNK) {
      accepted += (await ingest(target, tenant, events.slice(from, from + CHUNK))).totals.accepted;
    }
    return accepted;
  };
  tell({ kind: "warm", accepted: await send(all.slice(0, warmUp)) });
  await once(process, "message");
  const events = all.slice(warmUp);
  const startedAt = clockMs();
  if (perSecond === undefined) {
    tell({ kind: "emitted", accepted: await send(events), startedAt });
    return;
  }
  const acceptedAt: { partition: number; at: number }[] = [];
  const pending: Promise<void>[] = [];
  for (const [index, event] of events.entries()) {
    const wait = startedAt + (index * 1_000) / perSecond - clockMs();
    if (wait > 0) await delay(wait);
    pending.push(
      ingest(target, tenant, [event]).then(({ totals }) => {
        if (totals.accepted === 0) return;
        const acceptance = acceptEvent(event, tenant);
        if (!("events" in acceptance)) return;
        for (const { device } of acceptance.events) {
          acceptedAt.push({ partition: partitionOf(tenant, device, store.deployment.partitionCount), at: clockMs() });
        }
      }),
    );
  }
  await Promise.all(pending);
  tell({ kind: "emitted", accepted: acceptedAt.length, startedAt, acceptedAt });
});
