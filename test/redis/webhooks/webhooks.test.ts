/** Webhooks over a real Redis and real HTTP: from an effect that is handed over to a receiver that has it. */
import { type CloudEvent, HTTP } from "cloudevents";
import type { Redis } from "ioredis";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DeliveryQueue } from "../../../src/effects/delivery-queue.js";
import { createLogger } from "../../../src/log.js";
import { connectStore } from "../../../src/redis/connection.js";
import { SecretKey } from "../../../src/secrets/secret-key.js";
import type { EffectMessage } from "../../../src/store/partition-view.js";
import { EndpointStore } from "../../../src/webhooks/endpoint-store.js";
import { handOver } from "../../../src/webhooks/hand-over.js";
import { LOOPBACK, Targets } from "../../../src/webhooks/target.js";
import { WebhookReceivers } from "../../../src/webhooks/webhook-receivers.js";
import { Webhooks } from "../../../src/webhooks/webhooks.js";
import { Deliverer } from "../../../workers/deliver.js";
import { WebhookReceiver, answer } from "../../support/receiver.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";
import { eventually } from "../../support/eventually.js";

const TENANT = "contoso";
const secretKey = new SecretKey("a secret key of a test, long enough");

let redis: TestRedis;
let connection: Redis;
let receiver: WebhookReceiver;
let webhooks: Webhooks;
let endpoints: EndpointStore;
const started: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  redis = await startRedis();
  connection = await connectStore(redis.url);
  receiver = await WebhookReceiver.start();
  const targets = new Targets({ allowPrivate: LOOPBACK });
  webhooks = new Webhooks({ redis: connection, prefix: redis.prefix, secretKey, targets });
  endpoints = new EndpointStore(connection, redis.prefix);
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.stop()));
  await receiver.stop();
  connection.disconnect();
  await redis.stop();
});

/** A worker's deliverer: by itself it looks around once a second; `look` does what is due now. */
function newDeliverer(key: SecretKey | undefined = secretKey): Deliverer {
  const { prefix } = redis;
  const targets = new Targets({ allowPrivate: LOOPBACK });
  const log = createLogger("silent", "test");
  const receivers = new WebhookReceivers({ redis: connection, prefix, endpoints, secretKey: key, targets, log });
  const deliverer = new Deliverer({ receivers: async () => receivers.receivers(), log });
  started.push({
    stop: async () => {
      await deliverer.stop();
      receivers.close();
    },
  });
  return deliverer;
}

let serial = 0;
const effect = (changes: Partial<EffectMessage> = {}): EffectMessage => ({
  id: `3-${++serial}-0-0badcafe`,
  session: `${TENANT}/phone-1/adele/azure-mobile`,
  revision: 7,
  at: Date.parse("2026-03-02T08:00:00Z"),
  kind: "state",
  type: "blockAccess",
  data: { cause: "rooted" },
  ...changes,
});

const give = async (...effects: readonly EffectMessage[]): Promise<string[]> =>
  handOver({ redis: connection, prefix: redis.prefix, endpoints }, effects);

const add = async (changes: object = {}) => webhooks.create(TENANT, { url: receiver.url, ...changes });

/** Lets what was to be tried later be due now. */
async function makeDue(endpoint: string): Promise<void> {
  const key = `${redis.prefix}:{d:${endpoint}}:`;
  const ids = await connection.zrange(`${key}due`, "0", "-1");
  for (const id of ids) await connection.zadd(`${key}due`, 1, id);
  await connection.hdel(`${key}meta`, "nextTry");
}

/** Requests under way at once to one endpoint, at most. */
const MOST_SIDE_BY_SIDE = 32;

const queueOf = (endpoint: string): DeliveryQueue => new DeliveryQueue(connection, redis.prefix, endpoint);

