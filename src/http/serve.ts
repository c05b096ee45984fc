/** The API over one deployment, from its settings to a server that answers. */
import type { Config } from "../config.js";
import { openDeployment } from "../deployment/open-deployment.js";
import { ApiKeys } from "../keys/api-keys.js";
import { createLogger } from "../log.js";
import { checkSecretKey, readSecretKey } from "../secrets/secret-key.js";
import { createApp } from "./app.js";
import { Limits } from "./limits.js";
import { type RunningServer, startServer } from "./server.js";

export interface RunningApi {
  readonly url: string;
  /** Ends what is under way, within the configured time. */
  stop(): Promise<void>;
}

/** @throws StoreUnavailableError, DeploymentConflictError, ConfigError, ListenError */
export async function serveApi(config: Config, redisUrl: string): Promise<RunningApi> {
  const log = createLogger(config.logLevel, "api");
  const { prefix, wakeShards, shutdownMs } = config;
  const secretKey = await readSecretKey(config);
  const deployment = await openDeployment({ redis: redisUrl, prefix, wakeShards });
  const stopping = new AbortController();
  try {
    await checkSecretKey(deployment.redis, prefix, secretKey);
    const keys = new ApiKeys(deployment.redis, prefix, secretKey);
    const app = createApp({ deployment, keys, limits: new Limits(), log, stopping: stopping.signal });
    const server: RunningServer = await startServer(app, config);
    log.info({ url: server.url, prefix }, "the API is up");
    return {
      url: server.url,
      stop: async () => {
        stopping.abort();
        await server.stop(shutdownMs);
        await deployment.close();
        log.info("the API has stopped");
      },
    };
  } catch (error) {
    await deployment.close();
    throw error;
  }
}
