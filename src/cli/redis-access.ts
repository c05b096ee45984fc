/**
 * Which Redis a command works on: the one that is set (REDIS_URL, REDIS_CLUSTER or REDIS_SENTINEL); else the private one that `gatehouse up` runs; else, to look at, what
 * the last demonstration left.
 */
import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.js";
import { type OpenDeployment, openDeployment } from "../deployment/open-deployment.js";
import { GatehouseError } from "../errors.js";
import type { RedisTarget } from "../redis/address.js";
import { findPrivateRedis, startPrivateRedis } from "../redis/private-server.js";
import { note } from "./terminal.js";

/** No Redis is named, and no private Redis runs in the directory. */
export class RedisNotRunningError extends GatehouseError {
  readonly code = "redis.not_running";
  readonly retryable = false;

  /** @param demo where the demonstration left its data; absent: nowhere */
  constructor(directory: string, demo: string | undefined) {
    super(`REDIS_URL is not set, and no Gatehouse runs in ${directory}`, {
      fix: [
        "Run `gatehouse up` in another terminal: it starts a private Redis and a worker.",
        demo === undefined
          ? "Or run `gatehouse demo`: it leaves a day's sessions to look at."
          : `What \`gatehouse demo\` left can only be looked at. To work on it, set GATEHOUSE_DIRECTORY=${demo} for \`gatehouse up\` and for this command.`,
        "Or set REDIS_URL to the Redis of a deployment (redis://host:6379/0 or unix:///path/to/socket), or REDIS_CLUSTER or REDIS_SENTINEL.",
      ].join("\n"),
    });
  }
}

export const demoDirectory = ({ directory }: Config): string => join(directory, "demo");

const hasDemo = async (config: Config): Promise<boolean> =>
  access(join(demoDirectory(config), "appendonlydir")).then(
    () => true,
    () => false,
  );

/**
 * The deployment that is running. For commands that change something.
 * @throws RedisNotRunningError, StoreUnavailableError
 */
export async function openRunning(config: Config): Promise<OpenDeployment> {
  const { prefix, wakeShards, durability } = config;
  return openDeployment({ redis: await findRedis(config), prefix, wakeShards, durability });
}

/**
 * The address of the Redis that is to be worked on.
 * @throws RedisNotRunningError
 */
export async function findRedis(config: Config): Promise<RedisTarget> {
  return config.redis ?? (await runningPrivate(config)).url;
}

/** The private Redis of `gatehouse up`. @throws RedisNotRunningError */
export async function runningPrivate(config: Config): Promise<{ readonly url: string }> {
  const running = await findPrivateRedis(config.directory);
  if (running !== undefined) return running;
  throw new RedisNotRunningError(config.directory, (await hasDemo(config)) ? demoDirectory(config) : undefined);
}

/**
 * The deployment that is running, else the demonstration's, whose Redis then runs for as long as this command.
 * @throws RedisNotRunningError, StoreUnavailableError, RedisMissingError
 */
export async function openToRead(config: Config): Promise<OpenDeployment> {
  const isRunning = config.redis !== undefined || (await findPrivateRedis(config.directory)) !== undefined;
  if (isRunning || !(await hasDemo(config))) return openRunning(config);
  const directory = demoDirectory(config);
  const redis = await startPrivateRedis({ directory, log: note });
  try {
    const deployment = await openDeployment({ redis: redis.url, prefix: config.prefix });
    note(`(the demonstration's data, from ${directory})`);
    return {
      ...deployment,
      close: async () => {
        await deployment.close();
        await redis.stop();
      },
    };
  } catch (error) {
    await redis.stop();
    throw error;
  }
}
