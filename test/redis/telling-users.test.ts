/** A user's sessions are told over a real Redis: sign-ins race changes, and fan-outs stop in the middle. */
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreUnavailableError } from "../../src/errors.js";
import { ingest } from "../../src/ingest/ingest.js";
import { createLogger } from "../../src/log.js";
import { connectStore } from "../../src/redis/connection.js";
import { readHistory } from "../../src/sessions/history.js";
import { look } from "../../src/sessions/look.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { resumeFanOuts } from "../../src/users/fan-out.js";
import { RedisUserStore } from "../../src/users/redis-user-store.js";
import { startWorker } from "../../workers/worker.js";
import { FixedCatalogues, TENANT, TestDeployment } from "../support/deployment.js";
import { type Interposer, interposed } from "../support/interposed.js";
import { type TestRedis, startRedis } from "../support/redis-server.js";

let server: TestRedis;
let redis: Redis;
let deployments = 0;

beforeEach(async () => {
  server = await startRedis();
  redis = await connectStore(server.url);
});
afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

async function newDeployment(prefix = `${server.prefix}-${deployments++}`): Promise<TestDeployment> {
  const store = await openRedisPartitionStore(redis, { prefix, deployment: { partitionCount: 4 } });
  const users = new RedisUserStore(redis, { prefix, deployment: store.deployment });
  return new TestDeployment(store, Date.now(), new FixedCatalogues(), users);
}

const LOST = new StoreUnavailableError("gone", { outcomeUnknown: true });
const signIn = (deployment: TestDeployment, device: string): object =>
  deployment.event("account.signedIn", { platform: "ios" }, `${device}/adele`);
const revoke = (deployment: TestDeployment): object => deployment.event("license.revoked", {}, "adele");
const idOf = (device: string): string => `${TENANT}/${device}/adele/azure-mobile`;

const sendThrough = (deployment: TestDeployment, interpose: Interposer, event: object) =>
  ingest(
    {
      store: interposed(deployment.store, interpose),
      users: interposed(deployment.users, interpose),
      wake: deployment.wake,
    },
    TENANT,
    [event],
  );

async function factsOf(deployment: TestDeployment, device: string): Promise<unknown> {
  const { session } = await look(deployment, idOf(device));
  return session !== undefined && "facts" in session ? session.facts : session;
}

test.each(["a sign-in", "a change"] as const)(
  "whenever the other comes in the middle of %s, every session knows all that is known of its user",
  async (outer) => {
    let moments = 0;
    for (let moment = 0; moment <= moments; moment++) {
      const deployment = await newDeployment();
      await deployment.send(signIn(deployment, "tablet-1"));
      const [first, second] = [signIn(deployment, "phone-1"), revoke(deployment)];
      let calls = 0;
      await sendThrough(
        deployment,
        async (_call, carryOut) => {
          if (calls++ === moment) await deployment.send(outer === "a sign-in" ? second : first);
          return carryOut();
        },
        outer === "a sign-in" ? first : second,
      );
      if (calls <= moment) await deployment.send(outer === "a sign-in" ? second : first);
      moments = Math.max(moments, calls);
      await deployment.drainAll();
      for (const device of ["phone-1", "tablet-1"]) {
        expect(await factsOf(deployment, device), `at call ${moment}, ${device}`).toMatchObject({
          licensed: false,
          userVersion: 1,
        });
      }
      expect(await resumeFanOuts(deployment)).toBe(0);
    }
    expect(moments).toBeGreaterThan(3);
  },
);

test.each([0, 1, 3])(
  "a fan-out that stopped after %i appends is ended by a worker, and tells each session once",
  async (made) => {
    const prefix = `${server.prefix}-${deployments++}`;
    const deployment = await newDeployment(prefix);
    const devices = Array.from({ length: 12 }, (_, n) => `phone-${n}`);
    await deployment.send(...devices.map((device) => signIn(deployment, device)));
    let appends = 0;
    const { totals } = await sendThrough(
      deployment,
      async (call, carryOut) => {
        if (call === "toldAll" || (call === "ingest" && ++appends > made)) throw LOST;
        return carryOut();
      },
      revoke(deployment),
    );
    expect(totals.accepted).toBe(1);

    let resolve = (): void => undefined;
    const isTold = new Promise<void>((done) => (resolve = done));
    let told = 0;
    const worker = await startWorker({
      redis: server.url,
      prefix,
      wakeShards: 1,
      concurrency: 4,
      shutdownMs: 5_000,
      sink: null,
      log: createLogger("silent", "test"),
      onCommit: (_partition, entries) => {
        told += entries;
        if (told >= 2 * devices.length) resolve();
      },
    });
    await isTold;
    await worker.stop();
    for (const device of devices) {
      const { partition, lastRecord } = await look(deployment, idOf(device));
      const { records } = await readHistory(deployment.store, partition, lastRecord);
      expect(records.map(({ event }) => event.type)).toEqual(["account.signedIn", "license.revoked"]);
    }
    expect((await deployment.users.due(null, 10)).changes).toEqual([]);
  },
);
