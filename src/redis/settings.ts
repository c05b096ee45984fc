/** What a server was set to, as far as accepted events depend on it: what is unsafe is refused before anything is accepted. */
import type { Redis } from "ioredis";
import { GatehouseError } from "../errors.js";
import { type RedisConnection, primariesOf } from "./connection.js";
import { DURABILITY_CLASSES, type Durability } from "./durability.js";
import { OLDEST_REDIS, isNewEnough } from "./version.js";

/** Of one server. */
export interface RedisSettings {
  /** Where it is: `host:port`, a path, or the name that sentinels know it by. */
  readonly server: string;
  readonly version: string;
  readonly isPrimary: boolean;
  /** `undefined`: the server does not tell this user. */
  readonly maxmemoryPolicy: string | undefined;
  readonly appendonly: string | undefined;
  readonly appendfsync: string | undefined;
  readonly minReplicasToWrite: number | undefined;
  readonly usedMemoryBytes: number;
  /** 0: no limit. */
  readonly maxMemoryBytes: number;
  /** Of the machine that it runs on; 0: it does not tell. */
  readonly systemMemoryBytes: number;
}

/** A setting under which accepted events could be lost. */
export class UnsafeRedisError extends GatehouseError {
  readonly code = "config.unsafe";
  readonly retryable = false;
}

const ASKED = ["maxmemory-policy", "appendonly", "appendfsync", "min-replicas-to-write"] as const;

/**
 * Of every server that holds data.
 * @throws whatever a connection says
 */
export async function readSettings(redis: RedisConnection): Promise<readonly RedisSettings[]> {
  return Promise.all(primariesOf(redis).map(readServer));
}

