/** A cluster whose servers die and whose slots move while events come: what was confirmed is there, once and in order; what was lost is said. */
import { Command } from "ioredis";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { decideAccess } from "../../src/decide/decide.js";
import { discardSink } from "../../src/effects/effect-sink.js";
import { type OpenDeployment, openDeployment } from "../../src/deployment/open-deployment.js";
import { ingest } from "../../src/ingest/ingest.js";
import { ApiKeys } from "../../src/keys/api-keys.js";
import { createLogger } from "../../src/log.js";
import type { Durability } from "../../src/redis/durability.js";
import { verifyPartition } from "../../src/replay/verify-partition.js";
import { SecretKey } from "../../src/secrets/secret-key.js";
import { apiKeysKey, partitionKeys } from "../../src/store/keys.js";
import { reconcilePartition } from "../../src/store/redis/redis-partition-store.js";
import { randomToken } from "../../src/store/random-token.js";
import { startWorker } from "../../workers/worker.js";
import { cloudEvent } from "../support/api-server.js";
import { POSTURE, TENANT } from "../support/deployment.js";
import { eventually } from "../support/eventually.js";
import { type RedisCluster, type Server, type Shard, startCluster, until } from "../support/redis-cluster.js";
import { SteadyLoad, isDrained, partitionOfDevice, recorded } from "../support/steady-load.js";

const PARTITIONS = 16;
const DEVICES = 30;
/** Partitions whose slot goes to another primary. */
const MOVED = 6;
const BACK_MS = 10_000;

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => {
  await cluster?.stop();
});

const slotOf = (partition: number, prefix: string): number =>
  new Command("exists", [partitionKeys(prefix, partition).meta]).getSlot();

async function open(prefix: string, durability: Durability): Promise<OpenDeployment> {
  const deployment = await openDeployment({
    redis: { cluster: cluster.addresses },
    prefix,
    durability,
    wakeShards: 4,
    deployment: { partitionCount: PARTITIONS },
  });
  onTestFinished(() => deployment.close());
  return deployment;
}

async function work(prefix: string, durability: Durability): Promise<void> {
  const worker = await startWorker({
    redis: { cluster: cluster.addresses },
    prefix,
    durability,
    wakeShards: 4,
    concurrency: 4,
    shutdownMs: 5_000,
    sink: discardSink,
    log: createLogger("silent", "test"),
  });
  onTestFinished(() => worker.stop());
}

async function setMinReplicas(count: number): Promise<void> {
  for (const { redis } of cluster.servers) await redis.config("SET", "min-replicas-to-write", count);
}

const roleOf = async ({ redis }: Server): Promise<string> =>
  /role:(\w+)/.exec(await redis.info("replication"))?.[1] ?? "";

const isServing = async (server: Server): Promise<boolean> => (await roleOf(server)) === "master";

/** Whoever is primary of the shard now, and the other one. */
async function shardNow({ primary, replica }: Shard): Promise<Shard> {
  return (await isServing(primary)) ? { primary, replica } : { primary: replica, replica: primary };
}

async function expectAllThere(deployment: OpenDeployment, load: SteadyLoad): Promise<void> {
  await until(() => isDrained(deployment));
  const found = await recorded(deployment);
  for (const [device, ids] of load.accepted) expect([device, found.get(device)]).toEqual([device, ids]);
  for (let partition = 0; partition < PARTITIONS; partition++)
    expect((await verifyPartition(deployment, partition)).faults).toEqual([]);
}