describe("S12: what is sent", () => {
  test("is a CloudEvent that the reference verifier and the CloudEvents SDK take", async () => {
    const { secret } = await add();
    const sent = effect();
    await give(sent);
    await newDeliverer().look();
    const [request] = receiver.requests;
    const headers = request?.headers as Record<string, string>;
    expect(new Webhook(secret).verify(request?.body ?? "", headers)).toMatchObject({ id: sent.id });
    expect(headers["webhook-id"]).toBe(sent.id);
    const event = HTTP.toEvent({ headers, body: request?.body ?? "" });
    expect(event).toMatchObject({
      specversion: "1.0",
      id: sent.id,
      source: "/gatehouse/contoso",
      type: "gatehouse.effect.blockAccess",
      subject: "phone-1/adele/azure-mobile",
      time: "2026-03-02T08:00:00.000Z",
      tenant: "contoso",
      revision: 7,
      kind: "state",
      data: { cause: "rooted" },
    });
    expect((event as CloudEvent).validate()).toBe(true);
  });

  test("and changed by anybody is refused by the reference verifier", async () => {
    const { secret } = await add();
    await give(effect());
    await newDeliverer().look();
    const { body, headers } = receiver.requests[0]!;
    const verify = (text: string, changes: object = {}) =>
      new Webhook(secret).verify(text, { ...(headers as Record<string, string>), ...changes });
    expect(() => verify(body.replace("rooted", "osVersion"))).toThrow(/signature/);
    expect(() => verify(body, { "webhook-id": "another" })).toThrow(/signature/);
    expect(() => verify(body, { "webhook-timestamp": String(Math.floor(Date.now() / 1_000) - 30) })).toThrow(
      /signature/,
    );
    expect(() => new Webhook("whsec_c29tZWJvZHkgZWxzZQ==").verify(body, headers as never)).toThrow(/signature/);
  });

  test("is signed with both secrets while the one before still counts", async () => {
    const { endpoint, secret: before } = await add();
    const { secret: after } = await webhooks.rotate(TENANT, endpoint.id);
    await give(effect());
    await newDeliverer().look();
    const { body, headers } = receiver.requests[0]!;
    for (const secret of [before, after])
      expect(() => new Webhook(secret).verify(body, headers as never)).not.toThrow();
    expect(String(headers["webhook-signature"]).split(" ")).toHaveLength(2);
  });

  test("is signed with the new secret alone when the grace is over", async () => {
    const { endpoint, secret: before } = await add();
    const { secret: after } = await webhooks.rotate(TENANT, endpoint.id, 0);
    await give(effect());
    await newDeliverer().look();
    const { body, headers } = receiver.requests[0]!;
    expect(() => new Webhook(after).verify(body, headers as never)).not.toThrow();
    expect(() => new Webhook(before).verify(body, headers as never)).toThrow(/signature/);
  });
});

test("secrets are not stored in the clear, and not shown again", async () => {
  const { endpoint, secret } = await add();
  const stored = JSON.stringify(await connection.hgetall(`${redis.prefix}:{webhooks}:records`));
  expect(stored).toContain(endpoint.id);
  expect(stored).not.toContain(secret.slice("whsec_".length));
  expect(JSON.stringify(await webhooks.get(TENANT, endpoint.id))).not.toContain("secrets");
});

describe("an endpoint is sent", () => {
  test.each([
    ["everything without a filter", {}, ["blockAccess", "wipe", "blockAccess"]],
    ["types", { types: ["wipe"] }, ["wipe"]],
    ["kinds", { kinds: ["state"] }, ["blockAccess", "blockAccess"]],
    ["apps", { apps: ["mail"] }, ["blockAccess"]],
    ["all of it at once", { kinds: ["command"], apps: ["mail"] }, []],
  ])("%s", async (_, filter, types) => {
    await add({ filter });
    await give(
      effect(),
      effect({ type: "wipe", kind: "command", data: { requestId: "w1", why: "admin" } }),
      effect({ session: `${TENANT}/phone-1/adele/mail` }),
    );
    await newDeliverer().look();
    expect(
      receiver.requests.map(({ body }) => String(JSON.parse(body).type).replace("gatehouse.effect.", "")).sort(),
    ).toEqual([...types].sort());
  });

  test("nothing of another tenant", async () => {
    await add();
    await give(effect({ session: "fabrikam/phone-1/adele/azure-mobile" }));
    await newDeliverer().look();
    expect(receiver.requests).toEqual([]);
  });
});

