/** One private Redis for a whole test run, told to the test files by GATEHOUSE_TEST_REDIS_URL. */
import { startPrivateRedis } from "../../src/redis/private-server.js";

export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  // Each project that needs a Redis calls this; the first one's serves them all.
  if (process.env["REDIS_URL"] || process.env["GATEHOUSE_TEST_REDIS_URL"]) return undefined;
  const server = await startPrivateRedis({ fsync: "everysec" });
  process.env["GATEHOUSE_TEST_REDIS_URL"] = server.url;
  return async () => {
    delete process.env["GATEHOUSE_TEST_REDIS_URL"];
    await server.stop();
  };
}
