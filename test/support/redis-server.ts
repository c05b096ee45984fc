/**
 * A real Redis for tests, shared where one exists: REDIS_URL, else the test run's, else a private one. Every caller has
 * keys of its own. A test that stops, freezes or fills its server starts a private one itself.
 */
import { randomBytes } from "node:crypto";
import { connectStore, scanKeys, unlinkKeys } from "../../src/redis/connection.js";
import { startPrivateRedis } from "../../src/redis/private-server.js";

export interface TestRedis {
  readonly url: string;
  /** A key prefix that nobody else uses. */
  readonly prefix: string;
  /** Removes every key that starts with the prefix; stops the server if this call started it. */
  stop(): Promise<void>;
}

export async function startRedis(): Promise<TestRedis> {
  const prefix = `test-${randomBytes(6).toString("hex")}`;
  const shared = process.env["REDIS_URL"] || process.env["GATEHOUSE_TEST_REDIS_URL"];
  if (shared) return { url: shared, prefix, stop: () => removeKeys(shared, prefix) };
  const own = await startPrivateRedis({ fsync: "everysec" });
  return { url: own.url, prefix, stop: () => own.stop() };
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = await connectStore(url);
  try {
    for await (const keys of scanKeys(redis, `${prefix}*`)) await unlinkKeys(redis, keys);
  } finally {
    redis.disconnect();
  }
}
