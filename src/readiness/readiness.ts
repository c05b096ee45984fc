/** Whether this process can do its work now: what a load balancer asks before it sends anybody here. */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { type Durability, durabilityOf, readSettings, unsafeSettings } from "../redis/settings.js";
import { canaryKey } from "../store/keys.js";

const CANARY_SECONDS = 60;

export interface Check {
  readonly name: "running" | "write" | "settings";
  readonly ok: boolean;
  /** In a sentence. */
  readonly detail: string;
}

export interface Readiness {
  readonly ready: boolean;
  /** In force; `null`: not known. */
  readonly durability: Durability | null;
  readonly redisVersion: string | null;
  readonly checks: readonly Check[];
}

export interface ReadinessTarget {
  readonly redis: Redis;
  readonly prefix: string;
  /** The class that is good enough. */
  readonly least: Durability;
  /** The operator answers for what can't be read. */
  readonly trusted: boolean;
  readonly stopping: AbortSignal;
}

/** Never rejects, and answers within the connection's time limit. */
export async function readiness({ redis, prefix, least, trusted, stopping }: ReadinessTarget): Promise<Readiness> {
  const running: Check = stopping.aborted
    ? { name: "running", ok: false, detail: "the process is stopping" }
    : { name: "running", ok: true, detail: "the process takes work" };
  const [write, settings] = await Promise.all([writeCheck(redis, prefix), settingsCheck(redis, least, trusted)]);
  const checks = [running, write, settings.check];
  return {
    ready: checks.every(({ ok }) => ok),
    durability: settings.durability,
    redisVersion: settings.version,
    checks,
  };
}

async function writeCheck(redis: Redis, prefix: string): Promise<Check> {
  const key = canaryKey(prefix);
  const said = randomUUID();
  try {
    await redis.set(key, said, "EX", CANARY_SECONDS);
    // Another process may have written in between: that it could is as good.
    const ok = (await redis.get(key)) !== null;
    return { name: "write", ok, detail: ok ? "what was written was read back" : "what was written was not there" };
  } catch (error) {
    return { name: "write", ok: false, detail: `Redis takes no writes: ${(error as Error).message}` };
  }
}

async function settingsCheck(
  redis: Redis,
  least: Durability,
  trusted: boolean,
): Promise<{ check: Check; durability: Durability | null; version: string | null }> {
  try {
    const settings = await readSettings(redis);
    const unsafe = unsafeSettings(settings, least).filter((what) => !(trusted && what.includes("can't be read")));
    const detail = unsafe.length === 0 ? "accepted events are safe" : unsafe.join("; ");
    return {
      check: { name: "settings", ok: unsafe.length === 0, detail },
      durability: durabilityOf(settings),
      version: settings.version,
    };
  } catch (error) {
    const detail = `Redis does not answer: ${(error as Error).message}`;
    return { check: { name: "settings", ok: false, detail }, durability: null, version: null };
  }
}
