/** What the commands about API keys begin and end with. */
import type { Config } from "../../config.js";
import { readConfig } from "../../config.js";
import { ApiKeys } from "../../keys/api-keys.js";
import { checkSecretKey, readSecretKey } from "../../secrets/secret-key.js";
import { openRunning } from "../redis-access.js";

export async function withKeys<Result>(work: (keys: ApiKeys, config: Config) => Promise<Result>): Promise<Result> {
  const config = readConfig();
  const secretKey = await readSecretKey(config);
  const deployment = await openRunning(config);
  try {
    await checkSecretKey(deployment.redis, config.prefix, secretKey);
    return await work(new ApiKeys(deployment.redis, config.prefix, secretKey), config);
  } finally {
    await deployment.close();
  }
}
