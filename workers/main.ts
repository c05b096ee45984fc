/** The worker process: settings from the environment, a worker until SIGTERM or SIGINT. */
import { readConfig } from "../src/config.js";
import { discardSink, ndjsonSink } from "../src/effects/effect-sink.js";
import { GatehouseError } from "../src/errors.js";
import { createLogger } from "../src/log.js";
import { Metrics } from "../src/metrics/metrics.js";
import { startMetricsServer } from "../src/metrics/metrics-server.js";
import { readiness } from "../src/readiness/readiness.js";
import { checkRedis, demandsOf } from "../src/redis/check-redis.js";
import { loadRemediators } from "../src/remediators/load.js";
import { SecretKey } from "../src/secrets/secret-key.js";
import { startWorker } from "./worker.js";

// Listened for before anything begins, so that a signal in the middle of the start counts, too.
const toldToStop = new Promise<string>((resolve) => {
  process.on("SIGTERM", resolve);
  process.on("SIGINT", resolve);
  // A worker that a command started must not outlive it, however that command ended.
  process.on("disconnect", () => resolve("the parent is gone"));
});

try {
  const config = readConfig();
  const log = createLogger(config.logLevel, "worker");
  if (config.redis === undefined) {
    throw new Error(
      "No Redis is set (REDIS_URL, REDIS_CLUSTER or REDIS_SENTINEL): a worker does not start a Redis of its own (`gatehouse up` does)",
    );
  }
  const metrics = config.metricsPort === undefined ? undefined : new Metrics();
  await checkRedis(config, config.redis, log);
  const worker = await startWorker({
    redis: config.redis,
    durability: config.durability,
    prefix: config.prefix,
    wakeShards: config.wakeShards,
    concurrency: config.concurrency,
    shutdownMs: config.shutdownMs,
    sessionRetentionMs: config.sessionRetentionMs,
    heartbeatFile: config.heartbeatFile,
    walkApart: true,
    ...(metrics && { metrics }),
    secretKey: config.secretKey === undefined ? undefined : new SecretKey(config.secretKey),
    webhookAllowPrivate: config.webhookAllowPrivate ?? [],
    remediators: await loadRemediators(config.remediators),
    sink: config.effects === undefined ? discardSink : ndjsonSink(config.effects),
    log,
  });
  const stopping = new AbortController();
  const watch =
    metrics === undefined || config.metricsPort === undefined
      ? undefined
      : await startMetricsServer(
          {
            metrics,
            readiness: async () =>
              readiness({
                redis: worker.redis,
                prefix: config.prefix,
                ...demandsOf(config),
                stopping: stopping.signal,
              }),
          },
          { host: config.metricsHost, port: config.metricsPort },
        );
  if (watch !== undefined) log.info({ url: watch.url }, "metrics and probes are served");
  // A parent that waits for the worker to be up is told by a message. One that died at this moment is heard of by the disconnection.
  if (process.connected) process.send?.("up", undefined, undefined, () => undefined);
  log.info({ why: await toldToStop }, "stopping");
  stopping.abort();
  await worker.stop();
  watch?.close();
  process.exit(0);
} catch (error) {
  const { message } = error as Error;
  process.stderr.write(`gatehouse worker: ${message}\n`);
  if (error instanceof GatehouseError && error.fix !== undefined) process.stderr.write(`${error.fix}\n`);
  process.exit(1);
}