test("an effect that is handed over again is delivered once", async () => {
  await add();
  const sent = effect();
  await give(sent);
  await give(sent);
  const deliverer = newDeliverer();
  await deliverer.look();
  await give(sent);
  await deliverer.look();
  expect(receiver.ids).toEqual([sent.id]);
  expect(await webhooks.delivery(TENANT, sent.id)).toMatchObject([{ state: "delivered", attemptsMade: 1 }]);
});

test("many deliveries arrive, each once, though several workers look for them", async () => {
  const { endpoint } = await add();
  const sent = Array.from({ length: 300 }, () => effect());
  await give(...sent);
  const workers = [newDeliverer(), newDeliverer(), newDeliverer()];
  await eventually(async () => {
    await Promise.all(workers.map((worker) => worker.look()));
    return (await queueOf(endpoint.id).figures()).waiting;
  }).toBe(0);
  expect([...receiver.ids].sort()).toEqual(sent.map(({ id }) => id).sort());
});

describe("a delivery that fails", () => {
  test("is tried again under the same id, and its log tells what happened", async () => {
    const { endpoint } = await add();
    const sent = effect();
    await give(sent);
    receiver.reply = answer(500);
    const deliverer = newDeliverer();
    await deliverer.look();
    const [waiting] = await webhooks.delivery(TENANT, sent.id);
    expect(waiting).toMatchObject({
      state: "waiting",
      attemptsMade: 1,
      attempts: [{ status: 500, why: "answered 500" }],
    });
    expect(waiting!.at - Date.now()).toBeGreaterThan(0);
    receiver.reply = answer(200);
    await makeDue(endpoint.id);
    await deliverer.look();
    expect(receiver.ids).toEqual([sent.id, sent.id]);
    const [delivered] = await webhooks.delivery(TENANT, sent.id);
    expect(delivered).toMatchObject({
      state: "delivered",
      attemptsMade: 2,
      attempts: [{ status: 500 }, { status: 200 }],
    });
    expect(delivered?.attempts[1]).not.toHaveProperty("why");
  });

  test("eleven times is spent, is listed with the reason, and is redriven as from the beginning", async () => {
    const { endpoint } = await add();
    const sent = effect();
    await give(sent);
    receiver.reply = answer(500);
    const deliverer = newDeliverer();
    for (let attempt = 1; attempt <= 11; attempt++) {
      expect(await webhooks.deliveries(TENANT, { state: "spent", limit: 5 })).toMatchObject({ deliveries: [] });
      await makeDue(endpoint.id);
      await deliverer.look();
    }
    const { deliveries } = await webhooks.deliveries(TENANT, { state: "spent", limit: 5 });
    expect(deliveries).toMatchObject([{ effect: sent, why: "answered 500", attemptsMade: 11 }]);
    await makeDue(endpoint.id);
    await deliverer.look();
    expect(receiver.requests).toHaveLength(11);

    const preview = await webhooks.previewRedrive(TENANT, {});
    expect(preview).toEqual({
      count: 1,
      byReason: { "answered 500": 1 },
      byEndpoint: { [endpoint.id]: 1 },
      notActive: [],
    });
    expect((await webhooks.deliveries(TENANT, { state: "spent", limit: 5 })).deliveries).toHaveLength(1);
    expect(await webhooks.redrive(TENANT, {})).toEqual(preview);
    expect(await webhooks.redrive(TENANT, {})).toMatchObject({ count: 0 });
    receiver.reply = answer(200);
    await makeDue(endpoint.id);
    await deliverer.look();
    expect(receiver.ids.at(-1)).toBe(sent.id);
    expect(await webhooks.delivery(TENANT, sent.id)).toMatchObject([{ state: "delivered", attemptsMade: 12 }]);
  });

  test("S11: because of a redirect is not sent where it points, even to a private address", async () => {
    const elsewhere = await WebhookReceiver.start();
    started.push(elsewhere);
    await add();
    await give(effect());
    receiver.reply = answer(307, { location: elsewhere.url });
    await newDeliverer().look();
    expect(receiver.requests).toHaveLength(1);
    expect(elsewhere.requests).toEqual([]);
    const { deliveries } = await webhooks.deliveries(TENANT, { state: "waiting", limit: 5 });
    expect(deliveries[0]?.attempts).toMatchObject([{ status: 307, why: expect.stringContaining("redirects") }]);
  });

  test("while the answer is delivered though its body never ends", async () => {
    await add();
    const sent = effect();
    await give(sent);
    receiver.reply = (_, response) => {
      response.writeHead(200);
      response.write("x".repeat(100_000));
    };
    await newDeliverer().look();
    expect(await webhooks.delivery(TENANT, sent.id)).toMatchObject([{ state: "delivered" }]);
  });
});

