/** The gate before a process begins: a Redis on which accepted events are safe, or none. */
import type { Config } from "../config.js";
import { connectStore } from "./connection.js";
import { refuseUnsafeSettings } from "./settings.js";

/** @throws UnsafeRedisError, StoreUnavailableError */
export async function checkRedis(
  { durability, trustRedisSettings }: Pick<Config, "durability" | "trustRedisSettings">,
  url: string,
): Promise<void> {
  const redis = await connectStore(url);
  try {
    await refuseUnsafeSettings(redis, durability, trustRedisSettings);
  } finally {
    redis.disconnect();
  }
}