const wait = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("D2: a primary is killed under load: nothing that was accepted is lost, nothing is there twice, and it is back within 10 s", async () => {
  await setMinReplicas(1);
  const deployment = await open("d2", "D2");
  await work("d2", "D2");
  const load = new SteadyLoad(deployment, DEVICES);
  await until(async () => [...load.accepted.values()].every((ids) => ids.length > 5));
  const { primary, replica } = await shardNow(cluster.shards[0] as Shard);
  await primary.kill();
  await until(() => isServing(replica));
  // A supervisor starts it again; by then it is a replica.
  await primary.start();
  const before = new Map([...load.accepted].map(([device, ids]) => [device, ids.length]));
  await until(async () => [...load.accepted].every(([device, ids]) => ids.length > (before.get(device) ?? 0) + 3));
  await load.stop();
  expect(load.doubts).toBeGreaterThan(0);
  expect(load.longestGapMs).toBeLessThan(BACK_MS);
  await expectAllThere(deployment, load);
  await cluster.whole();
});

test("D2: while no replica confirms, nothing is accepted, and sending it again is answered as little", async () => {
  const deployment = await open("alone", "D2");
  const event = cloudEvent("posture.reported", POSTURE);
  const { primary, replica } = await shardOf("alone", partitionOfDevice(deployment, "phone-1"));
  await until(async () => /state=online/.test(await primary.redis.info("replication")));
  replica.signal("SIGSTOP");
  try {
    for (let time = 0; time < 2; time++) {
      const { results } = await ingest(deployment, TENANT, [event]);
      expect(results).toMatchObject([
        { status: "unknown", error: { code: "store.unavailable", outcomeUnknown: true } },
      ]);
    }
  } finally {
    replica.signal("SIGCONT");
  }
  await eventually(async () => (await ingest(deployment, TENANT, [event])).results[0]?.status).toBe("duplicate");
});

test("D2: while no replica confirms, no act of an administrator passes for done either", async () => {
  const deployment = await open("acts", "D2");
  const { redis, prefix } = deployment;
  const keys = new ApiKeys(redis, prefix, new SecretKey("0".repeat(64)));
  const { record } = await keys.create({ tenant: TENANT, name: "backend", scopes: ["emit"], expiresAt: null });
  const { primary, replica } = await shardWith(new Command("exists", [apiKeysKey(prefix)]).getSlot());
  await until(async () => /state=online/.test(await primary.redis.info("replication")));
  replica.signal("SIGSTOP");
  try {
    await expect(keys.revoke(TENANT, record.id)).rejects.toMatchObject({ code: "store.unavailable" });
  } finally {
    replica.signal("SIGCONT");
  }
  await eventually(async () => (await keys.revoke(TENANT, record.id)).revokedAt).not.toBeNull();
});

test("slots move under load: nothing is lost and nothing is there twice", async () => {
  await setMinReplicas(0);
  await cluster.whole();
  const deployment = await open("moves", "D1");
  await work("moves", "D1");
  const load = new SteadyLoad(deployment, DEVICES);
  await until(async () => [...load.accepted.values()].every((ids) => ids.length > 5));
  for (let partition = 0; partition < MOVED; partition++) await moveSlot(slotOf(partition, "moves"));
  const before = new Map([...load.accepted].map(([device, ids]) => [device, ids.length]));
  await until(async () => [...load.accepted].every(([device, ids]) => ids.length > (before.get(device) ?? 0) + 3));
  await load.stop();
  await expectAllThere(deployment, load);
});