test("what is not spent is not redriven", async () => {
  const { endpoint } = await add();
  await give(effect());
  const queue = queueOf(endpoint.id);
  expect(await queue.redrive(await queue.list("waiting", 0, 5))).toBe(0);
});

test("S11: a target that became private is refused at the connection, and the delivery waits", async () => {
  const { endpoint } = await add();
  const sent = effect();
  await give(sent);
  const { prefix } = redis;
  const log = createLogger("silent", "test");
  const targets = new Targets({ allowPrivate: [] });
  const receivers = new WebhookReceivers({ redis: connection, prefix, endpoints, secretKey, targets, log });
  await new Deliverer({ receivers: async () => receivers.receivers(), log }).look();
  expect(receiver.requests).toEqual([]);
  expect(await webhooks.delivery(TENANT, sent.id)).toMatchObject([
    { endpoint: endpoint.id, state: "waiting", attempts: [{ why: expect.stringContaining("not public") }] },
  ]);
});

describe("a receiver that fails again and again", () => {
  test("is tried at most once a second, by whichever worker", async () => {
    const { endpoint } = await add();
    await give(...Array.from({ length: 100 }, () => effect()));
    receiver.reply = answer(503);
    const workers = [newDeliverer(), newDeliverer()];
    await Promise.all(workers.map((worker) => worker.look()));
    const untilOpen = receiver.requests.length;
    expect(untilOpen).toBeLessThanOrEqual(12);
    for (let n = 0; n < 5; n++) await Promise.all(workers.map((worker) => worker.look()));
    // The first pause began with the first try after the breaker opened.
    expect(receiver.requests.length - untilOpen).toBeLessThanOrEqual(1);
    expect((await queueOf(endpoint.id).figures()).failures).toBeGreaterThanOrEqual(5);
  });

  test("is sent everything at once when it is well again, what was to be tried later included", async () => {
    const { endpoint } = await add();
    const sent = Array.from({ length: 50 }, () => effect());
    await give(...sent);
    receiver.reply = answer(503);
    const deliverer = newDeliverer();
    await deliverer.look();
    receiver.requests.length = 0;
    receiver.reply = answer(204);
    await connection.hdel(`${redis.prefix}:{d:${endpoint.id}}:meta`, "nextTry");
    await deliverer.look();
    expect([...receiver.ids].sort()).toEqual(sent.map(({ id }) => id).sort());
    expect(await queueOf(endpoint.id).figures()).toMatchObject({ waiting: 0, failures: 0, failingSince: null });
  });

  test.each([429, 503])("and asks for patience with %i gets it", async (status) => {
    const { endpoint } = await add();
    await give(effect(), effect());
    receiver.reply = answer(status, { "retry-after": "120" });
    const deliverer = newDeliverer();
    await deliverer.look();
    const tries = receiver.requests.length;
    receiver.reply = answer(204);
    await give(effect());
    await deliverer.look();
    expect(receiver.requests).toHaveLength(tries);
    const { nextAttempt } = await queueOf(endpoint.id).figures();
    expect((nextAttempt ?? 0) - Date.now()).toBeGreaterThan(100_000);
  });
});

describe("an endpoint that answers 410", () => {
  test("is disabled: what waits is kept, what comes is spent with the reason", async () => {
    const { endpoint } = await add();
    const [first, second] = [effect(), effect()];
    await give(first);
    receiver.reply = answer(410);
    const deliverer = newDeliverer();
    await deliverer.look();
    expect(await webhooks.get(TENANT, endpoint.id)).toMatchObject({ state: "disabled", why: "it answered 410 Gone" });
    await give(second);
    await deliverer.look();
    expect(receiver.requests).toHaveLength(1);
    expect(await webhooks.delivery(TENANT, first.id)).toMatchObject([{ state: "waiting" }]);
    expect(await webhooks.delivery(TENANT, second.id)).toMatchObject([
      { state: "spent", why: "the endpoint was disabled: it answered 410 Gone" },
    ]);
    receiver.reply = answer(204);
    expect(await webhooks.previewRedrive(TENANT, {})).toMatchObject({ count: 1, notActive: [endpoint.id] });
    await webhooks.redrive(TENANT, {});
    await webhooks.resume(TENANT, endpoint.id);
    await deliverer.look();
    expect(receiver.ids.slice(1).sort()).toEqual([first.id, second.id].sort());
  });
});

