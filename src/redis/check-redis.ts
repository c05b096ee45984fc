/** The gate before a process begins: a Redis on which accepted events are safe, or none. */
import type { Config } from "../config.js";
import type { Logger } from "../log.js";
import type { RedisTarget } from "./address.js";
import { connectStore, primariesOf } from "./connection.js";
import { openDoors } from "./open-doors.js";
import { type Demands, refuseUnsafeSettings } from "./settings.js";

type Demanded = Pick<Config, "durability" | "trustRedisSettings">;

/** @throws UnsafeRedisError, StoreUnavailableError */
export async function checkRedis(config: Demanded, target: RedisTarget, log: Logger): Promise<void> {
  const redis = await connectStore(target);
  try {
    await refuseUnsafeSettings(redis, demandsOf(config));
    for (const { options } of primariesOf(redis)) for (const door of openDoors(options)) log.warn(door);
  } finally {
    redis.disconnect();
  }
}

export const demandsOf = ({ durability, trustRedisSettings }: Demanded): Demands => ({
  least: durability,
  trusted: trustRedisSettings,
});