test("a failover that loses accepted events is found out by whoever was told of them, and everybody denies until an operator takes note", async () => {
  await setMinReplicas(0);
  const deployment = await open("lossy", "D1");
  const elsewhere = await open("lossy", "D1");
  const device = "phone-1";
  const asked = { tenant: TENANT, device, user: "adele", app: "azure-mobile" };
  const partition = partitionOfDevice(deployment, device);
  const { primary, replica } = await shardOf("lossy", partition);
  const send = async (type: string, data: object): Promise<string | undefined> =>
    (await ingest(deployment, TENANT, [cloudEvent(type, data)])).results[0]?.status;
  expect(await send("account.signedIn", { platform: "ios", interactive: true })).toBe("accepted");
  expect(await send("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" })).toBe("accepted");
  expect((await decideAccess(deployment, asked)).reasons).toEqual(["unmanaged"]);
  expect((await decideAccess(elsewhere, asked)).reasons).toEqual(["unmanaged"]);
  await primary.redis.wait(1, 1_000);
  // It gets nothing more of what its primary accepts, not even what the kernel would keep for it.
  replica.signal("SIGSTOP");
  await primary.redis.call("CLIENT", ["KILL", "TYPE", "replica"]);
  expect(await send("account.signedOut", { initiator: "user" })).toBe("accepted");
  const zombie = await deployment.store.load(partition, { entries: 100, bytes: 100_000 });
  expect(zombie.entries.length).toBeGreaterThan(2);
  await primary.kill();
  await primary.throwDataAway();
  replica.signal("SIGCONT");
  await until(() => isServing(replica));

  const denied = expect.objectContaining({ decision: "deny", reasons: ["events.lost"] }) as unknown;
  await eventually(async () => decideAccess(elsewhere, asked)).toEqual(denied);
  await eventually(async () => decideAccess(deployment, asked)).toEqual(denied);
  const [survey] = await elsewhere.store.survey([partition]);
  expect(survey?.lost?.until).toBeGreaterThan(survey?.lost?.from ?? Infinity);

  // What was folded from events that are gone can't be committed.
  const last = zombie.entries.at(-1);
  const commit = {
    token: zombie.token,
    nextToken: randomToken(),
    last: { id: last?.id ?? "", nonce: last?.nonce ?? "" },
    clock: zombie.horizon,
    snapshots: new Map(),
    timers: new Map(),
    consumed: new Map(),
    records: [],
    effects: [],
    counters: {},
  };
  expect(await deployment.store.commit(partition, commit)).toEqual({ status: "stale" });

  expect(await reconcilePartition(elsewhere.redis, "lossy", partition)).toBe(true);
  for (const one of [deployment, elsewhere])
    await eventually(async () => (await decideAccess(one, asked)).reasons).toEqual(["unmanaged"]);
});

/** The shard that a partition lies on, as it is now. */
const shardOf = async (prefix: string, partition: number): Promise<Shard> => shardWith(slotOf(partition, prefix));

async function shardWith(slot: number): Promise<Shard> {
  const owner = await ownerOf(slot);
  for (const shard of cluster.shards) {
    const now = await shardNow(shard);
    if (now.primary === owner) return now;
  }
  throw new Error("nobody has the slot");
}

async function ownerOf(slot: number): Promise<Server> {
  const ranges = (await cluster.servers[1]?.redis.cluster("SLOTS")) as unknown as [number, number, [string, number]][];
  const [, , [, port]] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [0, 0, ["", 0]];
  return cluster.servers.find((server) => server.port === port) as Server;
}

async function moveSlot(slot: number): Promise<void> {
  const from = await ownerOf(slot);
  const primaries = await Promise.all(cluster.shards.map(async (shard) => (await shardNow(shard)).primary));
  const to = primaries.find((primary) => primary !== from) as Server;
  const [fromId, toId] = await Promise.all([from, to].map(async ({ redis }) => String(await redis.cluster("MYID"))));
  await to.redis.call("CLUSTER", ["SETSLOT", slot, "IMPORTING", fromId as string]);
  await from.redis.call("CLUSTER", ["SETSLOT", slot, "MIGRATING", toId as string]);
  for (;;) {
    const keys = (await from.redis.call("CLUSTER", ["GETKEYSINSLOT", slot, 100])) as string[];
    if (keys.length === 0) break;
    for (const key of keys) {
      await from.redis.call("MIGRATE", ["127.0.0.1", to.port, key, 0, 5_000]);
      await wait(5);
    }
  }
  for (const { redis } of [to, from, ...primaries])
    await redis.call("CLUSTER", ["SETSLOT", slot, "NODE", toId as string]);
}
