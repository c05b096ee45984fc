/** The gate before a process begins: a Redis on which accepted events are safe, or none. */
import type { Config } from "../config.js";
import type { Logger } from "../log.js";
import { connectStore } from "./connection.js";
import { openDoors } from "./open-doors.js";
import { type Demands, refuseUnsafeSettings } from "./settings.js";

type Demanded = Pick<Config, "durability" | "trustRedisSettings">;

/** @throws UnsafeRedisError, StoreUnavailableError */
export async function checkRedis(config: Demanded, url: string, log: Logger): Promise<void> {
  const redis = await connectStore(url);
  try {
    await refuseUnsafeSettings(redis, demandsOf(config));
    for (const door of openDoors(redis.options)) log.warn(door);
  } finally {
    redis.disconnect();
  }
}

export const demandsOf = ({ durability, trustRedisSettings }: Demanded): Demands => ({
  least: durability,
  trusted: trustRedisSettings,
});
