/** The API over one deployment, from its settings to a server that answers. */
import type { Config } from "../config.js";
import { openDeployment } from "../deployment/open-deployment.js";
import { ApiKeys } from "../keys/api-keys.js";
import { addDeploymentMetrics } from "../metrics/deployment-metrics.js";
import { Metrics } from "../metrics/metrics.js";
import { startMetricsServer } from "../metrics/metrics-server.js";
import { readiness } from "../readiness/readiness.js";
import { refuseUnsafeSettings } from "../redis/settings.js";
import { createLogger } from "../log.js";
import { checkSecretKey, readSecretKey } from "../secrets/secret-key.js";
import { allowedRanges } from "../webhooks/open-webhooks.js";
import { Targets } from "../webhooks/target.js";
import { Webhooks } from "../webhooks/webhooks.js";
import { createApp } from "./app.js";
import { Limits } from "./limits.js";
import { type RunningServer, startServer } from "./server.js";

export interface RunningApi {
  readonly url: string;
  /** Where metrics are served; absent: nowhere. */
  readonly metricsUrl: string | undefined;
  /** Ends what is under way, within the configured time. */
  stop(): Promise<void>;
}

/** @throws StoreUnavailableError, DeploymentConflictError, ConfigError, UnsafeRedisError, ListenError */
export async function serveApi(config: Config, redisUrl: string): Promise<RunningApi> {
  const log = createLogger(config.logLevel, "api");
  const { prefix, wakeShards, shutdownMs } = config;
  const secretKey = await readSecretKey(config);
  const deployment = await openDeployment({ redis: redisUrl, prefix, wakeShards });
  const stopping = new AbortController();
  try {
    await refuseUnsafeSettings(deployment.redis, config.durability, config.trustRedisSettings);
    await checkSecretKey(deployment.redis, prefix, secretKey);
    const keys = new ApiKeys(deployment.redis, prefix, secretKey);
    const webhooks = new Webhooks({
      redis: deployment.redis,
      prefix,
      secretKey,
      targets: new Targets({ allowPrivate: allowedRanges(config) }),
    });
    const metrics = new Metrics();
    addDeploymentMetrics(metrics, deployment);
    const { durability: least, trustRedisSettings: trusted } = config;
    const ask = async () => readiness({ redis: deployment.redis, prefix, least, trusted, stopping: stopping.signal });
    const limits = new Limits();
    const parts = { deployment, keys, webhooks, limits, metrics, readiness: ask, log, stopping: stopping.signal };
    const server: RunningServer = await startServer(createApp(parts), config);
    const watch =
      config.metricsPort === undefined
        ? undefined
        : await startMetricsServer({ metrics, readiness: ask }, { host: config.metricsHost, port: config.metricsPort });
    log.info({ url: server.url, prefix }, "the API is up");
    return {
      url: server.url,
      metricsUrl: watch?.url,
      stop: async () => {
        stopping.abort();
        await server.stop(shutdownMs);
        watch?.close();
        await deployment.close();
        log.info("the API has stopped");
      },
    };
  } catch (error) {
    await deployment.close();
    throw error;
  }
}
