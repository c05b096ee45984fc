/**
 * P2, P3, P5 and P10 with real worker processes: killed with `kill -9` at each call of a batch, before the server hears it, in place of its
 * answer and after it; whoever goes on comes to what one that was never killed comes to.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publish } from "../../../src/control/publish.js";
import { RedisCatalogues } from "../../../src/control/redis-catalogues.js";
import { compareIds } from "../../../src/store/entry-id.js";
import { effectId } from "../../../src/effects/effect-id.js";
import { createLogger } from "../../../src/log.js";
import { WakeQueue } from "../../../src/queue/queues.js";
import { connectQueue, connectStore } from "../../../src/redis/connection.js";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import type { PartitionStore } from "../../../src/store/partition-store.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import { Sweep } from "../../../workers/sweep.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { interposed } from "../../support/interposed.js";
import { forManyStores } from "../../support/many-stores.js";
import { type Moment, RedisLink, type Strike, running } from "../../support/redis-link.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";
import { WorkerProcess } from "../../support/worker-process.js";

const MINUTE_MS = 60_000;
const MOMENTS: readonly Moment[] = ["before", "replyLost", "after"];
const DEVICES = 24;
const CONTENT = { policies: [samplePolicy("contoso-ios-level2")], conditionalAccess: [], settings: {} };
const DRAINED_AGAIN_MS = 7_000;
const KILLS = 3;
/** Scenarios side by side: most of each is the start of a process. */
const SIDE_BY_SIDE = 3;

let redis: TestRedis;
let connection: Redis;
let directory: string;
let names = 0;
const processes = new Set<WorkerProcess>();

