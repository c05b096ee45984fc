/**
 * What a backend installs to report events and to ask for decisions.
 *
 * ```ts
 * import { createClient } from "gatehouse/client";
 *
 * const gatehouse = createClient({ url: "https://gatehouse.contoso.example", key: process.env.GATEHOUSE_KEY ?? "" });
 *
 * const { totals, results } = await gatehouse.emit({
 *   specversion: "1.0",
 *   source: "https://directory.contoso.example",
 *   type: "account.disabled",
 *   subject: "phone-17/adele",
 *   time: new Date().toISOString(),
 * });
 *
 * const { decision, message } = await gatehouse.decide({ device: "phone-17", user: "adele" });
 * if (decision !== "allow") console.log(message.text);
 *
 * await gatehouse.close();
 * ```
 */
import type { RedisOptions } from "ioredis";
import type { RedisTarget } from "../redis/address.js";
import { TENANT_PATTERN } from "../ingest/subject.js";
import { checkedPrefix, DEFAULT_PREFIX } from "../store/keys.js";
import type { GatehouseClient } from "./client.js";
import type { HttpClientOptions } from "./http/options.js";
import { createHttpClient } from "./http/http-client.js";
import { lazily } from "./lazily.js";

export type { Decision } from "../../machines/decision.js";
export { StoreUnavailableError } from "../errors.js";
export type { IngestTotals } from "../ingest/ingest.js";
export type { Asked, EmitReport, EmitResult, EventRefusal, GatehouseClient } from "./client.js";
export { ApiRefusedError, ApiUnavailableError, ClientClosedError, ClientOverflowError } from "./errors.js";
export type { GatehouseEvent, OutsideEventType } from "./event.js";
export type { HttpClientOptions } from "./http/options.js";

/** For a backend that shares Gatehouse's Redis. */
export type DirectClientOptions = (
  | { /** `redis://`, `rediss://` or `unix:///path/to/socket`. */ readonly url: string }
  | { /** ioredis's options, where an address does not say enough. */ readonly redis: RedisOptions }
  | { /** Some nodes of a cluster, `redis://` or `rediss://` each. */ readonly cluster: readonly string[] }
  | {
      /** Some sentinels, `redis://` or `rediss://` each. */ readonly sentinel: readonly string[];
      /** The primary by the name that they know, or `redis://user:password@name/0`. */ readonly master: string;
    }
) & {
  readonly tenant: string;
  /** Prefix of the deployment's keys; default `gh`. */
  readonly prefix?: string;
  /** As the workers' GATEHOUSE_WAKE_SHARDS; default 1. */
  readonly wakeShards?: number;
  /** `D2`: events are accepted once a replica has them. Default `D1`. */
  readonly durability?: "D1" | "D2";
};

export type ClientOptions = HttpClientOptions | DirectClientOptions;

/**
 * With a `key` it talks to the API; with a `tenant`, to the deployment's Redis. Connects at the first call, and again by itself when the
 * connection is lost.
 * @throws RangeError if an option can't be used
 */
export function createClient(options: ClientOptions): GatehouseClient {
  if ("key" in options) return createHttpClient(options);
  const { tenant, prefix = DEFAULT_PREFIX, wakeShards = 1, durability = "D1" } = options;
  if (!TENANT_PATTERN.test(tenant)) throw new RangeError("a tenant is 1–64 letters, digits, `_` or `-`");
  checkedPrefix(prefix);
  const redis = redisOf(options);
  // What talks to Redis is loaded only where it is used.
  return lazily(async () => {
    const { createDirectClient } = await import("./direct-client.js");
    return createDirectClient({ redis, tenant, prefix, wakeShards, durability });
  });
}

function redisOf(options: DirectClientOptions): RedisTarget {
  if ("url" in options) return options.url;
  if ("cluster" in options) return { cluster: options.cluster };
  if ("sentinel" in options) return { sentinel: options.sentinel, master: options.master };
  return options.redis;
}