describe("an endpoint that answers 410 in the middle of many", () => {
  test("is sent nothing beyond what was under way", async () => {
    const { endpoint } = await add();
    await give(...Array.from({ length: 300 }, () => effect()));
    receiver.reply = (request, response) => answer(receiver.requests.length > 150 ? 410 : 204)(request, response);
    await newDeliverer().look();
    expect(receiver.requests.length - 150).toBeLessThanOrEqual(MOST_SIDE_BY_SIDE);
    expect((await webhooks.get(TENANT, endpoint.id)).figures).toMatchObject({ waiting: 150, delivered: 150 });
  });
});

describe("an endpoint that is paused", () => {
  test("is sent nothing until it is resumed, and then everything", async () => {
    const { endpoint } = await add();
    await webhooks.pause(TENANT, endpoint.id, "kim");
    const sent = effect();
    await give(sent);
    const deliverer = newDeliverer();
    await deliverer.look();
    expect(receiver.requests).toEqual([]);
    await webhooks.resume(TENANT, endpoint.id);
    await deliverer.look();
    expect(receiver.ids).toEqual([sent.id]);
  });
});

describe("an endpoint that is removed", () => {
  test("is sent nothing, and what waited is listed as dropped, with who removed it", async () => {
    const { endpoint } = await add();
    await webhooks.pause(TENANT, endpoint.id, "kim");
    const sent = effect();
    await give(sent);
    expect(await webhooks.remove(TENANT, endpoint.id, "robin")).toMatchObject({ dropped: 1 });
    await newDeliverer().look();
    expect(receiver.requests).toEqual([]);
    expect(await webhooks.list(TENANT)).toEqual([]);
    expect((await webhooks.deliveries(TENANT, { limit: 5 })).deliveries).toMatchObject([
      { effect: sent, state: "dropped", why: "the endpoint was removed by robin" },
    ]);
    expect(await give(effect())).toEqual([]);
    expect((await webhooks.deliveries(TENANT, { limit: 5 })).deliveries).toHaveLength(1);
  });

  test("is forgotten when fifty more were removed, also where several are removed at the same moment", async () => {
    const made: string[] = [];
    for (let n = 0; n < 52; n++) {
      const { endpoint } = await add();
      made.push(endpoint.id);
      if (n < 49) await webhooks.remove(TENANT, endpoint.id, "robin");
    }
    await Promise.all(made.slice(49).map(async (id) => webhooks.remove(TENANT, id, "robin")));
    const known = (await webhooks.list(TENANT, { removed: true })).map(({ id }) => id);
    expect(known.sort()).toEqual(made.slice(2).sort());
  });

  test("takes nothing from a hand-over that read of it before", async () => {
    const { endpoint } = await add();
    await webhooks.remove(TENANT, endpoint.id, "robin");
    expect(await queueOf(endpoint.id).add([effect()])).toBeUndefined();
  });
});

test("another tenant can neither see nor touch an endpoint or its deliveries", async () => {
  const { endpoint } = await add();
  const sent = effect();
  await give(sent);
  expect(await webhooks.list("fabrikam")).toEqual([]);
  expect(await webhooks.deliveries("fabrikam", { limit: 5 })).toEqual({ deliveries: [], more: false });
  const refused = { code: "webhook.unknown" };
  await expect(webhooks.get("fabrikam", endpoint.id)).rejects.toMatchObject(refused);
  await expect(webhooks.pause("fabrikam", endpoint.id, "x")).rejects.toMatchObject(refused);
  await expect(webhooks.resume("fabrikam", endpoint.id)).rejects.toMatchObject(refused);
  await expect(webhooks.rotate("fabrikam", endpoint.id)).rejects.toMatchObject(refused);
  await expect(webhooks.test("fabrikam", endpoint.id)).rejects.toMatchObject(refused);
  await expect(webhooks.remove("fabrikam", endpoint.id, "x")).rejects.toMatchObject(refused);
  await expect(webhooks.redrive("fabrikam", { endpoint: endpoint.id })).rejects.toMatchObject(refused);
  await expect(webhooks.delivery("fabrikam", sent.id)).rejects.toMatchObject({ code: "effect.unknown" });
});

