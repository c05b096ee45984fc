/**
 * Connections to Redis. The store's and the queues' differ in one thing that matters: a store command whose answer was
 * lost must fail and never be sent again by the client, because a script would run twice; BullMQ insists on the opposite.
 */
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import { StoreUnavailableError } from "../errors.js";
import { Confirmations } from "./confirmations.js";
import type { Durability } from "./durability.js";
import {
  type ClusterTarget,
  type OneServer,
  type RedisTarget,
  clusterOptions,
  isCluster,
  optionsOf,
} from "./address.js";
import { FreshSentinelConnector } from "./sentinel-connector.js";
import { writeTogether } from "./write-together.js";

/** To one server, wherever its primary is, or to a cluster: commands are the same. */
export type RedisConnection = Redis | Cluster;

export interface StoreOptions extends ConnectOptions {
  /** `D2`: answers that are given out wait for a replica; see {@link withReplica}. Default `D1`. */
  readonly durability?: Durability;
}

export interface ConnectOptions {
  /** Hears of lost connections and failed attempts; calls that they break reject by themselves. */
  readonly onError?: (error: Error) => void;
}

const COMMAND_TIMEOUT_MS = 2_000;
/** Silence with commands under way means that the peer is gone; only a new connection can find another one. */
const SOCKET_TIMEOUT_MS = 2 * COMMAND_TIMEOUT_MS;
const SCAN_COUNT = 1_000;
/** Servers are asked one after the other which of them is the primary. */
const FIRST_ATTEMPT_MS = 3 * COMMAND_TIMEOUT_MS;
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

const CLUSTER: ClusterOptions = {
  // Decisions are made from what a primary says.
  scaleReads: "master",
  clusterRetryStrategy: COMMON.retryStrategy as (attempt: number) => number,
  // A node that went away without a word is found out although no command was redirected.
  slotsRefreshInterval: 5_000,
};

/** What a node did not carry out may be sent again: where it moved to, and once its slot has moved as a whole. What a node may have carried out is not. */
const STORE_CLUSTER: ClusterOptions = {
  ...CLUSTER,
  lazyConnect: true,
  enableOfflineQueue: false,
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 50,
};

/** Goes on for as long as a failover may take: BullMQ's workers end up still otherwise. */
const QUEUE_CLUSTER: ClusterOptions = {
  ...CLUSTER,
  retryDelayOnFailover: 250,
  retryDelayOnClusterDown: 250,
  maxRedirections: 1_000,
};

/**
 * A connection for the store, ready to use. When it is lost it is made again by itself; calls meanwhile fail at once,
 * and no call waits longer than 2 s for its answer.
 * @throws StoreUnavailableError if the first attempt fails; then there is no second
 */
