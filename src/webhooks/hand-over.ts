/** Gives effects to the endpoints that want them: each becomes a stored delivery, however often it is handed over. */
import type { RedisConnection } from "../redis/connection.js";
import { DeliveryQueue } from "../effects/delivery-queue.js";
import type { EffectMessage } from "../store/partition-view.js";
import { wants } from "./endpoint.js";
import type { EndpointStore } from "./endpoint-store.js";

/**
 * Resolves when all are stored.
 * @returns ids of the endpoints that were given something
 * @throws StoreUnavailableError: some may be stored
 */
export async function handOver(
  { redis, prefix, endpoints }: { redis: RedisConnection; prefix: string; endpoints: EndpointStore },
  effects: readonly EffectMessage[],
): Promise<string[]> {
  const given: string[] = [];
  for (const endpoint of (await endpoints.all()).values()) {
    if (endpoint.state === "removed") continue;
    const wanted = effects.filter((effect) => wants(endpoint, effect));
    if (wanted.length === 0) continue;
    const why = endpoint.state === "disabled" ? `the endpoint was disabled: ${endpoint.why ?? "unknown"}` : undefined;
    await new DeliveryQueue(redis, prefix, endpoint.id).add(wanted, why);
    if (endpoint.state === "active") given.push(endpoint.id);
  }
  return given;
}
