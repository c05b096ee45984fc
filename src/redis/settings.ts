/** What a server was set to, as far as accepted events depend on it: what is unsafe is refused before anything is accepted. */
import type { Redis } from "ioredis";
import { GatehouseError } from "../errors.js";

/** `D0`: written out each second, so a power cut costs up to one. `D1`: before the answer. `D2`: and on a replica. */
export const DURABILITY_CLASSES = ["D0", "D1", "D2"] as const;
export type Durability = (typeof DURABILITY_CLASSES)[number];

export interface RedisSettings {
  readonly version: string;
  readonly isPrimary: boolean;
  /** `undefined`: the server does not tell this user. */
  readonly maxmemoryPolicy: string | undefined;
  readonly appendonly: string | undefined;
  readonly appendfsync: string | undefined;
  readonly minReplicasToWrite: number;
  readonly usedMemoryBytes: number;
  /** 0: no limit. */
  readonly maxMemoryBytes: number;
}

/** A setting under which accepted events could be lost. */
export class UnsafeRedisError extends GatehouseError {
  readonly code = "config.unsafe";
  readonly retryable = false;
}

const ASKED = ["maxmemory-policy", "appendonly", "appendfsync", "min-replicas-to-write"] as const;

/** @throws whatever the connection says */
export async function readSettings(redis: Redis): Promise<RedisSettings> {
  const info = new Map(
    (await redis.info())
      .split("\r\n")
      .filter((line) => line.includes(":"))
      .map((line): [string, string] => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
  const told = await configOf(redis);
  return {
    version: info.get("valkey_version") ?? info.get("redis_version") ?? "unknown",
    isPrimary: info.get("role") !== "slave",
    maxmemoryPolicy: told.get("maxmemory-policy") ?? info.get("maxmemory_policy"),
    appendonly: told.get("appendonly") ?? (info.get("aof_enabled") === "1" ? "yes" : "no"),
    appendfsync: told.get("appendfsync"),
    minReplicasToWrite: Number(told.get("min-replicas-to-write") ?? 0),
    usedMemoryBytes: Number(info.get("used_memory") ?? 0),
    maxMemoryBytes: Number(info.get("maxmemory") ?? 0),
  };
}

/** Empty where the user may not ask, as with a managed server. */
async function configOf(redis: Redis): Promise<ReadonlyMap<string, string>> {
  try {
    const answers = await Promise.all(ASKED.map(async (name) => redis.config("GET", name)));
    return new Map(answers.flatMap((answer) => pairs(answer as unknown)));
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR unknown command)/.test(error.message)) return new Map();
    throw error;
  }
}

/** A list of names and values by turns, or an object, as the protocol has it. */
function pairs(answer: unknown): [string, string][] {
  if (!Array.isArray(answer)) return Object.entries(answer as Record<string, string>);
  return answer.length < 2 ? [] : [[String(answer[0]), String(answer[1])]];
}

export function durabilityOf({ appendonly, appendfsync, minReplicasToWrite }: RedisSettings): Durability {
  if (appendonly !== "yes" || appendfsync !== "always") return "D0";
  return minReplicasToWrite >= 1 ? "D2" : "D1";
}

/** What is wrong with the settings, a sentence for each, with the value that is safe. */
export function unsafeSettings(settings: RedisSettings, least: Durability): string[] {
  const { maxmemoryPolicy, appendonly, appendfsync, isPrimary } = settings;
  const say = (name: string, value: string | undefined, safe: string): string =>
    value === undefined ? `${name} can't be read; it must be ${safe}` : `${name} is ${value}; it must be ${safe}`;
  const durability = durabilityOf(settings);
  return [
    ...(maxmemoryPolicy === "noeviction" ? [] : [say("maxmemory-policy", maxmemoryPolicy, "noeviction")]),
    ...(appendonly === "yes" ? [] : [say("appendonly", appendonly, "yes")]),
    ...(least !== "D0" && appendfsync !== "always" ? [say("appendfsync", appendfsync, "always")] : []),
    ...(least === "D2" && durability === "D1" ? ["min-replicas-to-write is 0; it must be 1 or more"] : []),
    ...(isPrimary ? [] : ["the server is a replica; it must be the primary"]),
  ];
}

/**
 * For whoever is about to accept events or to process them.
 * @param least that is good enough
 * @param trusted the operator answers for what can't be read
 * @throws UnsafeRedisError naming every setting
 */
export async function refuseUnsafeSettings(redis: Redis, least: Durability, trusted: boolean): Promise<RedisSettings> {
  const settings = await readSettings(redis);
  const unsafe = unsafeSettings(settings, least).filter((what) => !(trusted && what.includes("can't be read")));
  if (unsafe.length > 0) {
    throw new UnsafeRedisError(`Redis is not set so that accepted events are safe: ${unsafe.join("; ")}`, {
      fix: [
        "Set them in redis.conf, or with CONFIG SET and CONFIG REWRITE.",
        "GATEHOUSE_DURABILITY=D0 accepts losing up to a second of events when the machine fails.",
        ...(unsafe.some((what) => what.includes("can't be read"))
          ? ["GATEHOUSE_TRUST_REDIS_SETTINGS=true answers for what this Redis user may not read."]
          : []),
      ].join("\n"),
    });
  }
  return settings;
}