test("two who change an endpoint at the same moment: one is told that it lost", async () => {
  const { endpoint } = await add();
  const outcomes = await Promise.allSettled([
    webhooks.pause(TENANT, endpoint.id, "kim"),
    webhooks.rotate(TENANT, endpoint.id),
  ]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "webhook.conflict" } });
});

describe("a worker without the secret key", () => {
  test("sends nothing, and loses nothing", async () => {
    await add();
    const sent = effect();
    await give(sent);
    const log = createLogger("silent", "test");
    const targets = new Targets({ allowPrivate: LOOPBACK });
    const receivers = new WebhookReceivers({ redis: connection, prefix: redis.prefix, endpoints, targets, log });
    await new Deliverer({ receivers: async () => receivers.receivers(), log }).look();
    expect(receiver.requests).toEqual([]);
    expect(await webhooks.delivery(TENANT, sent.id)).toMatchObject([{ state: "waiting", attemptsMade: 0 }]);
  });

  test("and one with another key counts no attempt against the receiver", async () => {
    const { endpoint } = await add();
    const sent = effect();
    await give(sent);
    await newDeliverer(new SecretKey("another secret key, long enough, too")).look();
    expect(receiver.requests).toEqual([]);
    expect(await queueOf(endpoint.id).figures()).toMatchObject({ failures: 0, waiting: 1 });
  });
});

test("a test is sent whatever state the endpoint is in, signed, and says what came back", async () => {
  const { endpoint, secret } = await add();
  await webhooks.pause(TENANT, endpoint.id, "kim");
  receiver.reply = (_, response) => response.writeHead(202).end("thanks");
  const { answer: came } = await webhooks.test(TENANT, endpoint.id);
  expect(came).toMatchObject({ status: 202, body: "thanks" });
  expect(came).not.toHaveProperty("why");
  const { body, headers } = receiver.requests[0]!;
  expect(new Webhook(secret).verify(body, headers as never)).toMatchObject({ type: "gatehouse.effect.test" });
});

test("a worker that dies in the middle costs a delivery nothing but time", async () => {
  const { endpoint } = await add();
  const sent = effect();
  await give(sent);
  const breaker = { openAfter: 5, pauseMs: 1_000, longestPauseMs: 10_000 };
  const dead = { token: "dead", leaseMs: 1, visibleAfterMs: 1, count: 8, isIdle: true, breaker };
  expect(await queueOf(endpoint.id).take(dead)).toMatchObject({ status: "taken", deliveries: [{ id: sent.id }] });
  const deliverer = newDeliverer();
  await eventually(async () => {
    await deliverer.look();
    return receiver.ids;
  }).toEqual([sent.id]);
});

test("a failure that comes late takes nothing back from a delivery that another worker made", async () => {
  const { endpoint } = await add();
  const sent = effect();
  await give(sent);
  const queue = queueOf(endpoint.id);
  const breaker = { openAfter: 5, pauseMs: 1_000, longestPauseMs: 10_000 };
  const late = await queue.take({ token: "late", leaseMs: 1, visibleAfterMs: 1, count: 8, isIdle: true, breaker });
  const { delivery } = late.status === "taken" ? late.deliveries[0]! : expect.fail("nothing was taken");
  const deliverer = newDeliverer();
  await eventually(async () => {
    await deliverer.look();
    return receiver.ids.length;
  }).toBe(1);
  await queue.settle({
    token: "late",
    leaseMs: 0,
    breaker,
    pauseMs: 0,
    settlements: [{ id: sent.id, attemptsBefore: 0, outcome: "retry", delivery, againInMs: 0 }],
  });
  expect(await webhooks.delivery(TENANT, sent.id)).toMatchObject([{ state: "delivered" }]);
  await deliverer.look();
  expect(receiver.ids).toEqual([sent.id]);
});
