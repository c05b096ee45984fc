/** The active endpoints of all tenants as receivers: signs, sends, and judges what came back. */
import type { RedisConnection } from "../redis/connection.js";
import { DeliveryQueue, type Settled } from "../effects/delivery-queue.js";
import type { Delivery } from "../effects/delivery.js";
import type { AttemptOutcome, Receiver } from "../effects/receiver.js";
import type { Logger } from "../log.js";
import type { SecretKey } from "../secrets/secret-key.js";
import type { EndpointStore } from "./endpoint-store.js";
import type { EndpointRecord } from "./endpoint.js";
import { GIVE_UP_ENDPOINT_AFTER_MS, WEBHOOK_BREAKER, retryAfterMs, retryPauseMs } from "./schedule.js";
import type { TraceParent } from "../tracing/trace-parent.js";
import { tracedAttempt } from "../tracing/attempt-span.js";
import { type Answer, ATTEMPT_TIMEOUT_MS, Sender } from "./send.js";
import type { Targets } from "./target.js";
import { WebhookConflictError, WebhookSecretError } from "./webhook-errors.js";
import { readSecrets } from "./webhooks.js";

const GONE = 410;
/** Any pause ends the round: what was taken beside what is under way is given back, and the next round finds the endpoint disabled. */
const GONE_PAUSE_MS = 1;
/** Answers whose `Retry-After` counts. */
const ASKS_FOR_PATIENCE = [429, 503];
/** A secret that this process can't read may be readable to another one. */
const UNREADABLE_PAUSE_MS = 60_000;

const CONCURRENCY = { first: 8, most: 32 };
/** A delivery waits for its turn behind others that take their whole time. */
const VISIBLE_AFTER_MS = 4 * ATTEMPT_TIMEOUT_MS;

export interface WebhookReceiversOptions {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly endpoints: EndpointStore;
  /** Absent: secrets can't be read, so everything waits. */
  readonly secretKey?: SecretKey | undefined;
  readonly targets: Targets;
  readonly log: Logger;
}

export class WebhookReceivers {
  readonly #options: WebhookReceiversOptions;
  readonly #sender: Sender;
  readonly #key: Buffer | undefined;
  readonly #receivers = new Map<string, Receiver>();
  #saidThatKeyIsMissing = false;

  constructor(options: WebhookReceiversOptions) {
    this.#options = options;
    this.#sender = new Sender(options.targets);
    this.#key = options.secretKey?.derive("webhook-secrets");
  }

  /** By endpoint id. @throws StoreUnavailableError */
  async receivers(): Promise<ReadonlyMap<string, Receiver>> {
    const active = [...(await this.#options.endpoints.all()).values()].filter(({ state }) => state === "active");
    if (this.#key === undefined) {
      if (active.length > 0 && !this.#saidThatKeyIsMissing) {
        this.#saidThatKeyIsMissing = true;
        this.#options.log.error("GATEHOUSE_SECRET_KEY is not set, so webhooks can't be signed: deliveries wait");
      }
      return new Map();
    }
    const wanted = new Set(active.map(({ id }) => id));
    for (const id of this.#receivers.keys()) if (!wanted.has(id)) this.#receivers.delete(id);
    for (const id of wanted) if (!this.#receivers.has(id)) this.#receivers.set(id, this.#receiver(id, this.#key));
    return this.#receivers;
  }

  close(): void {
    this.#sender.close();
  }

  #receiver(id: string, key: Buffer): Receiver {
    const { redis, prefix } = this.#options;
    return {
      queue: new DeliveryQueue(redis, prefix, id),
      breaker: WEBHOOK_BREAKER,
      concurrency: CONCURRENCY,
      visibleAfterMs: VISIBLE_AFTER_MS,
      isReady: async () => (await this.#find(id))?.state === "active",
      attempt: async (delivery) =>
        tracedAttempt(delivery.effect, "webhook", async (traceparent) => this.#attempt(id, key, delivery, traceparent)),
      settled: async (settled) => this.#settled(id, settled),
    };
  }

  async #attempt(
    id: string,
    key: Buffer,
    delivery: Delivery,
    traceparent: TraceParent | undefined,
  ): Promise<AttemptOutcome> {
    try {
      const endpoint = await this.#find(id);
      if (endpoint === undefined) throw new Error("the endpoint is gone");
      const secrets = readSecrets(endpoint, key, Date.now());
      const answer = await this.#sender.send({ url: endpoint.url, effect: delivery.effect, secrets, traceparent });
      if (answer.status === GONE) await this.#disable(id, "it answered 410 Gone");
      return judge(answer, delivery.tried + 1);
    } catch (error) {
      if (error instanceof WebhookSecretError) this.#options.log.error({ endpoint: id }, error.message);
      const why = error instanceof Error ? error.message : String(error);
      const attempt = { at: Date.now(), durationMs: 0, why };
      return { attempt, outcome: "later", againInMs: UNREADABLE_PAUSE_MS, pauseMs: UNREADABLE_PAUSE_MS };
    }
  }

  async #settled(id: string, { failures, failingForMs }: Settled): Promise<void> {
    if (failures === WEBHOOK_BREAKER.openAfter) {
      this.#options.log.warn({ endpoint: id }, "a webhook endpoint fails; it is tried once a second at most");
    }
    if (failingForMs > GIVE_UP_ENDPOINT_AFTER_MS) await this.#disable(id, "it took nothing for 5 days");
  }

  async #disable(id: string, why: string): Promise<void> {
    const endpoint = await this.#find(id);
    if (endpoint?.state !== "active") return;
    try {
      await this.#options.endpoints.save(id, endpoint, { ...endpoint, state: "disabled", why, changedAt: Date.now() });
      this.#options.log.warn({ endpoint: id, why }, "a webhook endpoint was disabled");
    } catch (error) {
      // Somebody else changed it; if it still has to be disabled, the next attempt will.
      if (!(error instanceof WebhookConflictError)) throw error;
    }
  }

  async #find(id: string): Promise<EndpointRecord | undefined> {
    return (await this.#options.endpoints.all()).get(id);
  }
}

/**
 * What follows from an answer.
 * @param tried attempts of the running schedule, this one included
 */
export function judge(answer: Answer, tried: number): AttemptOutcome {
  const { at, durationMs, status, why } = answer;
  const attempt = { at, durationMs, ...(status !== undefined && { status }), ...(why !== undefined && { why }) };
  if (why === undefined) return { attempt, outcome: "delivered" };
  // It waits for whoever looks after the endpoint.
  if (status === GONE) return { attempt, outcome: "later", againInMs: 0, pauseMs: GONE_PAUSE_MS };
  const pauseMs = retryPauseMs(tried);
  const asked =
    status !== undefined && ASKS_FOR_PATIENCE.includes(status)
      ? retryAfterMs(answer.retryAfter, Date.now())
      : undefined;
  const pause = asked === undefined ? {} : { pauseMs: asked };
  if (pauseMs === undefined) return { attempt, outcome: "spent", ...pause };
  return { attempt, outcome: "retry", againInMs: Math.max(pauseMs, asked ?? 0), ...pause };
}
