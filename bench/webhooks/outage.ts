/**
 * A receiver that was down for an hour at 50 effects a second: how often it was tried meanwhile, and how long it takes until everything
 * has arrived. The hour's effects are handed over in a short time, and the breaker is put where an hour of failures takes it; pauses,
 * schedule and everything else are the real ones.
 *
 *   node --import tsx bench/webhooks/outage.ts [effects] [answer time of the receiver, ms] [seconds watched while it is down]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DeliveryQueue } from "../../src/effects/delivery-queue.js";
import { createLogger } from "../../src/log.js";
import { connectStore } from "../../src/redis/connection.js";
import { startPrivateRedis } from "../../src/redis/private-server.js";
import { SecretKey } from "../../src/secrets/secret-key.js";
import { deliveryKeys } from "../../src/store/keys.js";
import type { EffectMessage } from "../../src/store/partition-view.js";
import { EndpointStore } from "../../src/webhooks/endpoint-store.js";
import { handOver } from "../../src/webhooks/hand-over.js";
import { LOOPBACK, Targets } from "../../src/webhooks/target.js";
import { WebhookReceivers } from "../../src/webhooks/webhook-receivers.js";
import { Webhooks } from "../../src/webhooks/webhooks.js";
import { Deliverer } from "../../workers/deliver.js";

const [effects = 180_000, delayMs = 0, downSeconds = 30] = process.argv.slice(2).map(Number);
const LIVE_PER_SECOND = 50;
/** Pauses of 1 s that grow by 2 % up to 10 s: an hour holds about this many tries. */
const FAILURES_OF_AN_HOUR = 430;
const BLOCK = 250;

const server = await startPrivateRedis();
const redis = await connectStore(server.url);
const prefix = "bench";
const secretKey = new SecretKey("a secret key of a benchmark, long enough");
const targets = new Targets({ allowPrivate: LOOPBACK });
const endpoints = new EndpointStore(redis, prefix);
const log = createLogger("silent", "bench");
const receiver = fork(fileURLToPath(new URL("receiver.ts", import.meta.url)), [String(delayMs)]);
const [{ port }] = (await once(receiver, "message")) as [{ port: number }];

async function ask(message: object): Promise<{ ids: number; requests: number; peak: number }> {
  receiver.send(message);
  const [answer] = (await once(receiver, "message")) as [{ ids: number; requests: number; peak: number }];
  return answer;
}

const webhooks = new Webhooks({ redis, prefix, secretKey, targets });
const { endpoint } = await webhooks.create("contoso", { url: `http://127.0.0.1:${port}/hook` });
const queue = new DeliveryQueue(redis, prefix, endpoint.id);

let made = 0;
const effect = (): EffectMessage => ({
  id: `1-${++made}-0-0badcafe`,
  session: `contoso/phone-${made % 2_000}/adele/azure-mobile`,
  revision: made,
  at: Date.now(),
  kind: "state",
  type: "blockAccess",
  data: { cause: "osVersion" },
});
const give = async (n: number) => handOver({ redis, prefix, endpoints }, Array.from({ length: n }, effect));

const workers = [1, 2].map(() => {
  const receivers = new WebhookReceivers({ redis, prefix, endpoints, secretKey, targets, log });
  return new Deliverer({ receivers: async () => receivers.receivers(), log });
});
for (const worker of workers) worker.start();

await ask({ well: false });
await give(100);
await delay(3_000);
const first = await ask({});
for (let n = 100; n < effects; n += BLOCK) await give(BLOCK);
await ask({ well: false });
await delay(downSeconds * 1_000);
const down = await ask({});
console.log(`until the breaker opened: ${first.requests} tries`);
console.log(`down, ${downSeconds} s watched: ${down.requests} tries, at most ${down.peak} in one second`);

await redis.hset(deliveryKeys(prefix, endpoint.id).meta, "failures", FAILURES_OF_AN_HOUR);
await redis.hset(deliveryKeys(prefix, endpoint.id).meta, "nextTry", Date.now() + 10_000);
const backAt = performance.now();
await ask({ well: true });
const live = setInterval(() => void give(LIVE_PER_SECOND), 1_000);
let firstArrived: number | undefined;
for (;;) {
  await delay(500);
  const { ids } = await ask({});
  if (ids > 0) firstArrived ??= performance.now() - backAt;
  if (ids >= effects && (await queue.figures()).waiting <= 2 * LIVE_PER_SECOND) break;
}
clearInterval(live);
const tookMs = performance.now() - backAt;
await delay(2_000);
const end = await ask({});
const { waiting } = await queue.figures();
console.log(
  `noticed after ${((firstArrived ?? 0) / 1_000).toFixed(1)} s; ${end.ids} of ${made} arrived, ${waiting} wait`,
);
console.log(
  `${effects} effects of the outage, beside ${LIVE_PER_SECOND}/s new ones, within ${(tookMs / 1_000).toFixed(1)} s: ` +
    `${Math.round(end.ids / (tookMs / 1_000))}/s; ${end.requests - end.ids} repeated`,
);

await Promise.all(workers.map((worker) => worker.stop()));
receiver.disconnect();
redis.disconnect();
await server.stop();
