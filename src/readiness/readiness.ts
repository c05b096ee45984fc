/** Whether this process can do its work now: what a load balancer asks before it sends anybody here. */
import { randomUUID } from "node:crypto";
import { Cluster } from "ioredis";
import type { RedisConnection } from "../redis/connection.js";
import { GatehouseError } from "../errors.js";
import {
  type Demands,
  durabilityOf,
  inWords,
  readSettings,
  remedy,
  unsafeSettings,
  versionOf,
} from "../redis/settings.js";
import type { Durability } from "../redis/durability.js";
import { joinDeployment } from "../store/deployment.js";
import { canaryKey, deploymentKey } from "../store/keys.js";

const CANARY_SECONDS = 60;
const CANARIES_OF_CLUSTER = 16;
const PROCESS_ID = randomUUID();

export interface Check {
  readonly name: "running" | "write" | "deployment" | "settings";
  readonly ok: boolean;
  /** In a sentence. */
  readonly detail: string;
  /** What to do; absent: nothing. */
  readonly fix?: string;
}

export interface Readiness {
  readonly ready: boolean;
  /** In force; `null`: not known. */
  readonly durability: Durability | null;
  readonly redisVersion: string | null;
  readonly checks: readonly Check[];
}

export interface ReadinessTarget extends Demands {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly stopping: AbortSignal;
}

/** Never rejects, and answers within the connection's time limit. */
export async function readiness(target: ReadinessTarget): Promise<Readiness> {
  const { redis, prefix, stopping } = target;
  const running: Check = stopping.aborted
    ? { name: "running", ok: false, detail: "the process is stopping" }
    : { name: "running", ok: true, detail: "the process takes work" };
  const [deployment, settings] = await Promise.all([deploymentCheck(redis, prefix), settingsCheck(redis, target)]);
  // After the others: a replica refuses it, and the connection is then made anew.
  const write: Check =
    settings.version === null
      ? { name: "write", ok: false, detail: "not tried, because Redis does not answer" }
      : await writeCheck(redis, prefix);
  const checks = [running, write, deployment, settings.check];
  return {
    ready: checks.every(({ ok }) => ok),
    durability: settings.durability,
    redisVersion: settings.version,
    checks,
  };
}

async function writeCheck(redis: RedisConnection, prefix: string): Promise<Check> {
  const said = randomUUID();
  try {
    const answers = await Promise.all(
      canaryKeys(redis, prefix).map(async (key) => {
        // In one go: another question to the same process may come in between.
        const [written, read] = (await redis.multi().set(key, said, "EX", CANARY_SECONDS).get(key).exec()) ?? [];
        const error = written?.[0] ?? read?.[0];
        if (error) throw error;
        return read?.[1];
      }),
    );
    const ok = answers.every((answer) => answer === said);
    return { name: "write", ok, detail: ok ? "what was written was read back" : "what was written was not there" };
  } catch (error) {
    const fix = "See whether Redis runs, is the primary, and has memory and disk left.";
    return { name: "write", ok: false, detail: `Redis takes no writes: ${(error as Error).message}`, fix };
  }
}

/** On a cluster so many that each of its nodes has some, or nearly. */
const canaryKeys = (redis: RedisConnection, prefix: string): string[] =>
  redis instanceof Cluster
    ? Array.from({ length: CANARIES_OF_CLUSTER }, (_, n) => canaryKey(prefix, `${PROCESS_ID}:${n}`))
    : [canaryKey(prefix, PROCESS_ID)];

async function deploymentCheck(redis: RedisConnection, prefix: string): Promise<Check> {
  const name = "deployment";
  try {
    const { partitionCount } = joinDeployment(prefix, await redis.hgetall(deploymentKey(prefix)), {});
    return { name, ok: true, detail: `it is there, with ${partitionCount} partitions` };
  } catch (error) {
    const { message } = error as Error;
    const fix = error instanceof GatehouseError ? error.fix : undefined;
    return { name, ok: false, detail: message, ...(fix !== undefined && { fix }) };
  }
}

async function settingsCheck(
  redis: RedisConnection,
  demands: Demands,
): Promise<{ check: Check; durability: Durability | null; version: string | null }> {
  const name = "settings";
  try {
    const settings = await readSettings(redis);
    const unsafe = unsafeSettings(settings, demands);
    return {
      check:
        unsafe.length === 0
          ? { name, ok: true, detail: "accepted events are safe" }
          : { name, ok: false, detail: inWords(unsafe), fix: remedy(unsafe) },
      durability: durabilityOf(settings),
      version: versionOf(settings),
    };
  } catch (error) {
    const detail = `Redis does not answer: ${(error as Error).message}`;
    return { check: { name, ok: false, detail }, durability: null, version: null };
  }
}
