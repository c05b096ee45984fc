/**
 * Connections to Redis. The store's and the queues' differ in one thing that matters: a store command whose answer was
 * lost must fail and never be sent again by the client, because a script would run twice; BullMQ insists on the opposite.
 */
import { Redis, type RedisOptions } from "ioredis";
import { StoreUnavailableError } from "../errors.js";

/** `redis://`, `rediss://`, `unix:///path/to/socket` (with `?db=1`, if wanted), or ioredis's own options. */
export type RedisTarget = string | RedisOptions;

export interface ConnectOptions {
  /** Hears of lost connections and failed attempts; calls that they break reject by themselves. */
  readonly onError?: (error: Error) => void;
}

const COMMAND_TIMEOUT_MS = 2_000;
/** Silence with commands under way means that the peer is gone; only a new connection can find another one. */
const SOCKET_TIMEOUT_MS = 2 * COMMAND_TIMEOUT_MS;
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 1_000;

const COMMON: RedisOptions = {
  connectTimeout: COMMAND_TIMEOUT_MS,
  retryStrategy: (attempt) => Math.min(RETRY_MIN_MS * 2 ** (attempt - 1), RETRY_MAX_MS),
  // A primary that became a replica says READONLY for ever: a new connection finds who took over. 1: reconnect, and let
  // the command fail.
  reconnectOnError: (error) => (error.message.startsWith("READONLY") ? 1 : false),
};

const STORE: RedisOptions = {
  ...COMMON,
  lazyConnect: true,
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  commandTimeout: COMMAND_TIMEOUT_MS,
  socketTimeout: SOCKET_TIMEOUT_MS,
};

const QUEUE: RedisOptions = { ...COMMON, maxRetriesPerRequest: null };

/**
 * A connection for the store, ready to use. When it is lost it is made again by itself; calls meanwhile fail at once,
 * and no call waits longer than 2 s for its answer.
 * @throws StoreUnavailableError if the first attempt fails; then there is no second
 */
export async function connectStore(target: RedisTarget, options: ConnectOptions = {}): Promise<Redis> {
  const redis = connect(target, STORE, options);
  let reason: Error | undefined;
  const note = (error: Error) => {
    reason ??= error;
  };
  redis.on("error", note);
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    redis.disconnect();
    const cause = reason ?? error;
    throw new StoreUnavailableError(
      `cannot connect to Redis: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
        outcomeUnknown: false,
      },
    );
  } finally {
    redis.off("error", note);
  }
}

/** A connection for BullMQ, which waits and repeats by itself. It connects in the background. */
export function connectQueue(target: RedisTarget, options: ConnectOptions = {}): Redis {
  return connect(target, QUEUE, options);
}

function connect(target: RedisTarget, settings: RedisOptions, { onError }: ConnectOptions): Redis {
  // Replies in RESP2's shapes, whatever the protocol: the store decodes them by position.
  const redis = new Redis({ ...parse(target), ...settings, replyMapping: "legacy" });
  // Without a listener ioredis writes to stderr on its own.
  redis.on("error", onError ?? (() => undefined));
  return redis;
}

/** @throws RangeError if the address is of no form that {@link RedisTarget} names */
function parse(target: RedisTarget): RedisOptions {
  if (typeof target !== "string") return target;
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url?.protocol === "unix:")
    return { path: decodeURIComponent(url.pathname), ...database(url.searchParams.get("db")), ...credentials(url) };
  if (url?.protocol === "redis:" || url?.protocol === "rediss:")
    return {
      host: url.hostname.replace(/^\[|\]$/g, "") || "localhost",
      port: Number(url.port || "6379"),
      ...database(url.pathname.slice(1) || url.searchParams.get("db")),
      ...credentials(url),
      ...(url.protocol === "rediss:" && { tls: {} }),
    };
  throw new RangeError(
    "the address of Redis must look like redis://host:6379/0, rediss://host:6379 or unix:///path/to/socket",
  );
}

function credentials(url: URL): RedisOptions {
  return {
    ...(url.username && { username: decodeURIComponent(url.username) }),
    ...(url.password && { password: decodeURIComponent(url.password) }),
  };
}

function database(text: string | null): RedisOptions {
  if (!text) return {};
  if (!/^\d+$/.test(text)) throw new RangeError(`Redis databases are numbers: ${JSON.stringify(text)} is none`);
  return { db: Number(text) };
}
