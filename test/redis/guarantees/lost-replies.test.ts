/** P1, P2: the server did what it was told, and nobody heard of it: sending again is harmless, for whoever reports and for a worker. */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ingest } from "../../../src/ingest/ingest.js";
import { createLogger } from "../../../src/log.js";
import { connectStore } from "../../../src/redis/connection.js";
import { isTombstone } from "../../../src/store/journal-chain.js";
import type { PartitionStore } from "../../../src/store/partition-store.js";
import type { ScriptName } from "../../../src/store/redis/script.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import { Drainer } from "../../../workers/drain.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { forManyStores } from "../../support/many-stores.js";
import { RedisLink, running } from "../../support/redis-link.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";

/** Connections that lose answers, each with a deployment of its own: a lost one has to be made anew, which takes a while. */
const LANES = 20;
const LOSSES_A_LANE = 25;
const LOSSES = LANES * LOSSES_A_LANE;

let redis: TestRedis;
let connection: Redis;

beforeAll(async () => {
  redis = await startRedis();
  connection = forManyStores(await connectStore(redis.url));
});
afterAll(async () => {
  connection.disconnect();
  await redis.stop();
});

interface Lane {
  /** For whoever suffers. */
  readonly suffering: PartitionStore;
  /** Of a deployment with a store that nothing happens to. */
  readonly deployment: TestDeployment;
  /** From now on the next call of this script is carried out, and its answer gets lost with the connection. */
  readonly lose: (script: ScriptName) => void;
  /** Resolves when it is connected again. */
  readonly connected: () => Promise<unknown>;
  readonly losses: () => number;
}

async function withLane(work: (lane: Lane) => Promise<void>): Promise<void> {
  const prefix = `${redis.prefix}-${randomUUID().slice(0, 8)}`;
  const settings = { prefix, deployment: { partitionCount: 1, clock: "event" } } as const;
  const deployment = new TestDeployment(await openRedisPartitionStore(connection, settings));
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
  await deployment.getIn();
  await deployment.drainAll();
  await deployment.walkAll();
  const link = await RedisLink.start(redis.url);
  const torn = await connectStore(link.url);
  try {
    await work({
      suffering: await openRedisPartitionStore(torn, settings),
      deployment,
      lose: (script) => link.strike({ at: running(script), moment: "replyLost" }),
      connected: async () => torn.status === "ready" || new Promise((resolve) => torn.once("ready", resolve)),
      losses: () => link.strikes,
    });
  } finally {
    torn.disconnect();
    await link.stop();
  }
}

/** Ids of the events that have a record, in order, but for those of getting in. */
async function recordedIds({ store }: TestDeployment): Promise<string[]> {
  const { seq } = await store.load(0, { entries: 1, bytes: 1 });
  const numbers = Array.from({ length: seq }, (_, n) => n + 1);
  const entries = await store.records(0, numbers);
  return entries
    .flatMap((entry) => (entry === null || isTombstone(entry) ? [] : [JSON.parse(entry.body) as Recorded]))
    .flatMap(({ event, origin }) => (origin !== undefined && event.type.startsWith("app.") ? [origin.id] : []));
}

interface Recorded {
  readonly event: { readonly type: string };
  readonly origin?: { readonly id: string };
}

const turnOf = (deployment: TestDeployment, turn: number): { id: string } => {
  deployment.now += 1_000;
  return deployment.event(turn % 2 === 0 ? "app.backgrounded" : "app.foregrounded") as { id: string };
};

describe("answers that get lost", { timeout: 60_000 }, () => {
  test(`P1: ${LOSSES} of ${LOSSES} appends are in doubt, and sent again under the same id each event counts once`, async () => {
    await Promise.all(
      Array.from({ length: LANES }, async () =>
        withLane(async ({ deployment, suffering, lose, connected, losses }) => {
          const sent: string[] = [];
          const { users, wake } = deployment;
          const send = async (event: object) =>
            (await ingest({ store: suffering, users, wake }, TENANT, [event])).results[0]?.status;
          for (let turn = 0; turn < LOSSES_A_LANE; turn++) {
            const event = turnOf(deployment, turn);
            sent.push(event.id);
            lose("ingest");
            expect(await send(event)).toBe("unknown");
            await connected();
            expect(await send(event)).toBe("duplicate");
          }
          expect(losses()).toBe(LOSSES_A_LANE);
          await deployment.drainAll();
          expect(await recordedIds(deployment)).toEqual(sent);
        }),
      ),
    );
  });

  test(`P2: ${LOSSES} of ${LOSSES} commits that nobody heard of are neither lost nor done twice`, async () => {
    await Promise.all(
      Array.from({ length: LANES }, async () =>
        withLane(async ({ deployment, suffering, lose, connected, losses }) => {
          const sent: string[] = [];
          const worker = new Drainer({
            store: suffering,
            rules: deployment.rules,
            log: createLogger("silent", "test"),
            onEffects: () => {},
          });
          for (let turn = 0; turn < LOSSES_A_LANE; turn++) {
            const event = turnOf(deployment, turn);
            sent.push(event.id);
            await deployment.send(event);
            lose("commit");
            expect(await worker.drain(0)).toBe("failed");
            await connected();
            expect(await worker.drain(0)).toBe("drained");
          }
          expect(losses()).toBe(LOSSES_A_LANE);
          expect(await recordedIds(deployment)).toEqual(sent);
        }),
      ),
    );
  });
});
