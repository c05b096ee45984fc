/** Settings from the environment, checked once at the start. Every command and worker reads these and nothing else. */
import { z } from "zod";
import { GatehouseError } from "./errors.js";
import { TENANT_PATTERN } from "./ingest/cloud-event.js";
import { LOG_LEVELS } from "./log.js";
import { type RedisTarget, clusterOptions, optionsOf } from "./redis/address.js";
import { DURABILITY_CLASSES, type Durability } from "./redis/durability.js";
import { isRange } from "./webhooks/address-range.js";

const DAY_MS = 24 * 3_600_000;

const splitList = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** What can't be used is said in the words of whoever would use it. */
const usable =
  <Value>(use: (value: Value) => unknown) =>
  (value: Value, context: z.RefinementCtx): void => {
    try {
      use(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  };

/** A name that stands for the other half, so that each is checked by itself. */
const SOME_SENTINEL = "redis://sentinel:26379";

/** Wake queues of a cluster: a queue lives on one node, and these lie on as many as there are likely to be. */
const WAKE_SHARDS_OF_CLUSTER = 4;

const Environment = z
  .object({
    REDIS_URL: z
      .string()
      .regex(/^(redis|rediss|unix):\/\//, "redis://host:port, rediss://host:port or unix:///path/to/socket")
      .optional(),
    REDIS_CLUSTER: z
      .string()
      .transform(splitList)
      .superRefine(usable((cluster) => clusterOptions({ cluster })))
      .optional(),
    REDIS_SENTINEL: z
      .string()
      .transform(splitList)
      .superRefine(usable((sentinel) => optionsOf({ sentinel, master: "mymaster" })))
      .optional(),
    REDIS_SENTINEL_MASTER: z
      .string()
      .superRefine(usable((master) => optionsOf({ sentinel: [SOME_SENTINEL], master })))
      .optional(),
    GATEHOUSE_PREFIX: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,32}$/, "letters, digits, `_` and `-`, up to 32")
      .default("gh"),
    GATEHOUSE_TENANT: z.string().regex(TENANT_PATTERN, "letters, digits, `_` and `-`, up to 64").default("contoso"),
    GATEHOUSE_DIRECTORY: z.string().min(1).default(".gatehouse"),
    GATEHOUSE_ARCHIVE_DIR: z.string().min(1).optional(),
    GATEHOUSE_EFFECTS: z.string().min(1).optional(),
    GATEHOUSE_WAKE_SHARDS: z.coerce.number().int().min(1).max(64).optional(),
    GATEHOUSE_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(8),
    GATEHOUSE_SHUTDOWN_MS: z.coerce.number().int().min(100).max(600_000).default(10_000),
    GATEHOUSE_SESSION_RETENTION_DAYS: z.coerce.number().min(0).max(36_500).default(180),
    GATEHOUSE_HEARTBEAT_FILE: z.string().min(1).optional(),
    GATEHOUSE_SECRET_KEY: z.string().min(32, "32 characters or more").max(1_024).optional(),
    GATEHOUSE_DURABILITY: z.enum(DURABILITY_CLASSES).default("D1"),
    GATEHOUSE_TRUST_REDIS_SETTINGS: z.stringbool().default(false),
    GATEHOUSE_METRICS_HOST: z.string().min(1).default("127.0.0.1"),
    GATEHOUSE_METRICS_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
    GATEHOUSE_HOST: z.string().min(1).default("127.0.0.1"),
    GATEHOUSE_PORT: z.coerce.number().int().min(0).max(65_535).default(8_710),
    GATEHOUSE_WEBHOOK_ALLOW_PRIVATE: z
      .string()
      .transform(splitList)
      .refine((ranges) => ranges.every(isRange), "ranges of addresses such as 10.1.0.0/16, separated by commas")
      .optional(),
    GATEHOUSE_REMEDIATORS: z.string().transform(splitList).default([]),
    LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
  })
  .superRefine((settings, context) => {
    const set = (["REDIS_URL", "REDIS_CLUSTER", "REDIS_SENTINEL"] as const).filter(
      (name) => settings[name] !== undefined,
    );
    const last = set.at(-1);
    if (last !== undefined && set.length > 1)
      context.addIssue({ code: "custom", path: [last], message: `set one of them: ${set.join(" and ")} are set` });
    const [given, missing] =
      settings.REDIS_SENTINEL === undefined
        ? (["REDIS_SENTINEL_MASTER", "REDIS_SENTINEL"] as const)
        : (["REDIS_SENTINEL", "REDIS_SENTINEL_MASTER"] as const);
    if (settings[given] !== undefined && settings[missing] === undefined)
      context.addIssue({ code: "custom", path: [missing], message: `${given} is set, so this has to be, too` });
  });

export interface Config {
  /** Absent: a private server is looked for, or started. */
  readonly redis: RedisTarget | undefined;
  /** Prefix of every key; deployments with different prefixes share a server without seeing each other. */
  readonly prefix: string;
  readonly tenant: string;
  /** Where a private instance keeps its data. */
  readonly directory: string;
  /** Where journals are archived, and read again; absent: nowhere. */
  readonly archiveDirectory: string | undefined;
  /** Where effects are written as NDJSON: a file, or `-` for stdout; absent: nowhere. */
  readonly effects: string | undefined;
  readonly wakeShards: number;
  /** Partitions that one worker process drains side by side. */
  readonly concurrency: number;
  /** How long a worker that was told to stop may take, in ms. */
  readonly shutdownMs: number;
  /** How long a session may be silent before it is retired, ms; 0: as long as it likes. */
  readonly sessionRetentionMs: number;
  /** Touched by a living worker about every second, for health checks; absent: not at all. */
  readonly heartbeatFile: string | undefined;
  /** From which keys for webhook secrets and API keys are derived; absent: the private instance's own, in its directory. */
  readonly secretKey: string | undefined;
  /** The class that Redis must be set to: see docs/running.md. */
  readonly durability: Durability;
  /** The operator answers for settings of Redis that can't be read. */
  readonly trustRedisSettings: boolean;
  readonly metricsHost: string;
  /** Of a worker; absent: none is opened. */
  readonly metricsPort: number | undefined;
  /** Address on which the API listens. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Ranges of addresses that webhooks may go to although they are not public; absent: none, or this machine for a private instance. */
  readonly webhookAllowPrivate: readonly string[] | undefined;
  /** Modules that register remediators: paths or names of packages. */
  readonly remediators: readonly string[];
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

export class ConfigError extends GatehouseError {
  readonly code = "config.invalid";
  readonly retryable = false;
}

/** @throws ConfigError naming each variable that can't be used */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) {
    throw new ConfigError(`these settings can't be used\n${z.prettifyError(parsed.error)}`, {
      fix: "Correct the environment variables named above, or unset them for their defaults.",
    });
  }
  const { data } = parsed;
  return {
    redis: redisOf(data),
    prefix: data.GATEHOUSE_PREFIX,
    tenant: data.GATEHOUSE_TENANT,
    directory: data.GATEHOUSE_DIRECTORY,
    archiveDirectory: data.GATEHOUSE_ARCHIVE_DIR,
    effects: data.GATEHOUSE_EFFECTS,
    wakeShards: data.GATEHOUSE_WAKE_SHARDS ?? (data.REDIS_CLUSTER === undefined ? 1 : WAKE_SHARDS_OF_CLUSTER),
    concurrency: data.GATEHOUSE_CONCURRENCY,
    shutdownMs: data.GATEHOUSE_SHUTDOWN_MS,
    sessionRetentionMs: data.GATEHOUSE_SESSION_RETENTION_DAYS * DAY_MS,
    heartbeatFile: data.GATEHOUSE_HEARTBEAT_FILE,
    secretKey: data.GATEHOUSE_SECRET_KEY,
    durability: data.GATEHOUSE_DURABILITY,
    trustRedisSettings: data.GATEHOUSE_TRUST_REDIS_SETTINGS,
    metricsHost: data.GATEHOUSE_METRICS_HOST,
    metricsPort: data.GATEHOUSE_METRICS_PORT,
    host: data.GATEHOUSE_HOST,
    port: data.GATEHOUSE_PORT,
    webhookAllowPrivate: data.GATEHOUSE_WEBHOOK_ALLOW_PRIVATE,
    remediators: data.GATEHOUSE_REMEDIATORS,
    logLevel: data.LOG_LEVEL,
  };
}

function redisOf({
  REDIS_URL: url,
  REDIS_CLUSTER: cluster,
  REDIS_SENTINEL: sentinel,
  REDIS_SENTINEL_MASTER: master,
}: z.infer<typeof Environment>): RedisTarget | undefined {
  if (cluster !== undefined) return { cluster };
  if (sentinel !== undefined && master !== undefined) return { sentinel, master };
  return url;
}
