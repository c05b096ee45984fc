/** The API over one deployment, from its settings to a server that answers. */
import type { Config } from "../config.js";
import { openDeployment } from "../deployment/open-deployment.js";
import { ApiKeys } from "../keys/api-keys.js";
import { addDeploymentMetrics } from "../metrics/deployment-metrics.js";
import { Metrics } from "../metrics/metrics.js";
import { type MetricsServer, startMetricsServer } from "../metrics/metrics-server.js";
import { readiness } from "../readiness/readiness.js";
import type { RedisTarget } from "../redis/address.js";
import { checkRedis, demandsOf } from "../redis/check-redis.js";
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
export async function serveApi(config: Config, redis: RedisTarget): Promise<RunningApi> {
  const log = createLogger(config.logLevel, "api");
  const { prefix, wakeShards, durability, shutdownMs } = config;
  const secretKey = await readSecretKey(config);
  await checkRedis(config, redis, log);
  const deployment = await openDeployment({ redis, prefix, wakeShards, durability });
  const stopping = new AbortController();
  let watch: MetricsServer | undefined;
  try {
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
    const ask = async () =>
      readiness({ redis: deployment.redis, prefix, ...demandsOf(config), stopping: stopping.signal });
    const { metricsHost, metricsPort } = config;
    if (metricsPort !== undefined) {
      watch = await startMetricsServer({ metrics, readiness: ask }, { host: metricsHost, port: metricsPort });
    }
    const limits = new Limits();
    const parts = { deployment, keys, webhooks, limits, metrics, readiness: ask, log, stopping: stopping.signal };
    const server: RunningServer = await startServer(createApp(parts), config);
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
    watch?.close();
    await deployment.close();
    throw error;
  }
}
