/** How many workers wait for work, told by the names that their connections have. */
import { type RedisConnection, primariesOf } from "../redis/connection.js";

/**
 * @returns `undefined`: the server does not tell this user
 * @throws whatever else the connection says
 */
export async function countWorkers(redis: RedisConnection, prefix: string): Promise<number | undefined> {
  let lists: string[];
  try {
    lists = await Promise.all(primariesOf(redis).map(async (primary) => String(await primary.client("LIST"))));
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR unknown)/.test(error.message)) return undefined;
    throw error;
  }
  // One connection for each wake queue that a worker takes from, on each server that it leads to.
  return Math.max(0, ...lists.map((list) => countIn(list, prefix)));
}

function countIn(list: string, prefix: string): number {
  const byQueue = new Map<string, number>();
  for (const [, name = ""] of list.matchAll(/ name=(\{\S+?\}):\S+/g)) {
    if (name.startsWith(`{${prefix}:wake-`)) byQueue.set(name, (byQueue.get(name) ?? 0) + 1);
  }
  return Math.max(0, ...byQueue.values());
}
