/** Workers as processes: they end in time, and any number of them does the work of one. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { JournalRecord } from "../../machines/outcome.js";
import { statesNdjson, readFinalStates } from "../../src/cli/demo/final-states.js";
import { type Played, play } from "../../src/cli/demo/play.js";
import { outcomes } from "../../src/cli/demo/tally.js";
import { openDeployment } from "../../src/deployment/open-deployment.js";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { GENESIS_HEAD, verifyChain } from "../../src/store/journal-chain.js";
import type { PartitionStore, StoredRecord } from "../../src/store/partition-store.js";
import { Cli, temporaryDirectory } from "../support/cli.js";

const SHUTDOWN_MS = 1_500;
/** For the process itself to end, on a busy machine. */
const LEEWAY_MS = 3_000;

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let redis: PrivateRedis;
const running: Cli[] = [];

beforeEach(async () => {
  home = await temporaryDirectory();
  redis = await startPrivateRedis({ directory: join(home.path, "redis") });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((worker) => worker.stop()));
  await redis.stop();
  await home.remove();
});

async function work(prefix: string): Promise<Cli> {
  const environment = { REDIS_URL: redis.url, GATEHOUSE_PREFIX: prefix, GATEHOUSE_SHUTDOWN_MS: String(SHUTDOWN_MS) };
  const worker = new Cli(["work"], { directory: home.path, environment });
  running.push(worker);
  await worker.says(/worker is up/);
  return worker;
}

test("a worker that is told to stop ends at once, with exit code 0", async () => {
  const worker = await work("gh");
  const { code, stderr } = await worker.stop();
  expect([code, stderr]).toEqual([0, expect.stringContaining("worker has stopped")]);
  expect(stderr).not.toContain("too long");
});

test("with Redis gone it ends all the same, in the time it was given", async () => {
  const worker = await work("gh");
  await redis.stop();
  await worker.says(/connection to Redis lost/);
  const toldAt = performance.now();
  expect((await worker.stop()).code).toBe(0);
  expect(performance.now() - toldAt).toBeLessThan(SHUTDOWN_MS + LEEWAY_MS);
});

test("one whose parent is killed ends by itself", async () => {
  const worker = await work("gh");
  worker.process.kill("SIGKILL");
  // Its output is its parent's: it ends when both have.
  expect((await worker.finished()).stderr).toContain("the parent is gone");
});

test("two workers end as one does: nothing is lost, nothing is doubled", async () => {
  const [one, two] = [await dayWith("one", 1), await dayWith("two", 2)];
  expect(two.totals).toEqual(one.totals);
  expect(two.outcomes).toEqual(one.outcomes);
  expect(two.states === one.states).toBe(true);
  expect(two.fromOutside.length).toBe(one.fromOutside.length);
  expect(two.fromOutside).toEqual(one.fromOutside);
});

interface Day extends Pick<Played, "totals"> {
  readonly outcomes: object;
  readonly states: string;
  /** What became of each event that was reported, session by session. */
  readonly fromOutside: readonly string[];
}

async function dayWith(prefix: string, workers: number): Promise<Day> {
  const deployment = await openDeployment({
    redis: redis.url,
    prefix,
    deployment: { partitionCount: 8, clock: "event" },
  });
  try {
    await Promise.all(Array.from({ length: workers }, () => work(prefix)));
    const silent = { show: () => {}, say: () => {}, stop: () => {} };
    const { totals } = await play(deployment, { seed: 3, devices: 60 }, silent);
    const final = await readFinalStates(deployment);
    return {
      totals,
      outcomes: outcomes(final.counters),
      states: statesNdjson(final.sessions),
      fromOutside: await recordsOf(deployment.store),
    };
  } finally {
    await deployment.close();
  }
}

/** Checks that each journal is dense and chained, and gives the records of events from outside in an order that no batch decides. */
async function recordsOf(store: PartitionStore): Promise<string[]> {
  const lines: string[] = [];
  for (let partition = 0; partition < store.deployment.partitionCount; partition++) {
    const { seq } = await store.load(partition, { entries: 1, bytes: 1 });
    const records = await store.records(
      partition,
      Array.from({ length: seq }, (_, n) => n + 1),
    );
    expect(records).not.toContain(null);
    expect(verifyChain(GENESIS_HEAD, 1, records as StoredRecord[]).intact).toBe(true);
    for (const stored of records as StoredRecord[]) {
      const record = JSON.parse(stored.body) as JournalRecord;
      const { session, at, event, origin, outcome, from, to, changed, effects } = record;
      if (origin !== undefined)
        lines.push(JSON.stringify([session, at, origin, event, outcome, from, to, changed, effects]));
    }
  }
  return lines.sort();
}
