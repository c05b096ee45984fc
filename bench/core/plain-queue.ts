/**
 * The plain way, which Gatehouse is compared with: one BullMQ job an event, queues of one worker each so that a device's events keep
 * their order, the snapshot read by GET and written by SET. Everything else is ours: schema, chart, record, effects,
 * deadlines, fsync.
 */
import { hash } from "node:crypto";
import type { Redis } from "ioredis";
import { foldBatch } from "../../machines/fold-batch.js";
import { earliestTimer, resolveFacts } from "../../machines/session/session.js";
import { decodeSession, encodeSession } from "../../machines/session/snapshot.js";
import { Resolver } from "../../machines/policy/resolver.js";
import { readCatalogue, type CatalogueDocument } from "../../src/control/catalogue-document.js";
import type { AcceptedEvent } from "../../src/ingest/accept.js";

/** Ordered queues; more of them did not make it faster on two cores. */
export const SHARDS = 16;

export const shardName = (shard: number): string => `shard-${shard}`;
export const PLAIN_PREFIX = "plain";

/** One job: read, fold, write in one transaction. */
export function plainProcessor(redis: Redis, catalogue: CatalogueDocument) {
  const resolver = new Resolver(readCatalogue(catalogue));
  const heads = new Map<number, string>();
  return async (shard: number, { session: id, event, source, id: eventId, time }: AcceptedEvent): Promise<void> => {
    const key = `${PLAIN_PREFIX}:session:${id}`;
    const stored = await redis.get(key);
    const outcome = foldBatch(
      {
        policies: {},
        horizon: time,
        entries: [
          {
            kind: "event",
            session: id,
            occurrence: { event, at: time, origin: { source, id: eventId, time, entry: `${time}-0` } },
          },
        ],
        due: [],
        sessions: new Map(stored === null ? [] : [[id, decodeSession(stored)]]),
        seq: 0,
      },
      (_tenant, _version, session) => resolver.rules(resolveFacts(session)),
    );
    const write = redis.multi();
    for (const [, session] of outcome.sessions) {
      write.set(key, encodeSession(session));
      const due = earliestTimer(session);
      if (due === null) write.zrem(`${PLAIN_PREFIX}:timers:${shard}`, id);
      else write.zadd(`${PLAIN_PREFIX}:timers:${shard}`, due, id);
    }
    for (const record of outcome.records) {
      const body = JSON.stringify(record);
      const head = hash("sha256", `${heads.get(shard) ?? ""}${body}`);
      heads.set(shard, head);
      write.xadd(`${PLAIN_PREFIX}:journal:${shard}`, "*", "r", body, "h", head);
    }
    for (const effect of outcome.effects) {
      write.xadd(`${PLAIN_PREFIX}:outbox:${shard}`, "*", "e", JSON.stringify(effect));
    }
    await write.exec();
  };
}
