/** Hints to workers: few jobs for many partitions, and none of them forgotten. */
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WakeQueue, queuePrefix, wakeQueueName } from "../../src/queue/queues.js";
import { connectQueue } from "../../src/redis/connection.js";
import { type TestRedis, startRedis } from "../support/redis-server.js";

let redis: TestRedis;
let connection: Redis;
let wakeQueue: WakeQueue;
let jobs: Queue;

beforeEach(async () => {
  redis = await startRedis();
  connection = connectQueue(redis.url);
  wakeQueue = new WakeQueue(connection, { prefix: redis.prefix, wakeShards: 1 });
  const name = wakeQueueName(0);
  jobs = new Queue(name, { connection, prefix: queuePrefix(redis.prefix, name) });
});
afterEach(async () => {
  await wakeQueue.close();
  await jobs.close();
  connection.disconnect();
  await redis.stop();
});

const partitionsByJob = async (): Promise<number[][]> =>
  (await jobs.getJobs("waiting", 0, -1, true)).map(({ data }: { data: { partitions: number[] } }) => data.partitions);

test("partitions that are woken together share a job, and each is named once", async () => {
  for (const partition of [3, 1, 3, 2]) wakeQueue.wake(partition);
  await wakeQueue.settled();
  expect(await partitionsByJob()).toEqual([[3, 1, 2]]);
});

test("those that are woken while a job is being added share the next one", async () => {
  wakeQueue.wake(1);
  // The job is on its way, and Redis has not answered yet.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  for (const partition of [2, 3]) wakeQueue.wake(partition);
  await wakeQueue.settled();
  expect(await partitionsByJob()).toEqual([[1], [2, 3]]);
});

test("also one that is woken at the very end of an addition is named by a job", async () => {
  await connection.ping();
  const STEPS = 80;
  for (let steps = 0; steps < STEPS; steps++) {
    const isWoken = new Promise<void>((resolve) => {
      // Redis has answered; so many steps later the addition may be just over.
      connection.stream.once("data", () => {
        void (async () => {
          for (let step = 0; step < steps; step++) await Promise.resolve();
          wakeQueue.wake(2 * steps + 1);
          resolve();
        })();
      });
    });
    wakeQueue.wake(2 * steps);
    await isWoken;
    await wakeQueue.settled();
    // Now, and not only by whoever is woken next.
    expect((await partitionsByJob()).flat()).toContain(2 * steps + 1);
  }
});
