/** What an idle session costs in Redis: the memory that is free again when the sessions and their deadlines are gone. */
import { randomUUID } from "node:crypto";
import { Drainer } from "../../workers/drain.js";
import { publish } from "../../src/control/publish.js";
import { RedisCatalogues } from "../../src/control/redis-catalogues.js";
import { RulesSource } from "../../src/control/rules-source.js";
import { CLOCK_BODY } from "../../src/ingest/inbox-body.js";
import { ingest } from "../../src/ingest/ingest.js";
import { createLogger } from "../../src/log.js";
import { connectStore } from "../../src/redis/connection.js";
import { BROADCAST } from "../../src/store/partition-store.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { RedisUserStore } from "../../src/users/redis-user-store.js";
import type { Material } from "./material.js";
import { PIN, POSTURE } from "./phone.js";

const SESSIONS_AT_ONCE = 5_000;
const HOUR_MS = 3_600_000;

/** Bytes a session, over `count` sessions that signed in, enrolled, reported, set a PIN and were put away an hour ago. */
export async function sessionBytes(url: string, { tenant, catalogue }: Material, count: number): Promise<number> {
  const redis = await connectStore(url);
  const prefix = "bytes";
  const store = await openRedisPartitionStore(redis, {
    prefix,
    deployment: { clock: "event", journalMaxBytes: 65_536 },
  });
  const users = new RedisUserStore(redis, { prefix, deployment: store.deployment });
  const catalogues = new RedisCatalogues(redis, prefix);
  await publish({ store, catalogues, wake: () => {} }, tenant, catalogue);
  const drainer = new Drainer({
    store,
    rules: new RulesSource(catalogues),
    log: createLogger("warn", "bench"),
    onEffects: () => {},
  });
  const startMs = Date.now();
  const time = new Date(startMs).toISOString();
  for (let from = 0; from < count; from += SESSIONS_AT_ONCE) {
    const subjects = Array.from(
      { length: Math.min(SESSIONS_AT_ONCE, count - from) },
      () => `${randomUUID()}/${randomUUID()}`,
    );
    const stages: readonly [type: string, data: object][] = [
      ["account.signedIn", { platform: "ios", interactive: true }],
      ["enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }],
      ["posture.reported", POSTURE],
      ["pin.set", { descriptor: PIN }],
      ["app.backgrounded", {}],
    ];
    for (const [type, data] of stages) {
      await ingest(
        { store, users, wake: () => {} },
        tenant,
        subjects.map((subject) => ({
          specversion: "1.0",
          id: randomUUID(),
          source: "app://bench",
          type,
          subject,
          time,
          data,
        })),
      );
    }
    for (let partition = 0; partition < store.deployment.partitionCount; partition++) {
      while ((await drainer.drain(partition)) === "more");
    }
  }
  for (let partition = 0; partition < store.deployment.partitionCount; partition++) {
    await store.ingest(partition, [
      { session: BROADCAST, body: CLOCK_BODY, time: startMs + HOUR_MS, fingerprint: null },
    ]);
    while ((await drainer.drain(partition)) === "more");
  }
  const before = await usedMemory(redis);
  for (let partition = 0; partition < store.deployment.partitionCount; partition++) {
    await redis.del(`${prefix}:{p${partition}}:sessions`, `${prefix}:{p${partition}}:timers`);
  }
  const bytes = (before - (await usedMemory(redis))) / count;
  redis.disconnect();
  return bytes;
}

async function usedMemory(redis: { info(section: string): Promise<string> }): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
}
