/** Live traffic: people of the fleet put the app away and take it up again, sent in small batches as a backend would. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { ingest } from "../../src/ingest/ingest.js";
import { WakeQueue } from "../../src/queue/queues.js";
import { connectQueue, connectStore } from "../../src/redis/connection.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { RedisUserStore } from "../../src/users/redis-user-store.js";
import { partitionOf } from "../../src/store/session-key.js";
import { clockMs, inChild, tell } from "../core/child.js";

/** Between two batches. */
const BATCH_MS = 20;

interface Input {
  readonly url: string;
  readonly prefix: string;
  readonly tenant: string;
  readonly subjects: readonly string[];
  readonly eventsPerSecond: number;
}

inChild<Input>(async ({ url, prefix, tenant, subjects, eventsPerSecond }) => {
  const connection = await connectStore(url);
  const store = await openRedisPartitionStore(connection, { prefix });
  const users = new RedisUserStore(connection, { prefix, deployment: store.deployment });
  const queue = new WakeQueue(connectQueue(url), { prefix, wakeShards: 1 });
  const { partitionCount } = store.deployment;
  const accepted: { partition: number; at: number }[] = [];
  let going = true;
  process.on("message", () => {
    going = false;
  });
  tell({ kind: "ready" });

  const perBatch = Math.round((eventsPerSecond * BATCH_MS) / 1_000);
  const startedAt = clockMs();
  const pending = new Set<Promise<void>>();
  for (let batch = 0; going; batch++) {
    const wait = startedAt + batch * BATCH_MS - clockMs();
    if (wait > 0) await delay(wait);
    const events = Array.from({ length: perBatch }, (_, n) => {
      const turn = batch * perBatch + n;
      const subject = subjects[turn % subjects.length] as string;
      const isAway = Math.floor(turn / subjects.length) % 2 === 1;
      return {
        specversion: "1.0",
        id: randomUUID(),
        source: "app://bench",
        type: isAway ? "app.foregrounded" : "app.backgrounded",
        subject,
        time: new Date().toISOString(),
        data: {},
      };
    });
    const sent = ingest({ store, users, wake: queue.wake }, tenant, events).then(({ totals }) => {
      if (totals.accepted !== events.length) throw new Error("live traffic must be accepted whole");
      const at = clockMs();
      for (const { subject } of events) {
        const [device = ""] = subject.split("/");
        accepted.push({ partition: partitionOf(tenant, device, partitionCount), at });
      }
    });
    pending.add(sent);
    void sent.finally(() => pending.delete(sent));
  }
  await Promise.all(pending);
  tell({ kind: "accepted", accepted });
});
