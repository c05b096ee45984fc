/** `gatehouse up`: a whole Gatehouse for development, for as long as the command runs. */
import type { Command } from "commander";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Config, readConfig } from "../config.js";
import type { RunningApi } from "../http/serve.js";
import { openDeployment } from "../deployment/open-deployment.js";
import { type RedisTarget, describe } from "../redis/address.js";
import { startPrivateRedis } from "../redis/private-server.js";
import { deliverySettings } from "../webhooks/open-webhooks.js";
import { interrupted } from "./interrupt.js";
import { note, paintOut, print } from "./terminal.js";
import { type WorkerStartError, WorkerProcess } from "./worker-process.js";

const EXAMPLE = `
Example:
  $ gatehouse up

Data stay in .gatehouse/ (GATEHOUSE_DIRECTORY names another place) and are there again the next time. With REDIS_URL,
REDIS_CLUSTER or REDIS_SENTINEL set, that Redis is used and only a worker is started.`;

export function upCommand(program: Command): void {
  program
    .command("up")
    .summary("run a private Redis and a worker, for development")
    .description("Runs a private Redis and a worker until Ctrl-C. The other commands find them by themselves.")
    .addHelpText("after", EXAMPLE)
    .action(async () => {
      const config = readConfig();
      await mkdir(config.directory, { recursive: true, mode: 0o700 });
      const redis = await findOrStartRedis(config);
      try {
        await serve(config, redis.target);
      } finally {
        await redis.stop();
      }
    });
}

async function findOrStartRedis({
  redis,
  directory,
}: Config): Promise<{ readonly target: RedisTarget; stop(): Promise<void> }> {
  if (redis !== undefined) return { target: redis, stop: async () => undefined };
  const own = await startPrivateRedis({ directory, log: note });
  return { target: own.url, stop: () => own.stop() };
}

async function serve(config: Config, redis: RedisTarget): Promise<void> {
  // Created before the worker may be the first to: it is the same deployment either way, and what is wrong shows here.
  await (await openDeployment({ redis, prefix: config.prefix })).close();
  const effects = config.effects ?? join(config.directory, "effects.ndjson");
  const logFile = join(config.directory, "worker.log");
  let fail: (error: WorkerStartError) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  const worker = await WorkerProcess.start({
    environment: {
      // What is set is set for the worker, too.
      ...(typeof redis === "string" && { REDIS_URL: redis }),
      GATEHOUSE_EFFECTS: effects,
      ...(await deliverySettings(config)),
      // The API has the one that is set.
      ...(config.metricsPort && { GATEHOUSE_METRICS_PORT: String(config.metricsPort + 1) }),
    },
    logFile,
    onChange: note,
    onFailure: (error) => fail(error),
  });
  try {
    const { serveApi } = await import("../http/serve.js");
    const api = await serveApi({ ...config, logLevel: "warn", metricsPort: config.metricsPort ?? 0 }, redis);
    try {
      for (const line of welcome(redis, api, effects, logFile)) print(line);
      await Promise.race([interrupted(), failed]);
      note("Stopping …");
    } finally {
      await api.stop();
    }
  } finally {
    await worker.stop();
  }
}

function welcome(redis: RedisTarget, api: RunningApi, effects: string, logFile: string): string[] {
  return [
    `${paintOut(["bold", "green"], "Gatehouse is up.")}  Ctrl-C ends it.`,
    `  Redis    ${describe(redis)}`,
    `  API      ${api.url}, documentation ${api.url}/docs`,
    `  metrics  ${api.metricsUrl}/metrics`,
    `  effects  ${effects}`,
    `  log      ${logFile}`,
    "",
    "In another terminal:",
    "  npx gatehouse policy import samples/policies/contoso-ios-level2.json \\",
    "                              samples/policies/contoso-android-level2.json",
    "  npx gatehouse policy publish",
    "  npx gatehouse emit samples/streams/first-day.ndjson",
    "  npx gatehouse sessions",
    "  npx gatehouse history phone-17/adele",
    "  npx gatehouse decide phone-17 adele",
  ];
}
