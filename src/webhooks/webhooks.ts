/**
 * One tenant's webhook endpoints and what is on its way to them: for whoever administers them, by command or over HTTP. Delivering is the
 * workers' business.
 */
import type { RedisConnection } from "../redis/connection.js";
import { type Delivery, type DeliveryState } from "../effects/delivery.js";
import { DeliveryQueue, type DeliverySet, type ListedDelivery, type QueueFigures } from "../effects/delivery-queue.js";
import { isEffectId } from "../effects/effect-id.js";
import type { SecretKey } from "../secrets/secret-key.js";
import type { EffectMessage } from "../store/partition-view.js";
import { EndpointStore } from "./endpoint-store.js";
import {
  type Endpoint,
  type EndpointRecord,
  type EndpointState,
  NewEndpoint,
  newEndpointId,
  withoutSecrets,
} from "./endpoint.js";
import { newSecret, seal, unseal } from "./sealed-secret.js";
import { type Answer, Sender } from "./send.js";
import type { Targets } from "./target.js";
import { EffectUnknownError, WebhookConflictError, WebhookLimitError, WebhookUnknownError } from "./webhook-errors.js";

/** Endpoints that a tenant may have. */
const MAX_ENDPOINTS = 50;
/** How long deliveries carry both signatures after a rotation, ms, unless somebody says otherwise. */
export const ROTATION_GRACE_MS = 24 * 3_600_000;
/** Deliveries read at a time where all are looked through. */
const PAGE = 500;
/** How long an endpoint that was removed is still known, ms, and how many of a tenant's are: every look at deliveries asks all of them. */
const REMOVED_KEPT_MS = 30 * 24 * 3_600_000;
const REMOVED_KEPT = 50;

export interface EndpointWithFigures extends Endpoint {
  readonly figures: QueueFigures;
}

/** One delivery as it is listed. */
export interface EffectDelivery {
  readonly effect: EffectMessage;
  readonly endpoint: string;
  readonly state: DeliveryState;
  /** When it was handed over, epoch ms. */
  readonly addedAt: number;
  /** When the next attempt is due, it arrived or it was given up, epoch ms. */
  readonly at: number;
  readonly attemptsMade: number;
  /** The last 20, oldest first. */
  readonly attempts: Delivery["attempts"];
  /** Why it is spent or was dropped, in words. */
  readonly why?: string;
}

/** What deliveries are asked for. */
export interface DeliveryQuery {
  readonly endpoint?: string;
  readonly state?: DeliveryState;
  /** Type of the effect. */
  readonly type?: string;
  readonly limit: number;
}

export interface DeliveryPage {
  readonly deliveries: readonly EffectDelivery[];
  readonly more: boolean;
}

/** Which spent deliveries are to be redriven; what is absent asks for nothing. */
export interface RedriveQuery {
  readonly endpoint?: string;
  readonly type?: string;
  /** An effect's id. */
  readonly id?: string;
}

/** What a redrive would do, or did. */
export interface Redrive {
  readonly count: number;
  /** By reason, and by endpoint. */
  readonly byReason: Readonly<Record<string, number>>;
  readonly byEndpoint: Readonly<Record<string, number>>;
  /** Endpoints among them that nothing is sent to now, by id: theirs wait there. */
  readonly notActive: readonly string[];
}

export interface WebhooksOptions {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly secretKey: SecretKey;
  readonly targets: Targets;
}

