/** Behind Sentinel: the program finds the primary, and the next one when that dies. */
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { discardSink } from "../../src/effects/effect-sink.js";
import { openDeployment } from "../../src/deployment/open-deployment.js";
import { createLogger } from "../../src/log.js";
import { connectStore } from "../../src/redis/connection.js";
import { startWorker } from "../../workers/worker.js";
import { type Sentinels, type Server, startSentinels, until } from "../support/redis-cluster.js";
import { SteadyLoad, isDrained, recorded } from "../support/steady-load.js";

let servers: Sentinels;
beforeAll(async () => {
  servers = await startSentinels();
});
afterAll(async () => {
  await servers?.stop();
});

test("the primary dies: events are taken and processed by the next one, and what both had is there once", async () => {
  const redis = { sentinel: servers.addresses, master: servers.master };
  const deployment = await openDeployment({ redis, prefix: "gh", durability: "D2", deployment: { partitionCount: 4 } });
  onTestFinished(() => deployment.close());
  const worker = await startWorker({
    redis,
    prefix: "gh",
    durability: "D2",
    wakeShards: 1,
    concurrency: 4,
    shutdownMs: 5_000,
    sink: discardSink,
    log: createLogger("silent", "test"),
  });
  onTestFinished(() => worker.stop());
  const load = new SteadyLoad(deployment, 10);
  await until(async () => [...load.accepted.values()].every((ids) => ids.length > 5));
  await servers.primary.kill();
  await until(async () => /role:master/.test(await servers.replica.redis.info("replication")));
  await servers.primary.start();
  const before = new Map([...load.accepted].map(([device, ids]) => [device, ids.length]));
  await until(async () => [...load.accepted].every(([device, ids]) => ids.length > (before.get(device) ?? 0) + 3));
  await load.stop();
  await until(() => isDrained(deployment));
  const found = await recorded(deployment);
  for (const [device, ids] of load.accepted) expect([device, found.get(device)]).toEqual([device, ids]);
});

test("a sentinel hangs when the primary dies: connections pass it over, and whatever they are told meanwhile ends none of them", async () => {
  const target = { sentinel: servers.addresses, master: servers.master };
  const connections = await Promise.all(Array.from({ length: 20 }, async () => connectStore(target)));
  onTestFinished(() => connections.forEach((redis) => redis.disconnect()));
  const [primary, next] = await servers.roles();
  const [asked] = servers.sentinels as [Server];
  asked.signal("SIGSTOP");
  onTestFinished(() => asked.signal("SIGCONT"));
  await primary.kill();
  for (const redis of connections)
    await until(async () => (await redis.client("INFO")).includes(`laddr=127.0.0.1:${next.port}`));
});

test("no sentinel knows the name, or none can be reached: the first attempt says so", async () => {
  await expect(connectStore({ sentinel: servers.addresses, master: "nobody" })).rejects.toMatchObject({
    code: "store.unavailable",
    message: expect.stringContaining("cannot connect to Redis") as string,
  });
  await expect(connectStore({ sentinel: ["redis://127.0.0.1:1"], master: "nobody" })).rejects.toThrow(
    "All sentinels are unreachable",
  );
});
