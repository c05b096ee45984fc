/** How deliveries of effects stand, receiver by receiver: of all tenants' webhook endpoints, and of the remediators. */
import type { RedisConnection } from "../redis/connection.js";
import { DeliveryQueue, type QueueFigures } from "../effects/delivery-queue.js";
import { REMEDIATORS } from "../remediators/remediation-receiver.js";
import type { EndpointState } from "../webhooks/endpoint.js";
import { EndpointStore } from "../webhooks/endpoint-store.js";

export interface ReceiverFacts {
  /** A webhook endpoint's id, or `remediators`. */
  readonly receiver: string;
  /** Absent: all tenants'. */
  readonly tenant?: string;
  readonly state: EndpointState;
  /** Why it is not active, in words. */
  readonly why?: string;
  readonly figures: QueueFigures;
}

/** @throws StoreUnavailableError */
export async function readReceivers(redis: RedisConnection, prefix: string): Promise<ReceiverFacts[]> {
  const endpoints = [...(await new EndpointStore(redis, prefix).all()).values()];
  const of = async (receiver: string): Promise<QueueFigures> => new DeliveryQueue(redis, prefix, receiver).figures();
  return Promise.all([
    ...endpoints.map(async ({ id, tenant, state, why }) => ({
      receiver: id,
      tenant,
      state,
      ...(why !== undefined && { why }),
      figures: await of(id),
    })),
    (async () => ({ receiver: REMEDIATORS, state: "active" as const, figures: await of(REMEDIATORS) }))(),
  ]);
}
