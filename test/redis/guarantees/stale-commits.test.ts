/** P4: a worker that folded from a state that is no longer the stored one can't change anything, whatever moved meanwhile. */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { neededWalk } from "../../../machines/walk.js";
import { createLogger } from "../../../src/log.js";
import { connectStore } from "../../../src/redis/connection.js";
import type { CommitResult, PartitionStore } from "../../../src/store/partition-store.js";
import { readState } from "../../../src/store/partition-view.js";
import { randomToken } from "../../../src/store/random-token.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import { sessionKey } from "../../../src/store/session-key.js";
import { Drainer } from "../../../workers/drain.js";
import { WalkSteps } from "../../../workers/walk-step.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { interposed } from "../../support/interposed.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";

/** Of each of the four ways in which a partition moves. */
const PAUSES = 250;
const ONE = { entries: 1, bytes: 1 };
const POLICY = samplePolicy("contoso-ios-level2");

let redis: TestRedis;
let connection: Redis;
let names = 0;

beforeAll(async () => {
  redis = await startRedis();
  connection = await connectStore(redis.url);
});
afterAll(async () => {
  connection.disconnect();
  await redis.stop();
});

/** All that can be seen of the partition. */
async function seen(store: PartitionStore): Promise<unknown> {
  const { token, cursor, seq, head, state, now, entries } = await store.load(0, { entries: 1_000, bytes: 1e6 });
  const { snapshots } = await store.scan(0, null, 1_000);
  return {
    token,
    cursor,
    seq,
    head,
    state,
    now,
    entries,
    snapshots: snapshots.sort(),
    survey: await store.survey([0]),
    outbox: await store.outbox(0, null, 10),
    counters: await store.counters(0),
  };
}

interface Scene {
  readonly store: PartitionStore;
  readonly deployment: TestDeployment;
}

/** What somebody else does while a worker is paused between its fold and its commit, and what has to be there for that. */
interface Move {
  readonly prepare?: (scene: Scene) => Promise<void>;
  readonly move: (scene: Scene) => Promise<unknown>;
}

const nothing = () => ({ snapshots: new Map(), records: [], effects: [], counters: {}, consumed: new Map() });

const MOVES: readonly (readonly [string, Move])[] = [
  ["events were committed", { move: async ({ deployment }) => deployment.drainer.drain(0) }],
  [
    "nothing but a deadline was committed",
    {
      move: async ({ store, deployment }) => {
        const { token } = await store.load(0, ONE);
        const timers = new Map([[sessionKey(`${TENANT}/phone-2/bob/azure-mobile`), deployment.now + 1]]);
        return store.commit(0, { ...nothing(), token, nextToken: randomToken(), last: null, clock: 0, timers });
      },
    },
  ],
  [
    "a step of a policy walk was committed",
    {
      prepare: async ({ deployment }) => {
        const version = (await deployment.catalogues.current()) + 1;
        await deployment.publish(version, [{ ...POLICY, minimumPinLength: 4 + (version % 2) }]);
        await deployment.drainer.drain(0);
      },
      move: async ({ store, deployment }) => {
        const walk = neededWalk(readState((await store.load(0, ONE)).state).policies);
        if (walk === undefined) throw new Error("there is nothing to walk");
        return new WalkSteps(store, deployment.rules).step(0, { walk, unnoted: 0 });
      },
    },
  ],
  [
    "somebody was erased",
    {
      move: async ({ store }) => {
        const key = sessionKey(`${TENANT}/phone-2/bob/azure-mobile`);
        const sessions = new Map([[key, await store.snapshot(0, key)]]);
        const none = { entries: [], placeholder: "", records: [], effects: [], counters: {}, at: 1 };
        return store.erase(0, { ...none, nextToken: randomToken(), sessions });
      },
    },
  ],
];

describe("P4: commits of a paused worker whose partition was taken over", { timeout: 60_000 }, () => {
  test.each(MOVES)(`${PAUSES} of ${PAUSES} are refused and change nothing, when %s`, async (_, { prepare, move }) => {
    const prefix = `${redis.prefix}-s${++names}`;
    const store = await openRedisPartitionStore(connection, {
      prefix,
      deployment: { partitionCount: 1, clock: "event" },
    });
    const deployment = new TestDeployment(store);
    await deployment.publish(1, [POLICY]);
    await deployment.getIn("phone-1/adele");
    await deployment.getIn("phone-2/bob");
    await deployment.drainAll();

    const commits: { readonly result: unknown; readonly before: unknown; readonly after: unknown }[] = [];
    let isPaused = false;
    const paused = new Drainer({
      store: interposed(store, async (call, carryOut) => {
        if (call !== "commit" || !isPaused) return carryOut();
        isPaused = false;
        await move({ store, deployment });
        const before = await seen(store);
        const result = (await carryOut()) as CommitResult;
        commits.push({ result, before, after: await seen(store) });
        return result;
      }),
      rules: deployment.rules,
      log: createLogger("silent", "test"),
      onEffects: () => {},
    });
    for (let pause = 0; pause < PAUSES; pause++) {
      await prepare?.({ store, deployment });
      deployment.now += 1_000;
      await deployment.send(deployment.event(pause % 2 === 0 ? "app.backgrounded" : "app.foregrounded"));
      isPaused = true;
      expect(await paused.drain(0)).toBe("drained");
    }
    expect(commits).toHaveLength(PAUSES);
    expect(commits.filter(({ result }) => (result as CommitResult).status === "stale")).toHaveLength(PAUSES);
    for (const { before, after } of commits) expect(after).toEqual(before);
    // And each event counts once all the same: whoever was refused folds it anew.
    expect(await recordsOfAdele(store)).toHaveLength(PAUSES);
  });
});

/** Texts of the records of what adele's phone told, but for how she got in. */
async function recordsOfAdele(store: PartitionStore): Promise<string[]> {
  const { seq } = await store.load(0, ONE);
  const numbers = Array.from({ length: seq }, (_, n) => n + 1);
  const bodies = (await store.records(0, numbers)).flatMap((entry) => (entry && "body" in entry ? [entry.body] : []));
  return bodies.filter((body) => body.includes("/phone-1/") && /"type":"app\.(back|fore)grounded"/.test(body));
}
