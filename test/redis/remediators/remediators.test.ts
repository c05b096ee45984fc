/** Remediators in a whole worker: a session falls out of compliance, a handler runs, and what it found comes back as an event. */
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { publish } from "../../../src/control/publish.js";
import { RedisCatalogues } from "../../../src/control/redis-catalogues.js";
import { DeliveryQueue } from "../../../src/effects/delivery-queue.js";
import { discardSink } from "../../../src/effects/effect-sink.js";
import { createLogger } from "../../../src/log.js";
import { WakeQueue } from "../../../src/queue/queues.js";
import { connectQueue, connectStore } from "../../../src/redis/connection.js";
import { REMEDIATORS } from "../../../src/remediators/remediation-receiver.js";
import {
  type RemediationHandler,
  type RemediationRequest,
  type RemediatorOptions,
  RemediatorRegistry,
} from "../../../src/remediators/registry.js";
import { look } from "../../../src/sessions/look.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import type { PartitionStore } from "../../../src/store/partition-store.js";
import { RedisUserStore } from "../../../src/users/redis-user-store.js";
import { type RunningWorker, startWorker } from "../../../workers/worker.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";
import { eventually } from "../../support/eventually.js";

const SESSION = `${TENANT}/phone-1/adele/azure-mobile`;

let redis: TestRedis;
let storeConnection: Redis;
let queueConnection: Redis;
let store: PartitionStore;
let wakeQueue: WakeQueue;
let deployment: TestDeployment;
const running: RunningWorker[] = [];

beforeEach(async () => {
  redis = await startRedis();
  storeConnection = await connectStore(redis.url);
  queueConnection = connectQueue(redis.url);
  store = await openRedisPartitionStore(storeConnection, { prefix: redis.prefix, deployment: { partitionCount: 4 } });
  wakeQueue = new WakeQueue(queueConnection, { prefix: redis.prefix, wakeShards: 1 });
  const users = new RedisUserStore(storeConnection, { prefix: redis.prefix, deployment: store.deployment });
  deployment = new TestDeployment(store, Date.now(), undefined, users);
  Object.assign(deployment, { wake: wakeQueue.wake });
  const catalogues = new RedisCatalogues(storeConnection, redis.prefix);
  const policies = [samplePolicy("contoso-ios-level2")];
  await publish({ store, catalogues, wake: wakeQueue.wake }, TENANT, { policies, conditionalAccess: [], settings: {} });
  deployment.catalogues.add({ version: 1, policies, conditionalAccess: [], settings: {} });
});

afterEach(async () => {
  await Promise.all(running.splice(0).map(async (worker) => worker.stop()));
  await wakeQueue.close();
  storeConnection.disconnect();
  queueConnection.disconnect();
  await redis.stop();
});

async function work(handler: RemediationHandler, options?: RemediatorOptions): Promise<RunningWorker> {
  const remediators = new RemediatorRegistry();
  remediators.register("mamVerdict", handler, options);
  const worker = await startWorker({
    redis: redis.url,
    prefix: redis.prefix,
    wakeShards: 1,
    concurrency: 4,
    shutdownMs: 5_000,
    sink: discardSink,
    remediators,
    log: createLogger("silent", "test"),
  });
  running.push(worker);
  return worker;
}

async function fallOut(): Promise<void> {
  await deployment.getIn();
  await deployment.send(
    deployment.event("compliance.evaluated", { verdict: "noncompliant", scope: "mam" }, "phone-1/adele"),
  );
}

const stateNow = async (): Promise<string | undefined> => {
  const { session } = await look({ store, users: deployment.users, rules: deployment.rules }, SESSION);
  return session !== undefined && "state" in session ? session.state : undefined;
};

test("a handler's success brings the session back, and it is told what it is about", async () => {
  const asked: RemediationRequest[] = [];
  await work((request) => {
    asked.push(request);
    return { status: "COMPLIANT" };
  });
  await fallOut();
  await eventually(stateNow).toMatch(/^(active|locked)/);
  expect(asked).toMatchObject([
    { tenant: TENANT, device: "phone-1", user: "adele", app: "azure-mobile", cause: "mamVerdict", run: 1 },
  ]);
  expect(asked[0]?.attemptId).toEqual(expect.any(String));
});

test("a handler that throws runs again", async () => {
  const runs: number[] = [];
  await work(({ run }) => {
    runs.push(run);
    if (run === 1) throw new Error("the directory does not answer");
    return { status: "COMPLIANT" };
  });
  await fallOut();
  await eventually(stateNow).toMatch(/^(active|locked)/);
  expect(runs).toEqual([1, 2]);
});

test.each([
  ["throws", () => Promise.reject(new Error("no"))],
  ["returns nonsense", () => ({ status: "FINE" }) as never],
  ["does not come to an end", () => new Promise<never>(() => {})],
])("a handler that %s for good counts as failed, and is listed as spent", async (_, handler) => {
  await work(handler, { attempts: 1, timeoutMs: 50 });
  await fallOut();
  const queue = new DeliveryQueue(storeConnection, redis.prefix, REMEDIATORS);
  await eventually(async () => (await queue.figures()).spent).toBe(1);
  // The session took note: the attempt is over, and the next one comes after a pause.
  await eventually(stateNow).toBe("remediating.backoff");
  const [spent] = await queue.list("spent", 0, 5);
  expect(spent?.delivery.why).toBeDefined();
  expect(spent?.delivery.attemptsMade).toBe(1);
});

test("a cause that nobody remediates is left to the app", async () => {
  const remediators = new RemediatorRegistry();
  remediators.register("osVersion", () => expect.fail("not asked for"));
  running.push(
    await startWorker({
      redis: redis.url,
      prefix: redis.prefix,
      wakeShards: 1,
      concurrency: 4,
      shutdownMs: 5_000,
      sink: discardSink,
      remediators,
      log: createLogger("silent", "test"),
    }),
  );
  await fallOut();
  const queue = new DeliveryQueue(storeConnection, redis.prefix, REMEDIATORS);
  await eventually(async () => (await queue.figures()).delivered).toBe(1);
  expect(await stateNow()).toBe("remediating.attempt");
});
