/**
 * What a demonstration plays on: a fresh deployment whose clock is the events' own, and a worker. On a private Redis of its own, or
 * beside whatever else is on the one that REDIS_URL names.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../config.js";
import { type OpenDeployment, openDeployment } from "../../deployment/open-deployment.js";
import { GatehouseError } from "../../errors.js";
import type { RedisTarget } from "../../redis/address.js";
import { connectStore, scanKeys, unlinkKeys } from "../../redis/connection.js";
import { findPrivateRedis, startPrivateRedis } from "../../redis/private-server.js";
import { demoDirectory } from "../redis-access.js";
import { note } from "../terminal.js";
import { WorkerProcess, type WorkerStartError } from "../worker-process.js";

/** Another demonstration plays in the directory, or a command reads there. */
export class DemoRunningError extends GatehouseError {
  readonly code = "demo.running";
  readonly retryable = true;
}

export interface Stage {
  readonly deployment: OpenDeployment;
  readonly worker: WorkerProcess;
  readonly directory: string;
  /** What has to be set for other commands to find the deployment; empty: nothing. */
  readonly environment: string;
  /** Rejects if no worker can be had any more. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

export interface StageOptions {
  /** Hears of workers that died. */
  readonly onWorkerChange: (sentence: string) => void;
}

/** @throws DemoRunningError, RedisMissingError, StoreUnavailableError, WorkerStartError */
export async function openStage(config: Config, { onWorkerChange }: StageOptions): Promise<Stage> {
  const directory = demoDirectory(config);
  const redis = await freshRedis(config, directory);
  const cleanups: (() => Promise<void>)[] = [redis.stop];
  const close = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    const deployment = await openDeployment({
      redis: redis.target,
      prefix: redis.prefix,
      wakeShards: config.wakeShards,
      deployment: { clock: "event" },
    });
    cleanups.push(() => deployment.close());

    let fail: (error: WorkerStartError) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => (fail = reject));
    failed.catch(() => undefined);
    const worker = await WorkerProcess.start({
      environment: {
        ...(typeof redis.target === "string" && { REDIS_URL: redis.target }),
        GATEHOUSE_PREFIX: redis.prefix,
        GATEHOUSE_EFFECTS: join(directory, "effects.ndjson"),
        LOG_LEVEL: "warn",
      },
      logFile: join(directory, "worker.log"),
      onChange: onWorkerChange,
      onFailure: fail,
    });
    cleanups.push(() => worker.stop());
    const environment = config.redis === undefined ? "" : `GATEHOUSE_PREFIX=${redis.prefix} `;
    return { deployment, worker, directory, environment, failed, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function freshRedis(
  config: Config,
  directory: string,
): Promise<{ readonly target: RedisTarget; readonly prefix: string; readonly stop: () => Promise<void> }> {
  if ((await findPrivateRedis(directory)) !== undefined) {
    throw new DemoRunningError(`another command uses ${directory}`, { fix: "Let it end, then try again." });
  }
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (config.redis === undefined) {
    const redis = await startPrivateRedis({ directory, log: note });
    return { target: redis.url, prefix: config.prefix, stop: () => redis.stop() };
  }
  // Its own keys, so that what else is on this Redis stays as it is.
  const prefix = `${config.prefix}-demo`;
  await removeKeys(config.redis, prefix);
  return { target: config.redis, prefix, stop: async () => undefined };
}

/** What an earlier demonstration left: the deployment's keys and its queues'. */
async function removeKeys(target: RedisTarget, prefix: string): Promise<void> {
  const redis = await connectStore(target);
  try {
    for (const match of [`${prefix}:*`, `{${prefix}:*`]) {
      for await (const keys of scanKeys(redis, match)) await unlinkKeys(redis, keys);
    }
  } finally {
    redis.disconnect();
  }
}