beforeAll(async () => {
  redis = await startRedis();
  connection = forManyStores(await connectStore(redis.url));
  directory = await mkdtemp(join(tmpdir(), "gatehouse-killed-"));
});
afterAll(async () => {
  await Promise.all([...processes].map((worker) => worker.stop()));
  connection.disconnect();
  await redis.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Three batches and more on one partition: people get in, put the app away for longer than the policy likes, and take it up again. */
async function aMorning(deployment: TestDeployment): Promise<void> {
  const subjects = Array.from({ length: DEVICES }, (_, device) => `phone-${device}/adele`);
  for (const subject of subjects) await deployment.getIn(subject);
  for (let turn = 0; turn < 8; turn++) {
    for (const type of ["app.backgrounded", "app.foregrounded"]) {
      deployment.now += turn % 2 === 0 ? MINUTE_MS : 45 * MINUTE_MS;
      await deployment.send(...subjects.map((subject) => deployment.event(type, {}, subject)));
    }
    await deployment.send(
      ...subjects.map((subject) => deployment.event("pin.verified", { method: "pin" }, subject)),
      deployment.event("posture.reported", { osVersion: turn % 2 === 0 ? "12.0" : "17.4.1" }, subjects[turn]),
    );
  }
}

/** All that a partition came to: its chained journal is told by its head. */
async function came(store: PartitionStore): Promise<unknown> {
  const { cursor, seq, head, entries } = await store.load(0, { entries: 1, bytes: 1 });
  const { snapshots } = await store.scan(0, null, 1_000);
  return { cursor, seq, head, waiting: entries.length, snapshots: snapshots.sort(), counters: await store.counters(0) };
}

/** What a worker comes to that nobody disturbs, and the effects that follow. */
const undisturbed = (async () => {
  let batches = 0;
  const memory = new MemoryPartitionStore({ deployment: { partitionCount: 1, clock: "event" } });
  const store = interposed(memory, async (call, carryOut) => {
    if (call === "commit") batches++;
    return carryOut();
  });
  const deployment = new TestDeployment(store);
  await deployment.publish(1, CONTENT.policies);
  await deployment.drainAll();
  await deployment.walkAll();
  await aMorning(deployment);
  batches = 0;
  await deployment.drainAll();
  return { came: await came(store), effects: await store.outbox(0, null, 10_000), batches };
})();

interface Disturbed {
  readonly signal: NodeJS.Signals | null;
  readonly strikes: number;
  readonly came: unknown;
  /** Ids of effects that somebody got, however often. */
  readonly effects: ReadonlySet<string>;
  readonly prefix: string;
}

/** A real worker is killed at that call; then another one looks around and finds what is left to do. */
async function killedAt(strike: Omit<Strike, "act">): Promise<Disturbed> {
  const prefix = `${redis.prefix}-k${++names}`;
  const store = await openRedisPartitionStore(connection, {
    prefix,
    deployment: { partitionCount: 1, clock: "event" },
  });
  const deployment = new TestDeployment(store);
  const catalogues = new RedisCatalogues(connection, prefix);
  deployment.catalogues.add({ ...CONTENT, version: 1 });
  await publish({ store, catalogues, wake: () => {} }, TENANT, CONTENT, { time: deployment.now });
  await deployment.drainAll();
  await deployment.walkAll();
  await aMorning(deployment);

  const link = await RedisLink.start(redis.url);
  const effectsFile = join(directory, `${prefix}.ndjson`);
  link.strike({ ...strike, act: () => worker.kill() });
  const worker = new WorkerProcess({
    REDIS_URL: link.url,
    GATEHOUSE_PREFIX: prefix,
    GATEHOUSE_EFFECTS: effectsFile,
    LOG_LEVEL: "warn",
  });
  processes.add(worker);
  const queueConnection = connectQueue(redis.url);
  const wakeQueue = new WakeQueue(queueConnection, { prefix, wakeShards: 1 });
  wakeQueue.wake(0);
  const signal = await worker.ended;
  await wakeQueue.close();
  queueConnection.disconnect();
  const lines = (await readFile(effectsFile, "utf8").catch(() => "")).split("\n");
  // The last line may be torn.
  const effects = new Set(lines.slice(0, -1).map((line) => (JSON.parse(line) as { id: string }).id));

  const handOver = async (partition: number, ids: readonly string[]): Promise<void> => {
    const waiting = await store.effects(partition, ids);
    for (const { id, body } of waiting) effects.add(effectId(prefix, partition, id, body));
    await store.acknowledge(partition, ids);
  };
  const { drainer, walker } = deployment;
  const sweep = new Sweep({ store, drainer, walker, effects: { handOver }, log: createLogger("silent", "test") });
  for (let look = 0; look < 14; look++) await sweep.look();
  expect(await store.outbox(0, null, 1)).toEqual([]);
  await link.stop();
  return { signal, strikes: link.strikes, came: await came(store), effects, prefix };
}

const isHandOver: Strike["at"] = (command) => command.some((word) => word.includes("deliver"));
const isAcknowledgement: Strike["at"] = ([command]) => command?.toUpperCase() === "XDEL";
const CALLS: readonly (readonly [string, Omit<Strike, "act" | "moment">])[] = [
  ...[1, 3].flatMap((nth) => [
    [`load of batch ${nth}`, { at: running("load"), nth }] as const,
    [`commit of batch ${nth}`, { at: running("commit"), nth }] as const,
  ]),
  ["hand-over of its effects", { at: isHandOver }],
  ["acknowledgement of its effects", { at: isAcknowledgement }],
];

describe("P2, P3, P5: kill -9 at each store call of a batch", () => {
  test("there is something to disturb: several batches, and effects", async () => {
    const { batches, effects } = await undisturbed;
    expect(batches).toBeGreaterThanOrEqual(3);
    expect(effects.length).toBeGreaterThan(100);
  });

  test(
    "each event counts once, each effect is given at least once, and everything is as if nobody had been killed",
    {
      timeout: 300_000,
    },
    async () => {
      const expected = await undisturbed;
      const left = CALLS.flatMap(([name, call]) => MOMENTS.map((moment) => ({ name, ...call, moment })));
      const scenarios = left.length;
      const passed: string[] = [];
      await Promise.all(
        Array.from({ length: SIDE_BY_SIDE }, async () => {
          for (let next = left.pop(); next !== undefined; next = left.pop()) {
            const { name, ...strike } = next;
            const where = `${name}, ${strike.moment}`;
            const { signal, strikes, effects, prefix, ...disturbed } = await killedAt(strike);
            expect({ where, signal, strikes }).toEqual({ where, signal: "SIGKILL", strikes: 1 });
            expect({ where, ...disturbed }).toEqual({ where, came: expected.came });
            const wanted = expected.effects.map(({ id, body }) => effectId(prefix, 0, id, body));
            expect({ where, missing: wanted.filter((id) => !effects.has(id)) }).toEqual({ where, missing: [] });
            expect({ where, effects: effects.size }).toEqual({ where, effects: wanted.length });
            passed.push(where);
          }
        }),
      );
      expect(passed).toHaveLength(scenarios);
    },
  );
});

describe("P10: a worker is killed while it holds a partition", () => {
  test(
    `what it held, and all that came meanwhile, is drained again within ${DRAINED_AGAIN_MS / 1_000} s`,
    {
      timeout: 120_000,
    },
    async ({ annotate }) => {
      const prefix = `${redis.prefix}-again`;
      const store = await openRedisPartitionStore(connection, { prefix, deployment: { partitionCount: 4 } });
      const queueConnection = connectQueue(redis.url);
      const wakeQueue = new WakeQueue(queueConnection, { prefix, wakeShards: 1 });
      const deployment = new TestDeployment(store, Date.now());
      Object.assign(deployment, { wake: wakeQueue.wake });
      const catalogues = new RedisCatalogues(connection, prefix);
      await publish({ store, catalogues, wake: wakeQueue.wake }, TENANT, CONTENT);

      const start = async (url: string): Promise<WorkerProcess> => {
        const worker = new WorkerProcess({ REDIS_URL: url, GATEHOUSE_PREFIX: prefix, LOG_LEVEL: "warn" });
        processes.add(worker);
        await worker.up();
        return worker;
      };
      const subjects = Array.from({ length: 12 }, (_, device) => `phone-${device}/adele`);
      for (const subject of subjects) await deployment.getIn(subject);
      let turn = 0;
      const load = setInterval(() => {
        deployment.now = Date.now();
        const type = turn++ % 2 === 0 ? "app.backgrounded" : "app.foregrounded";
        void deployment.send(...subjects.map((subject) => deployment.event(type, {}, subject)));
      }, 50);
      try {
        await start(redis.url);
        const tookMs: number[] = [];
        for (let kill = 0; kill < KILLS; kill++) {
          const link = await RedisLink.start(redis.url);
          const victim = await start(link.url);
          const moment = MOMENTS[kill % MOMENTS.length] as Moment;
          link.strike({ at: running("commit"), moment, nth: 5, act: () => victim.kill() });
          await victim.ended;
          const killedAt = performance.now();
          // Everything that was accepted by now has to be behind the cursor.
          const newest = await Promise.all(
            [0, 1, 2, 3].map(async (partition) =>
              (await store.load(partition, { entries: 1_000, bytes: 1e6 })).entries.at(-1),
            ),
          );
          for (const [partition, entry] of newest.entries()) {
            if (entry === undefined) continue;
            await expect
              .poll(async () => compareIds((await store.load(partition, { entries: 1, bytes: 1 })).cursor, entry.id), {
                timeout: DRAINED_AGAIN_MS,
                interval: 20,
              })
              .toBeGreaterThanOrEqual(0);
          }
          tookMs.push(performance.now() - killedAt);
          expect(link.strikes).toBe(1);
          await link.stop();
        }
        await annotate(`drained again after ${tookMs.map((ms) => `${Math.round(ms)} ms`).join(", ")}`);
        expect(Math.max(...tookMs)).toBeLessThanOrEqual(DRAINED_AGAIN_MS);
      } finally {
        clearInterval(load);
        await wakeQueue.close();
        queueConnection.disconnect();
      }
    },
  );
});
