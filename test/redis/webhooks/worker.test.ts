/** A whole worker: from an event that is accepted to the webhook that follows from it. */
import type { Redis } from "ioredis";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test } from "vitest";
import { publish } from "../../../src/control/publish.js";
import { type OpenDeployment, openDeployment } from "../../../src/deployment/open-deployment.js";
import { discardSink } from "../../../src/effects/effect-sink.js";
import { createLogger } from "../../../src/log.js";
import { EffectsQueue } from "../../../src/queue/queues.js";
import { connectQueue } from "../../../src/redis/connection.js";
import { SecretKey } from "../../../src/secrets/secret-key.js";
import { LOOPBACK, Targets } from "../../../src/webhooks/target.js";
import { Webhooks } from "../../../src/webhooks/webhooks.js";
import { type RunningWorker, startWorker } from "../../../workers/worker.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { WebhookReceiver, answer } from "../../support/receiver.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";
import { eventually } from "../../support/eventually.js";

const secretKey = new SecretKey("a secret key of a test, long enough");

let redis: TestRedis;
let open: OpenDeployment;
let queueConnection: Redis;
let receiver: WebhookReceiver;
let webhooks: Webhooks;
let deployment: TestDeployment;
const running: RunningWorker[] = [];

beforeEach(async () => {
  redis = await startRedis();
  open = await openDeployment({ redis: redis.url, prefix: redis.prefix, deployment: { partitionCount: 4 } });
  queueConnection = connectQueue(redis.url);
  receiver = await WebhookReceiver.start();
  const targets = new Targets({ allowPrivate: LOOPBACK });
  webhooks = new Webhooks({ redis: open.redis, prefix: redis.prefix, secretKey, targets });
  deployment = new TestDeployment(open.store, Date.now());
  Object.assign(deployment, { wake: open.wake });
  const policies = [samplePolicy("contoso-ios-level2")];
  await publish(open, TENANT, { policies, conditionalAccess: [], settings: {} });
  deployment.catalogues.add({ version: 1, policies, conditionalAccess: [], settings: {} });
});

afterEach(async () => {
  await Promise.all(running.splice(0).map(async (worker) => worker.stop()));
  await receiver.stop();
  queueConnection.disconnect();
  await open.close();
  await redis.stop();
});

async function work(): Promise<RunningWorker> {
  const worker = await startWorker({
    redis: redis.url,
    prefix: redis.prefix,
    wakeShards: 1,
    concurrency: 4,
    shutdownMs: 5_000,
    sink: discardSink,
    secretKey,
    webhookAllowPrivate: LOOPBACK,
    log: createLogger("silent", "test"),
  });
  running.push(worker);
  return worker;
}

const types = (): string[] => receiver.requests.map(({ body }) => String(JSON.parse(body).type));

test("what follows from events reaches the endpoint, signed, with the session's revision", async () => {
  const { secret } = await webhooks.create(TENANT, { url: receiver.url });
  await work();
  await deployment.getIn();
  await eventually(types).toContain("gatehouse.effect.grantAccess");
  const granted = receiver.requests.find(({ body }) => body.includes("grantAccess"))!;
  expect(new Webhook(secret).verify(granted.body, granted.headers as never)).toMatchObject({
    subject: "phone-1/adele/azure-mobile",
    revision: 4,
    kind: "state",
  });
  expect(new Set(receiver.ids).size).toBe(receiver.ids.length);
});

test("what was committed while the endpoint's worker was down is delivered by the next one", async () => {
  await webhooks.create(TENANT, { url: receiver.url });
  receiver.reply = answer(503);
  const first = await work();
  await deployment.getIn();
  await eventually(() => receiver.requests.length).toBeGreaterThan(0);
  await first.stop();
  running.length = 0;
  receiver.requests.length = 0;
  receiver.reply = answer(204);
  const { deliveries } = await webhooks.deliveries(TENANT, { state: "waiting", limit: 100 });
  await work();
  await eventually(() => new Set(receiver.ids)).toEqual(new Set(deliveries.map(({ effect }) => effect.id)));
});

test("S14: a forged job carries no payload, so nothing of it is sent", async () => {
  await webhooks.create(TENANT, { url: receiver.url });
  await work();
  const forger = new EffectsQueue(queueConnection, { prefix: redis.prefix, wakeShards: 1 });
  await forger.handOver(3, ["999-0"]);
  await forger.handOver(99, ["1-0"]);
  await deployment.getIn();
  await eventually(types).toContain("gatehouse.effect.grantAccess");
  const { deliveries } = await webhooks.deliveries(TENANT, { limit: 1_000 });
  const known = new Set(deliveries.map(({ effect }) => effect.id));
  expect(receiver.ids.every((id) => known.has(id))).toBe(true);
  await forger.close();
});

test("a deployment without endpoints keeps no deliveries, and its outbox empties", async () => {
  await work();
  await deployment.getIn();
  await eventually(async () => (await deployment.decide()).decision).toBe("allow");
  await eventually(async () => {
    const surveys = await open.store.survey([0, 1, 2, 3]);
    return surveys.reduce((sum, { outboxSize, behind }) => sum + outboxSize + (behind ? 1 : 0), 0);
  }).toBe(0);
  expect(await open.redis.keys(`${redis.prefix}:{d:*`)).toEqual([]);
});