export async function connectStore(target: OneServer, options?: StoreOptions): Promise<Redis>;
export async function connectStore(target: RedisTarget, options?: StoreOptions): Promise<RedisConnection>;
export async function connectStore(target: RedisTarget, options: StoreOptions = {}): Promise<RedisConnection> {
  const redis = await connectOnce(target, options);
  if (options.durability !== "D2") return redis;
  try {
    const confirmed = new Confirmations(await connectOnce(target, options));
    CONFIRMATIONS.set(redis, confirmed);
    redis.once("end", () => confirmed.close());
    return redis;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

/** Beside each store's connection that was made for class D2. */
const CONFIRMATIONS = new WeakMap<RedisConnection, Confirmations>();

/**
 * Sends to whoever has the key. In class D2 the answer comes once a replica has what it tells of.
 * @throws StoreUnavailableError where no replica confirmed in time, and whatever the server says
 */
export async function withReplica<Reply>(
  redis: RedisConnection,
  key: string,
  send: (redis: RedisConnection) => Promise<Reply>,
): Promise<Reply> {
  return CONFIRMATIONS.get(redis)?.run(key, send) ?? send(redis);
}

const CERTIFICATE_FIX =
  "Name the authority that signed it in NODE_EXTRA_CA_CERTS, and the server by the name in its certificate; docs/running.md, TLS.";

async function connectOnce(target: RedisTarget, options: ConnectOptions): Promise<RedisConnection> {
  const redis = isCluster(target)
    ? connectNodes(target, STORE, STORE_CLUSTER, options)
    : connect(target, STORE, options);
  let reason: Error | undefined;
  let giveUp: () => void = () => undefined;
  // Sentinels would be asked again for ever, and a cluster that is not whole would be waited for.
  const refused = new Promise<never>((_, reject) => (giveUp = () => reject(new Error("no primary was found"))));
  const late = setTimeout(giveUp, FIRST_ATTEMPT_MS);
  refused.catch(() => undefined);
  const note = (error: Error) => {
    reason ??= error;
    if (redis instanceof Redis && redis.options.sentinels) giveUp();
  };
  redis.on("error", note);
  try {
    await Promise.race([redis.connect(), refused]);
    if (redis instanceof Cluster) await untilNodesReady(redis);
    return redis;
  } catch (error) {
    redis.disconnect();
    const cause = reason ?? error;
    throw new StoreUnavailableError(`cannot connect to Redis: ${wordsOf(cause)}`, {
      cause,
      outcomeUnknown: false,
      ...(/certificate|altname/i.test(wordsOf(cause)) && { fix: CERTIFICATE_FIX }),
    });
  } finally {
    clearTimeout(late);
    redis.off("error", note);
  }
}

/** A connection for BullMQ, which waits and repeats by itself. It connects in the background. */
export function connectQueue(target: OneServer, options?: ConnectOptions): Redis;
export function connectQueue(target: RedisTarget, options?: ConnectOptions): RedisConnection;
export function connectQueue(target: RedisTarget, options: ConnectOptions = {}): RedisConnection {
  return isCluster(target) ? connectNodes(target, QUEUE, QUEUE_CLUSTER, options) : connect(target, QUEUE, options);
}

function connect(target: OneServer, settings: RedisOptions, { onError }: ConnectOptions): Redis {
  const where = optionsOf(target);
  const redis = new Redis({
    ...where,
    ...settings,
    // Told of a failover, it leaves the old primary at once instead of waiting for it to say something.
    failoverDetector: true,
    ...(where.sentinels && { Connector: FreshSentinelConnector }),
    // One that says nothing is passed over.
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    sentinelRetryStrategy: COMMON.retryStrategy as (attempt: number) => number,
    ...LEGACY,
  });
  // Without a listener ioredis writes to stderr on its own.
  redis.on("error", onError ?? (() => undefined));
  writeTogether(redis);
  return redis;
}

// Replies in RESP2's shapes, whatever the protocol: the store decodes them by position.
const LEGACY = { replyMapping: "legacy" } as const;

function connectNodes(
  target: ClusterTarget,
  settings: RedisOptions,
  clusterSettings: ClusterOptions,
  { onError }: ConnectOptions,
): Cluster {
  const { nodes, shared } = clusterOptions(target);
  // A node is given up when its connection is lost: whoever has its slots by then is found by asking the others.
  const { retryStrategy: _, lazyConnect: __, ...perNode } = settings;
  const cluster = new Cluster(nodes, { ...clusterSettings, redisOptions: { ...perNode, ...shared, ...LEGACY } });
  cluster.on("error", onError ?? (() => undefined));
  cluster.on("node error", onError ?? (() => undefined));
  // Before it is needed: while a node is being connected to, commands for it are refused. A replica may be the next primary.
  // Not before the slots are known: until then the first question goes to whatever node is free.
  cluster.on("+node", (node: Redis) =>
    setImmediate(() => {
      if (cluster.status === "ready") void connectNode(node);
    }),
  );
  cluster.on("ready", () => cluster.nodes().forEach((node) => void connectNode(node)));
  return cluster;
}

async function connectNode(node: Redis): Promise<void> {
  if (node.status === "wait") await node.connect().catch(() => undefined);
  else if (node.status === "connecting" || node.status === "connect")
    await new Promise<void>((resolve) => {
      node.once("ready", resolve);
      node.once("end", resolve);
    });
}

async function untilNodesReady(cluster: Cluster): Promise<void> {
  await Promise.all(cluster.nodes("master").map(connectNode));
}

function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { lastNodeError } = cause as { readonly lastNodeError?: Error };
  return lastNodeError === undefined ? cause.message : `no node tells the slots: ${lastNodeError.message}`;
}

/** The servers that hold data: every one of them has to be asked what a server says of itself alone. */
export function primariesOf(redis: RedisConnection): readonly Redis[] {
  return redis instanceof Cluster ? redis.nodes("master") : [redis];
}

/** Every key that matches, on all primaries, some at a time; one that moves meanwhile may come twice. */
export async function* scanKeys(redis: RedisConnection, match: string): AsyncGenerator<string[]> {
  for (const primary of primariesOf(redis)) {
    let cursor = "0";
    do {
      const [next, keys] = await primary.scan(cursor, "MATCH", match, "COUNT", SCAN_COUNT);
      if (keys.length > 0) yield keys;
      cursor = next;
    } while (cursor !== "0");
  }
}

/** One by one: no command may name keys of different slots. */
export async function unlinkKeys(redis: RedisConnection, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => redis.unlink(key)));
}
