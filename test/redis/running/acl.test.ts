/** The Redis user that docs/running.md describes can do what Gatehouse needs, and nothing beside its keys. */
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createClient } from "gatehouse/client";
import { openDeployment } from "../../../src/deployment/open-deployment.js";
import { discardSink } from "../../../src/effects/effect-sink.js";
import { publish } from "../../../src/control/publish.js";
import { createLogger } from "../../../src/log.js";
import { connectStore } from "../../../src/redis/connection.js";
import { type PrivateRedis, startPrivateRedis } from "../../../src/redis/private-server.js";
import { refuseUnsafeSettings } from "../../../src/redis/settings.js";
import { readCounters } from "../../../src/store/counters.js";
import { startWorker } from "../../../workers/worker.js";
import { cloudEvent } from "../../support/api-server.js";
import { samplePolicy } from "../../support/deployment.js";

const PASSWORD = "correct-horse-battery";
let server: PrivateRedis;
let url: string;

beforeEach(async () => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  server = await startPrivateRedis({ fsync: "always", port });
  const page = readFileSync(fileURLToPath(new URL("../../../docs/running.md", import.meta.url)), "utf8");
  const [, rule = ""] = /^ACL SETUSER (gatehouse .*)$/m.exec(page) ?? [];
  const admin = await connectStore(server.url);
  await admin.call("ACL", ["SETUSER", ...rule.replace("PASSWORD", PASSWORD).split(" ")]);
  admin.disconnect();
  url = `redis://gatehouse:${PASSWORD}@127.0.0.1:${port}`;
});
afterEach(async () => {
  await server.stop();
});

test("S15: a worker and a client work with it, and other keys and commands are not theirs", async () => {
  const deployment = await openDeployment({ redis: url, prefix: "gh" });
  await refuseUnsafeSettings(deployment.redis, { least: "D1", trusted: false });
  await publish(deployment, "contoso", {
    policies: [samplePolicy("contoso-ios-level2")],
    conditionalAccess: [],
    settings: {},
  });
  const log = createLogger("silent", "test");
  const options = { redis: url, prefix: "gh", wakeShards: 1, concurrency: 2, shutdownMs: 5_000, log };
  const worker = await startWorker({ ...options, sink: discardSink });
  const client = createClient({ url, tenant: "contoso" });
  const { totals } = await client.emit(cloudEvent("account.signedIn", { platform: "ios" }) as never);
  expect(totals.accepted).toBe(1);
  await expect.poll(async () => (await readCounters(deployment.store))["applied"]).toBe(1);
  expect(await client.decide({ device: "phone-1", user: "adele" })).toMatchObject({ reasons: ["enrollment.checking"] });

  for (const forbidden of [
    ["SET", "other", "1"],
    ["FLUSHALL"],
    ["CONFIG", "SET", "appendonly", "no"],
    ["ACL", "LIST"],
  ]) {
    const [command = "", ...args] = forbidden;
    await expect(deployment.redis.call(command, args)).rejects.toThrow("NOPERM");
  }
  await client.close();
  await worker.stop();
  await deployment.close();
});
