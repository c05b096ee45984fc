/** Everything behind the outbox, wired: deliveries to webhook endpoints and remediators, and who brings them there. */
import type { RedisConnection } from "../src/redis/connection.js";
import { DeliveryQueue } from "../src/effects/delivery-queue.js";
import type { AttemptOutcome, Receiver } from "../src/effects/receiver.js";
import type { IngestTarget } from "../src/ingest/ingest.js";
import type { Logger } from "../src/log.js";
import { REMEDIATORS, isForRemediators, remediationReceiver } from "../src/remediators/remediation-receiver.js";
import { RemediatorRegistry } from "../src/remediators/registry.js";
import type { SecretKey } from "../src/secrets/secret-key.js";
import type { LookTarget } from "../src/sessions/look.js";
import type { EffectMessage } from "../src/store/partition-view.js";
import { EndpointStore } from "../src/webhooks/endpoint-store.js";
import { handOver } from "../src/webhooks/hand-over.js";
import { Targets } from "../src/webhooks/target.js";
import { WebhookReceivers } from "../src/webhooks/webhook-receivers.js";
import { Deliverer } from "./deliver.js";

export interface DeliveriesOptions {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly secretKey?: SecretKey | undefined;
  readonly webhookAllowPrivate?: readonly string[];
  readonly remediators?: RemediatorRegistry;
  readonly target: IngestTarget & LookTarget;
  readonly log: Logger;
  /** Told of every attempt: the receiver is an endpoint's id, or `remediators`. */
  readonly onAttempt?: (receiver: string, outcome: AttemptOutcome) => void;
}

export interface RunningDeliveries {
  /** Resolves when the effects are stored for whoever wants them. @throws StoreUnavailableError */
  readonly handOver: (effects: readonly EffectMessage[]) => Promise<void>;
  /** Resolves when the attempts under way have ended. */
  stop(): Promise<void>;
}

export function startDeliveries(options: DeliveriesOptions): RunningDeliveries {
  const { redis, prefix, log, webhookAllowPrivate = [], remediators = new RemediatorRegistry() } = options;
  const endpoints = new EndpointStore(redis, prefix);
  const targets = new Targets({ allowPrivate: webhookAllowPrivate });
  const webhooks = new WebhookReceivers({ redis, prefix, endpoints, secretKey: options.secretKey, targets, log });
  const own: [string, Receiver][] = remediators.isEmpty
    ? []
    : [[REMEDIATORS, remediationReceiver({ redis, prefix, registry: remediators, target: options.target, log })]];
  const deliverer = new Deliverer({
    receivers: async () => new Map([...(await webhooks.receivers()), ...own]),
    log,
    ...(options.onAttempt && { onAttempt: options.onAttempt }),
  });
  deliverer.start();
  const toRemediate = new DeliveryQueue(redis, prefix, REMEDIATORS);
  return {
    handOver: async (effects) => {
      const given = await handOver({ redis, prefix, endpoints }, effects);
      const remediations = remediators.isEmpty ? [] : effects.filter(isForRemediators);
      if (remediations.length > 0) {
        await toRemediate.add(remediations);
        given.push(REMEDIATORS);
      }
      // What is stored is delivered in any case; not being told costs a second at most.
      deliverer.wake(given).catch((error: unknown) => log.warn({ err: error }, "deliveries wait for the next look"));
    },
    stop: async () => {
      await deliverer.stop();
      webhooks.close();
    },
  };
}
