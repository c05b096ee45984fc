/**
 * A receiver that was down for an hour at 50 effects a second: how often it was tried meanwhile, and how long it takes until everything
 * has arrived. The hour's effects are handed over in a short time, and the breaker is put where an hour of failures takes it; pauses,
 * schedule and everything else are the real ones.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { DeliveryQueue } from "../../src/effects/delivery-queue.js";
import { createLogger } from "../../src/log.js";
import { connectStore } from "../../src/redis/connection.js";
import { SecretKey } from "../../src/secrets/secret-key.js";
import { deliveryKeys } from "../../src/store/keys.js";
import type { EffectMessage } from "../../src/store/partition-view.js";
import { EndpointStore } from "../../src/webhooks/endpoint-store.js";
import { handOver } from "../../src/webhooks/hand-over.js";
import { LOOPBACK, Targets } from "../../src/webhooks/target.js";
import { WebhookReceivers } from "../../src/webhooks/webhook-receivers.js";
import { Webhooks } from "../../src/webhooks/webhooks.js";
import { Deliverer } from "../../workers/deliver.js";
import { programOf } from "../core/program.js";

export interface OutageOptions {
  /** That wait when the receiver is back. */
  readonly effects: number;
  /** That the receiver takes for each. */
  readonly answerMs: number;
  /** Watched while it is down. */
  readonly downSeconds: number;
  readonly redisUrl: string;
  /** Of keys that nobody else uses. */
  readonly prefix: string;
  readonly progress: (what: string) => void;
}

export interface OutageResult {
  readonly effects: number;
  readonly triesUntilOpen: number;
  /** While it was down and watched, and the most in one second. */
  readonly triesDown: number;
  readonly peakPerSecond: number;
  /** From its return. */
  readonly noticedSeconds: number;
  readonly deliveredSeconds: number;
  /** Effects that had been handed over and never arrived, and those that arrived again. */
  readonly missing: number;
  readonly repeated: number;
}

const LIVE_PER_SECOND = 50;
/** Pauses of 1 s that grow by 2 % up to 10 s: an hour holds about this many tries. */
const FAILURES_OF_AN_HOUR = 430;
/** The longest of those pauses. */
const PAUSE_AFTER_AN_HOUR_MS = 10_000;
const BLOCK = 250;
const FIRST = 100;

interface Seen {
  readonly ids: number;
  readonly requests: number;
  readonly peak: number;
}

export async function outage(options: OutageOptions): Promise<OutageResult> {
  const { effects, answerMs, downSeconds, redisUrl, prefix, progress } = options;
  const redis = await connectStore(redisUrl);
  const secretKey = new SecretKey("a secret key of a benchmark, long enough");
  const targets = new Targets({ allowPrivate: LOOPBACK });
  const endpoints = new EndpointStore(redis, prefix);
  const log = createLogger("silent", "bench");
  const { file, execArgv } = programOf("./receiver", import.meta.url);
  const receiver = fork(file, [String(answerMs)], { execArgv: [...execArgv] });
  const [{ port }] = (await once(receiver, "message")) as [{ port: number }];
  const ask = async (message: object): Promise<Seen> => {
    receiver.send(message);
    const [answer] = (await once(receiver, "message")) as [Seen];
    return answer;
  };

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
  try {
    progress("the receiver is down");
    await ask({ well: false });
    await give(FIRST);
    await delay(3_000);
    const first = await ask({});
    for (let n = FIRST; n < effects; n += BLOCK) await give(Math.min(BLOCK, effects - n));
    await ask({ well: false });
    await delay(downSeconds * 1_000);
    const down = await ask({});

    progress(`the receiver is back after an hour: ${effects.toLocaleString("en")} effects wait`);
    const { meta } = deliveryKeys(prefix, endpoint.id);
    await redis.hset(meta, "failures", FAILURES_OF_AN_HOUR);
    await redis.hset(meta, "nextTry", Date.now() + PAUSE_AFTER_AN_HOUR_MS);
    const backAt = performance.now();
    await ask({ well: true });
    const live = setInterval(() => void give(LIVE_PER_SECOND), 1_000);
    let noticedMs: number | undefined;
    for (;;) {
      await delay(500);
      const { ids } = await ask({});
      if (ids > 0) noticedMs ??= performance.now() - backAt;
      if (ids >= effects && (await queue.figures()).waiting <= 2 * LIVE_PER_SECOND) break;
    }
    const deliveredMs = performance.now() - backAt;
    clearInterval(live);
    while ((await queue.figures()).waiting > 0) await delay(100);
    const end = await ask({});
    return {
      effects,
      triesUntilOpen: first.requests,
      triesDown: down.requests,
      peakPerSecond: down.peak,
      noticedSeconds: seconds(noticedMs ?? 0),
      deliveredSeconds: seconds(deliveredMs),
      missing: made - end.ids,
      repeated: end.requests - end.ids,
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    receiver.disconnect();
    redis.disconnect();
  }
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;