/** Every method may reject with `StoreUnavailableError`. */
export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #store: EndpointStore;
  readonly #key: Buffer;

  constructor(options: WebhooksOptions) {
    this.#options = options;
    this.#store = new EndpointStore(options.redis, options.prefix);
    this.#key = options.secretKey.derive("webhook-secrets");
  }

  /**
   * @returns the endpoint, and its secret, which is not shown again
   * @throws WebhookTargetError, WebhookLimitError, ZodError
   */
  async create(tenant: string, input: NewEndpoint): Promise<{ endpoint: Endpoint; secret: string }> {
    const { url, description, filter } = NewEndpoint.parse(input);
    const target = this.#options.targets.parse(url);
    const others = await this.#ofTenant(tenant);
    if (others.filter(({ state }) => state !== "removed").length >= MAX_ENDPOINTS) {
      throw new WebhookLimitError(`${tenant} has ${MAX_ENDPOINTS} webhook endpoints, and may not have more`, {
        fix: "Remove one that nobody needs: `gatehouse webhooks list`.",
      });
    }
    const id = newEndpointId();
    const now = Date.now();
    const secret = newSecret();
    const record: EndpointRecord = {
      id,
      tenant,
      url: target.href,
      description,
      filter,
      state: "active",
      createdAt: now,
      changedAt: now,
      secrets: [{ sealed: seal(secret, id, this.#key), createdAt: now }],
    };
    await this.#store.save(id, undefined, record);
    return { endpoint: withoutSecrets(record), secret };
  }

  /** The oldest first; those that were removed only if asked for. */
  async list(tenant: string, { removed = false } = {}): Promise<EndpointWithFigures[]> {
    const records = (await this.#ofTenant(tenant)).filter(({ state }) => removed || state !== "removed");
    return Promise.all(records.map(async (record) => this.#withFigures(record)));
  }

  /** @throws WebhookUnknownError */
  async get(tenant: string, id: string): Promise<EndpointWithFigures> {
    return this.#withFigures(await this.#find(tenant, id));
  }

  /**
   * Nothing is sent until it is resumed; effects wait.
   * @param by who says so, in words
   * @throws WebhookUnknownError, WebhookConflictError
   */
  async pause(tenant: string, id: string, by: string): Promise<Endpoint> {
    return this.#change(tenant, id, (record) => ({ ...record, state: "paused", why: `paused by ${by}` }));
  }

  /**
   * What waits is due at once.
   * @throws WebhookUnknownError, WebhookConflictError
   */
  async resume(tenant: string, id: string): Promise<Endpoint> {
    const resumed = await this.#change(tenant, id, ({ why: _, ...record }) => ({ ...record, state: "active" }));
    await this.#queue(id).hasten();
    return resumed;
  }

  /**
   * Ends it. What waits is dropped, and can be looked at for 30 days, or until 50 more were removed.
   * @returns how many deliveries waited
   * @throws WebhookUnknownError, WebhookConflictError
   */
  async remove(tenant: string, id: string, by: string): Promise<{ endpoint: Endpoint; dropped: number }> {
    const endpoint = await this.#change(tenant, id, (record) => ({
      ...record,
      state: "removed",
      why: `removed by ${by}`,
    }));
    const queue = this.#queue(id);
    const { waiting } = await queue.figures();
    await queue.close();
    await this.#forgetRemoved(tenant);
    return { endpoint, dropped: waiting };
  }

  /**
   * @param graceMs how long deliveries carry both signatures
   * @returns the new secret, which is not shown again
   * @throws WebhookUnknownError, WebhookConflictError
   */
  async rotate(
    tenant: string,
    id: string,
    graceMs: number = ROTATION_GRACE_MS,
  ): Promise<{ endpoint: Endpoint; secret: string }> {
    const secret = newSecret();
    const endpoint = await this.#change(tenant, id, (record) => {
      const now = Date.now();
      const [current] = record.secrets;
      return {
        ...record,
        secrets: [
          { sealed: seal(secret, id, this.#key), createdAt: now },
          // Of those before it none lives on: a secret that leaked must end.
          ...(current !== undefined && graceMs > 0 ? [{ ...current, until: now + graceMs }] : []),
        ],
      };
    });
    return { endpoint, secret };
  }

  /**
   * Sends a signed event of a made-up session, once, whatever state the endpoint is in.
   * @throws WebhookUnknownError, WebhookSecretError
   */
  async test(tenant: string, id: string): Promise<{ id: string; answer: Answer }> {
    const record = await this.#find(tenant, id);
    const effect = testEffect(tenant);
    const sender = new Sender(this.#options.targets);
    try {
      const secrets = readSecrets(record, this.#key, Date.now());
      return { id: effect.id, answer: await sender.send({ url: record.url, effect, secrets }) };
    } finally {
      sender.close();
    }
  }

  /** Deliveries, endpoint by endpoint: what waits in the order in which it is due, the rest newest first. */
  async deliveries(tenant: string, query: DeliveryQuery): Promise<DeliveryPage> {
    const found: EffectDelivery[] = [];
    const endpoints =
      query.endpoint === undefined ? await this.#ofTenant(tenant) : [await this.#find(tenant, query.endpoint)];
    const sizes = await Promise.all(endpoints.map(async ({ id }) => this.#queue(id).sizes()));
    for (const [n, endpoint] of endpoints.entries()) {
      for (const set of setsFor(query.state, endpoint.state)) {
        if (sizes[n]?.[set] === 0) continue;
        for await (const listed of this.#all(endpoint.id, set)) {
          if (query.type !== undefined && listed.delivery.effect.type !== query.type) continue;
          if (found.length === query.limit) return { deliveries: found, more: true };
          found.push(toEffectDelivery(endpoint, set, listed));
        }
      }
    }
    return { deliveries: found, more: false };
  }

  /**
   * An effect's deliveries to each endpoint.
   * @throws EffectUnknownError
   */
  async delivery(tenant: string, effectId: string): Promise<readonly EffectDelivery[]> {
    if (!isEffectId(effectId)) throw new EffectUnknownError(effectId);
    const endpoints = await this.#ofTenant(tenant);
    const listed = await Promise.all(endpoints.map(async ({ id }) => this.#queue(id).get(effectId)));
    const found = endpoints.flatMap((endpoint, n) => {
      const one = listed[n];
      return one === undefined ? [] : [toEffectDelivery(endpoint, one.set, one)];
    });
    if (found.length === 0) throw new EffectUnknownError(effectId);
    return found;
  }

  /**
   * What {@link redrive} would do. Changes nothing.
   * @throws WebhookUnknownError
   */
  async previewRedrive(tenant: string, query: RedriveQuery): Promise<Redrive> {
    return this.#redrive(tenant, query, async (_, chosen) => chosen.length);
  }

  /**
   * Makes spent deliveries due again, each with its schedule from the beginning and its id as it was.
   * @throws WebhookUnknownError
   */
  async redrive(tenant: string, query: RedriveQuery): Promise<Redrive> {
    return this.#redrive(tenant, query, async (queue, chosen) => queue.redrive(chosen));
  }

  async #redrive(
    tenant: string,
    { endpoint: named, type, id }: RedriveQuery,
    take: (queue: DeliveryQueue, chosen: readonly ListedDelivery[]) => Promise<number>,
  ): Promise<Redrive> {
    const endpoints = named === undefined ? await this.#ofTenant(tenant) : [await this.#find(tenant, named)];
    const byReason: Record<string, number> = {};
    const byEndpoint: Record<string, number> = {};
    let count = 0;
    const alive = endpoints.filter(({ state }) => state !== "removed");
    for (const endpoint of alive) {
      const queue = this.#queue(endpoint.id);
      // All are chosen before the first one is taken: taking moves those behind it.
      const chosen: ListedDelivery[] = [];
      for await (const listed of this.#all(endpoint.id, "spent")) {
        const { effect } = listed.delivery;
        if ((type === undefined || effect.type === type) && (id === undefined || listed.id === id)) chosen.push(listed);
      }
      if (chosen.length === 0) continue;
      const taken = await take(queue, chosen);
      count += taken;
      byEndpoint[endpoint.id] = taken;
      for (const { delivery } of chosen) {
        const why = delivery.why ?? "unknown";
        byReason[why] = (byReason[why] ?? 0) + 1;
      }
    }
    const notActive = alive.filter(({ id: one, state }) => state !== "active" && byEndpoint[one] !== undefined);
    return { count, byReason, byEndpoint, notActive: notActive.map(({ id: one }) => one) };
  }

  async *#all(endpoint: string, set: DeliverySet): AsyncGenerator<ListedDelivery> {
    const queue = this.#queue(endpoint);
    for (let from = 0; ; from += PAGE) {
      const page = await queue.list(set, from, PAGE, set !== "waiting");
      yield* page;
      if (page.length < PAGE) return;
    }
  }

  async #withFigures(record: EndpointRecord): Promise<EndpointWithFigures> {
    return { ...withoutSecrets(record), figures: await this.#queue(record.id).figures() };
  }

  async #change(tenant: string, id: string, change: (record: EndpointRecord) => EndpointRecord): Promise<Endpoint> {
    const record = await this.#find(tenant, id);
    if (record.state === "removed") throw new WebhookUnknownError(id);
    const changed = { ...change(record), changedAt: Date.now() };
    await this.#store.save(id, record, changed);
    return withoutSecrets(changed);
  }

  async #find(tenant: string, id: string): Promise<EndpointRecord> {
    const record = (await this.#store.all()).get(id);
    if (record?.tenant !== tenant) throw new WebhookUnknownError(id);
    return record;
  }

  async #ofTenant(tenant: string): Promise<EndpointRecord[]> {
    return [...(await this.#store.all()).values()]
      .filter((record) => record.tenant === tenant)
      .sort((one, other) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1));
  }

  async #forgetRemoved(tenant: string): Promise<void> {
    const before = Date.now() - REMOVED_KEPT_MS;
    const removed = (await this.#ofTenant(tenant))
      .filter(({ state }) => state === "removed")
      .sort((one, other) => other.changedAt - one.changedAt);
    for (const [n, record] of removed.entries()) {
      if (n < REMOVED_KEPT && record.changedAt >= before) continue;
      await this.#store.save(record.id, record, undefined).catch((error: unknown) => {
        // Somebody else, who removed another one, forgot it first.
        if (!(error instanceof WebhookConflictError)) throw error;
      });
    }
  }

  #queue(endpoint: string): DeliveryQueue {
    return new DeliveryQueue(this.#options.redis, this.#options.prefix, endpoint);
  }
}

/**
 * The secrets that sign now, newest first.
 * @throws WebhookSecretError
 */
export function readSecrets({ id, secrets }: EndpointRecord, key: Buffer, now: number): string[] {
  return secrets.filter(({ until }) => until === undefined || until > now).map(({ sealed }) => unseal(sealed, id, key));
}

function setsFor(asked: DeliveryState | undefined, endpoint: EndpointState): DeliverySet[] {
  if (asked === undefined) return ["waiting", "spent", "delivered"];
  if (asked === "dropped") return endpoint === "removed" ? ["waiting"] : [];
  return asked === "waiting" && endpoint === "removed" ? [] : [asked];
}

function toEffectDelivery(
  endpoint: EndpointRecord,
  set: DeliverySet,
  { delivery, at }: ListedDelivery,
): EffectDelivery {
  const isDropped = set === "waiting" && endpoint.state === "removed";
  const why = isDropped ? `the endpoint was ${endpoint.why ?? "removed"}` : delivery.why;
  return {
    effect: delivery.effect,
    endpoint: endpoint.id,
    state: isDropped ? "dropped" : set,
    addedAt: delivery.addedAt,
    at: isDropped ? endpoint.changedAt : at,
    attemptsMade: delivery.attemptsMade,
    attempts: delivery.attempts,
    ...(why !== undefined && { why }),
  };
}

/** Of a kind that a receiver may drop, about a session that is nobody's. */
function testEffect(tenant: string): EffectMessage {
  return {
    id: `test-${newEndpointId().slice(3)}`,
    session: `${tenant}/test-device/test-user/test-app`,
    revision: 1,
    at: Date.now(),
    kind: "state",
    type: "test",
    data: {},
  };
}