async function readServer(redis: Redis): Promise<RedisSettings> {
  const { path, host, port, name } = redis.options;
  const info = new Map(
    (await redis.info())
      .split("\r\n")
      .filter((line) => line.includes(":"))
      .map((line): [string, string] => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
  const told = await configOf(redis);
  return {
    server: name ?? path ?? `${host ?? "localhost"}:${port ?? 6379}`,
    version: info.get("valkey_version") ?? info.get("redis_version") ?? "unknown",
    isPrimary: info.get("role") !== "slave",
    maxmemoryPolicy: told.get("maxmemory-policy") ?? info.get("maxmemory_policy"),
    appendonly: told.get("appendonly") ?? (info.get("aof_enabled") === "1" ? "yes" : "no"),
    appendfsync: told.get("appendfsync"),
    minReplicasToWrite: told.has("min-replicas-to-write") ? Number(told.get("min-replicas-to-write")) : undefined,
    usedMemoryBytes: Number(info.get("used_memory") ?? 0),
    maxMemoryBytes: Number(info.get("maxmemory") ?? 0),
    systemMemoryBytes: Number(info.get("total_system_memory") ?? 0),
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

/** The least of all servers: an event may be on any of them. What can't be read counts as the worst. */
export function durabilityOf(servers: readonly RedisSettings[]): Durability {
  const classes = servers.map(({ appendonly, appendfsync, minReplicasToWrite }) => {
    if (appendonly !== "yes" || appendfsync !== "always") return "D0";
    return (minReplicasToWrite ?? 0) >= 1 ? "D2" : "D1";
  });
  return DURABILITY_CLASSES.find((durability) => classes.includes(durability)) ?? "D0";
}

/** The oldest of all servers'. */
export const versionOf = (servers: readonly RedisSettings[]): string =>
  servers.map(({ version }) => version).sort((one, other) => one.localeCompare(other, "en", { numeric: true }))[0] ??
  "unknown";

/** Of all servers together. `maxMemoryBytes` is 0 if one of them has no limit. */
export function memoryOf(
  servers: readonly RedisSettings[],
): Pick<RedisSettings, "usedMemoryBytes" | "maxMemoryBytes" | "systemMemoryBytes"> {
  const sum = (of: (settings: RedisSettings) => number): number => servers.reduce((all, one) => all + of(one), 0);
  return {
    usedMemoryBytes: sum(({ usedMemoryBytes }) => usedMemoryBytes),
    maxMemoryBytes: servers.some(({ maxMemoryBytes }) => maxMemoryBytes === 0)
      ? 0
      : sum(({ maxMemoryBytes }) => maxMemoryBytes),
    systemMemoryBytes: sum(({ systemMemoryBytes }) => systemMemoryBytes),
  };
}

/** What a process asks of its Redis. */
export interface Demands {
  /** The class that is good enough. */
  readonly least: Durability;
  /** The operator answers for what can't be read. */
  readonly trusted: boolean;
}

/** Something under which accepted events could be lost. */
export interface UnsafeSetting {
  /** Absent: there is but one. */
  readonly server?: string;
  readonly name: string;
  /** `undefined`: the server does not tell this user. */
  readonly value: string | undefined;
  readonly safe: string;
}

export const unsafeSettings = (servers: readonly RedisSettings[], demands: Demands): UnsafeSetting[] =>
  servers.flatMap((settings) =>
    unsafeOf(settings, demands).map((unsafe) =>
      servers.length === 1 ? unsafe : { ...unsafe, server: settings.server },
    ),
  );

function unsafeOf(settings: RedisSettings, { least, trusted }: Demands): UnsafeSetting[] {
  const { maxmemoryPolicy, appendonly, appendfsync, minReplicasToWrite, isPrimary, version } = settings;
  const found = (isSafe: boolean, name: string, value: string | undefined, safe: string): UnsafeSetting[] =>
    isSafe || (trusted && value === undefined) ? [] : [{ name, value, safe }];
  return [
    ...found(isNewEnough(version), "version", version, `${OLDEST_REDIS} or newer for class ${least}`),
    ...found(isPrimary, "role", "replica", "primary"),
    ...found(maxmemoryPolicy === "noeviction", "maxmemory-policy", maxmemoryPolicy, "noeviction"),
    ...found(appendonly === "yes", "appendonly", appendonly, "yes"),
    ...found(least === "D0" || appendfsync === "always", "appendfsync", appendfsync, "always"),
    ...found(
      least !== "D2" || (minReplicasToWrite ?? 0) >= 1,
      "min-replicas-to-write",
      minReplicasToWrite?.toString(),
      "1 or more",
    ),
  ];
}

export const inWords = (unsafe: readonly UnsafeSetting[]): string =>
  unsafe
    .map(({ server, name, value, safe }) => {
      const said = value === undefined ? "can't be read" : `is ${value}`;
      return `${name} ${server === undefined ? "" : `of ${server} `}${said}; it must be ${safe}`;
    })
    .join("; ");

/** What to do about them. */
export function remedy(unsafe: readonly UnsafeSetting[]): string {
  const isHidden = ({ value }: UnsafeSetting) => value === undefined;
  const isFsync = ({ name }: UnsafeSetting) => name === "appendfsync";
  const isSettable = ({ name }: UnsafeSetting) => name !== "version" && name !== "role";
  return [
    ...(unsafe.some(isSettable) ? ["Set them in redis.conf, or with CONFIG SET and CONFIG REWRITE."] : []),
    ...(unsafe.every(isSettable)
      ? []
      : ["Set REDIS_URL to the primary, of a version that is new enough; REDIS_SENTINEL finds it by itself."]),
    ...(unsafe.some(isFsync)
      ? ["GATEHOUSE_DURABILITY=D0 accepts losing up to a second of events when the machine fails."]
      : []),
    ...(unsafe.some(isHidden)
      ? ["GATEHOUSE_TRUST_REDIS_SETTINGS=true answers for what this Redis user may not read."]
      : []),
  ].join("\n");
}

/**
 * For whoever is about to accept events or to process them.
 * @throws UnsafeRedisError naming every setting
 */
export async function refuseUnsafeSettings(
  redis: RedisConnection,
  demands: Demands,
): Promise<readonly RedisSettings[]> {
  const settings = await readSettings(redis);
  const unsafe = unsafeSettings(settings, demands);
  if (unsafe.length > 0) {
    const message = `Redis is not set so that accepted events are safe: ${inWords(unsafe)}`;
    throw new UnsafeRedisError(message, { fix: remedy(unsafe) });
  }
  return settings;
}
