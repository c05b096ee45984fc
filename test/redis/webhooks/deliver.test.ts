/** The deliverer between a queue and a receiver, with every await between them in the order that hurts most. */
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DeliveryQueue } from "../../../src/effects/delivery-queue.js";
import type { Receiver } from "../../../src/effects/receiver.js";
import { createLogger } from "../../../src/log.js";
import { connectStore } from "../../../src/redis/connection.js";
import { deliveryKeys } from "../../../src/store/keys.js";
import type { EffectMessage } from "../../../src/store/partition-view.js";
import { Deliverer } from "../../../workers/deliver.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";
import { eventually } from "../../support/eventually.js";

const NAME = "wh_1";
const BREAKER = { openAfter: 5, pauseMs: 60_000, longestPauseMs: 60_000 };

let redis: TestRedis;
let connection: Redis;
let queue: DeliveryQueue;

beforeEach(async () => {
  redis = await startRedis();
  connection = await connectStore(redis.url);
  queue = new DeliveryQueue(connection, redis.prefix, NAME);
});
afterEach(async () => {
  connection.disconnect();
  await redis.stop();
});

const effects = (count: number): EffectMessage[] =>
  Array.from({ length: count }, (_, n) => ({
    id: `1-${n + 1}-0-0badcafe`,
    session: "contoso/phone-1/adele/azure-mobile",
    revision: n + 1,
    at: 1,
    kind: "command",
    type: "wipe",
    data: {},
  }));

function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

const receiverOf = (changes: Pick<Receiver, "attempt"> & Partial<Receiver>): Receiver => ({
  queue,
  breaker: BREAKER,
  concurrency: { first: 8, most: 8 },
  visibleAfterMs: 60_000,
  isReady: async () => true,
  ...changes,
});

const deliver = async (receiver: Receiver): Promise<void> =>
  new Deliverer({ receivers: async () => new Map([[NAME, receiver]]), log: createLogger("silent", "test") }).look();

const attempt = (why?: string) => ({ at: 1, durationMs: 1, ...(why !== undefined && { why }) });

test("failures that halt everything while more is looked for do not hang it; what was taken is due again", async () => {
  await queue.add(effects(40));
  const failing = gate();
  let begun = 0;
  let ended = 0;
  let asked = 0;
  await deliver(
    receiverOf({
      attempt: async () => {
        // Two end at once, one after the other: then there is room for more.
        if (++begun !== 1 && begun !== 9) await failing.opened;
        ended++;
        return { attempt: attempt("answered 500"), outcome: "retry", againInMs: 60_000 };
      },
      isReady: async () => {
        if (++asked > 1) {
          failing.open();
          await eventually(() => ended).toBe(begun);
        }
        return true;
      },
    }),
  );
  expect(begun).toBeLessThan(16);
  const waiting = await queue.list("waiting", 0, 100);
  expect(waiting).toHaveLength(40);
  expect(waiting.filter(({ delivery }) => delivery.attemptsMade === 0)).toHaveLength(40 - begun);
  expect(waiting.filter(({ at }) => at <= Date.now())).toHaveLength(40 - begun);
});

test("a delivery that ended and is not written yet is not taken again when everything becomes due at once", async () => {
  await queue.add(effects(2));
  await connection.hset(deliveryKeys(redis.prefix, NAME).meta, "hasten", 1);
  const second = gate();
  const done: string[] = [];
  const slow = Object.create(queue) as DeliveryQueue;
  slow.settle = async (request) => {
    second.open();
    await eventually(() => done.length).toBeGreaterThanOrEqual(2);
    return queue.settle(request);
  };
  // Its private fields are those of the queue itself.
  slow.take = async (request) => queue.take(request);
  // Set again, so that the take after the first answers hastens, too.
  await deliver(
    receiverOf({
      queue: slow,
      attempt: async ({ effect }) => {
        if (effect.id.startsWith("1-2-")) await second.opened;
        await connection.hset(deliveryKeys(redis.prefix, NAME).meta, "hasten", 1);
        done.push(effect.id);
        return { attempt: attempt(), outcome: "delivered" };
      },
    }),
  );
  expect([...done].sort()).toEqual(effects(2).map(({ id }) => id));
});

test("what a stopping worker has begun is ended and written, and nothing more is begun", async () => {
  await queue.add(effects(20));
  const ending = gate();
  let begun = 0;
  const deliverer = new Deliverer({
    receivers: async () =>
      new Map([
        [
          NAME,
          receiverOf({
            attempt: async () => {
              begun++;
              await ending.opened;
              return { attempt: attempt(), outcome: "delivered" };
            },
          }),
        ],
      ]),
    log: createLogger("silent", "test"),
  });
  deliverer.start();
  await eventually(() => begun).toBe(8);
  const stopped = deliverer.stop();
  ending.open();
  await stopped;
  expect(begun).toBe(8);
  expect(await queue.figures()).toMatchObject({ delivered: 8, waiting: 12 });
  expect((await queue.list("waiting", 0, 20)).every(({ at }) => at <= Date.now())).toBe(true);
});

test("a receiver whose deliveries can't be written is tried again later; the others are served", async () => {
  await queue.add(effects(1));
  const broken = Object.create(queue) as DeliveryQueue;
  broken.take = () => Promise.reject(new Error("no answer from Redis"));
  const done: string[] = [];
  const ok = receiverOf({
    attempt: async ({ effect }) => {
      done.push(effect.id);
      return { attempt: attempt(), outcome: "delivered" };
    },
  });
  const receivers = new Map([
    ["wh_0", { ...ok, queue: broken }],
    [NAME, ok],
  ]);
  await new Deliverer({ receivers: async () => receivers, log: createLogger("silent", "test") }).look();
  expect(done).toHaveLength(1);
});
