/** What the commands about API keys begin and end with. */
import type { RedisConnection } from "../../redis/connection.js";
import type { Config } from "../../config.js";
import { readConfig } from "../../config.js";
import { ApiKeys } from "../../keys/api-keys.js";
import { checkSecretKey, readSecretKey } from "../../secrets/secret-key.js";
import type { Act, Acting } from "../../audit/audit-log.js";
import { type ActOptions, record } from "../act.js";
import { openRunning } from "../redis-access.js";

export async function withKeys<Result>(work: (keys: ApiKeys, config: Config) => Promise<Result>): Promise<Result> {
  return open(readConfig(), async (keys, config) => work(keys, config));
}

/** Changes something of the tenant's, and records it. */
export async function actOnKeys<Result>(
  options: ActOptions,
  tenant: string | undefined,
  act: Act,
  work: (keys: ApiKeys, tenant: string, acting: Acting) => Promise<Result>,
): Promise<Result> {
  return open(readConfig(), async (keys, config, redis) => {
    const whose = tenant ?? config.tenant;
    const where = { redis, prefix: config.prefix, tenant: whose };
    return record(where, options, act, async (acting) => work(keys, whose, acting));
  });
}

async function open<Result>(
  config: Config,
  work: (keys: ApiKeys, config: Config, redis: RedisConnection) => Promise<Result>,
): Promise<Result> {
  const secretKey = await readSecretKey(config);
  const deployment = await openRunning(config);
  try {
    await checkSecretKey(deployment.redis, config.prefix, secretKey);
    return await work(new ApiKeys(deployment.redis, config.prefix, secretKey), config, deployment.redis);
  } finally {
    await deployment.close();
  }
}
