/** A person's effects on their way to webhooks and remediators, and those that arrived or were given up. */
import type { RedisConnection } from "../redis/connection.js";
import type { Delivery } from "../effects/delivery.js";
import { REMEDIATORS } from "../remediators/remediation-receiver.js";
import { deliveryKeys } from "../store/keys.js";
import { toUnavailable } from "../store/redis/unavailable.js";
import { EndpointStore } from "../webhooks/endpoint-store.js";
import { type ErasureScope, isTheirs, sessionNeedle } from "./scope.js";

const PAGE = 500;

/**
 * Whoever is delivering one of them goes on, once; whatever comes of it is not noted any more.
 * @param removes `false`: they are counted alone
 * @returns how many there were
 * @throws StoreUnavailableError
 */
export async function eraseDeliveries(
  redis: RedisConnection,
  prefix: string,
  scope: ErasureScope,
  removes: boolean,
): Promise<number> {
  const endpoints = [...(await new EndpointStore(redis, prefix).all()).values()];
  const queues = endpoints.filter(({ tenant }) => tenant === scope.tenant).map(({ id }) => id);
  const counts = await Promise.all(
    [...queues, REMEDIATORS].map(async (queue) => eraseIn(redis, prefix, queue, scope, removes)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function eraseIn(
  redis: RedisConnection,
  prefix: string,
  queue: string,
  scope: ErasureScope,
  removes: boolean,
): Promise<number> {
  const { due, spent, delivered, deliveries } = deliveryKeys(prefix, queue);
  const needle = sessionNeedle(scope);
  // A scan may give one twice.
  const found = new Set<string>();
  let cursor = "0";
  do {
    const [next, pairs] = await answer(redis.hscan(deliveries, cursor, "COUNT", PAGE));
    const page: string[] = [];
    for (let at = 0; at < pairs.length; at += 2) {
      const [id, text] = pairs.slice(at, at + 2) as [string, string];
      if (!text.includes(needle)) continue;
      const { effect } = JSON.parse(text.slice(text.indexOf("|") + 1)) as Delivery;
      if (isTheirs(scope, effect.session)) page.push(id);
    }
    if (page.length > 0 && removes) {
      // The text goes first: an id without one is passed over, and dropped, by whoever takes it.
      await answer(redis.hdel(deliveries, ...page));
      for (const set of [due, spent, delivered]) await answer(redis.zrem(set, ...page));
    }
    for (const id of page) found.add(id);
    cursor = next;
  } while (cursor !== "0");
  return found.size;
}

async function answer<Reply>(reply: Promise<Reply>): Promise<Reply> {
  try {
    return await reply;
  } catch (error) {
    throw toUnavailable(error, "deliveries erase", true);
  }
}
