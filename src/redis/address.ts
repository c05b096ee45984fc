/** Where the store is, as it is written down: one server, a cluster by some of its nodes, or a primary that sentinels name. */
import type { ClusterNode, RedisOptions } from "ioredis";

/** Some of a cluster's nodes, `redis://` or `rediss://` each; the others are found through them. */
export interface ClusterTarget {
  readonly cluster: readonly string[];
}

/** Some of the sentinels, and the primary by the name they know it by. */
export interface SentinelTarget {
  readonly sentinel: readonly string[];
  /** The name alone, or an address with the name in the place of the host: `redis://user:password@mymaster/0`. */
  readonly master: string;
}

/** `redis://`, `rediss://`, `unix:///path/to/socket` (with `?db=1`, if wanted), ioredis's own options, or what sentinels name. */
export type OneServer = string | RedisOptions | SentinelTarget;

export type RedisTarget = OneServer | ClusterTarget;

export const isCluster = (target: RedisTarget): target is ClusterTarget =>
  typeof target === "object" && "cluster" in target;

const isSentinel = (target: RedisTarget): target is SentinelTarget =>
  typeof target === "object" && "sentinel" in target;

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;

/** @throws RangeError if the address is of no form that {@link OneServer} names */
export function optionsOf(target: OneServer): RedisOptions {
  if (isSentinel(target)) return sentinelOptions(target);
  if (typeof target !== "string") return target;
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url?.protocol === "unix:")
    return { path: decodeURIComponent(url.pathname), ...database(url.searchParams.get("db")), ...credentials(url) };
  if (url?.protocol === "redis:" || url?.protocol === "rediss:")
    return {
      ...hostAndPort(url, REDIS_PORT),
      ...database(url.pathname.slice(1) || url.searchParams.get("db")),
      ...credentials(url),
    };
  throw new RangeError(
    "the address of Redis must look like redis://host:6379/0, rediss://host:6379 or unix:///path/to/socket",
  );
}

/**
 * Nodes to begin with, and what every node is connected to with.
 * @throws RangeError if an address can't be one of a cluster's nodes, or they differ in more than host and port
 */
export function clusterOptions({ cluster }: ClusterTarget): { nodes: ClusterNode[]; shared: RedisOptions } {
  const urls = several(cluster, "a cluster's node", REDIS_PORT);
  return { nodes: urls.map((url) => hostAndPort(url, REDIS_PORT)), shared: sharedOf(urls) };
}

function sentinelOptions({ sentinel, master }: SentinelTarget): RedisOptions {
  const urls = several(sentinel, "a sentinel", SENTINEL_PORT);
  const { username, password, tls } = sharedOf(urls);
  const primary = masterUrl(master);
  return {
    sentinels: urls.map((url) => {
      const { host, port } = hostAndPort(url, SENTINEL_PORT);
      return { host, port };
    }),
    name: decodeURIComponent(primary.hostname),
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(tls !== undefined && { sentinelTLS: tls }),
    ...database(primary.pathname.slice(1)),
    ...credentials(primary),
    ...(primary.protocol === "rediss:" && { tls: {}, enableTLSForSentinelMode: true }),
  };
}

function masterUrl(master: string): URL {
  const text = /^[A-Za-z0-9._-]+$/.test(master) ? `redis://${master}` : master;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["redis:", "rediss:"].includes(url.protocol) || url.hostname === "" || url.port !== "")
    throw new RangeError(
      "give the name that the sentinels know the primary by, such as mymaster, or redis://user:password@mymaster/0",
    );
  return url;
}

function several(addresses: readonly string[], what: string, port: number): URL[] {
  const form = `${what} must look like redis://host:${port} or rediss://host:${port}`;
  if (addresses.length === 0) throw new RangeError(`${form}; there is none`);
  const urls = addresses.map((address) => {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url === undefined || !["redis:", "rediss:"].includes(url.protocol) || url.hostname === "")
      throw new RangeError(`${form}: ${JSON.stringify(withoutSecret(address))} does not`);
    if (url.pathname.length > 1 || url.search !== "")
      throw new RangeError(`${what} has no numbered databases: leave out ${JSON.stringify(url.pathname + url.search)}`);
    return url;
  });
  if (new Set(urls.map(({ protocol, username, password }) => `${protocol}${username}:${password}`)).size > 1)
    throw new RangeError("all addresses must have the same scheme, user and password");
  return urls;
}

const sharedOf = ([url]: readonly URL[]): RedisOptions =>
  url === undefined ? {} : { ...credentials(url), ...(url.protocol === "rediss:" && { tls: {} }) };

const hostAndPort = (url: URL, port: number): { host: string; port: number; tls?: object } => ({
  host: url.hostname.replace(/^\[|\]$/g, "") || "localhost",
  port: Number(url.port || port),
  ...(url.protocol === "rediss:" && { tls: {} }),
});

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

const withoutSecret = (address: string): string => address.replace(/\/\/[^@]*@/, "//…@");

/** For people: without user and password. */
export function describe(target: RedisTarget): string {
  if (typeof target === "string") return withoutSecret(target);
  if (isCluster(target)) return `a cluster, ${target.cluster.map(withoutSecret).join(", ")}`;
  if (isSentinel(target))
    return `${withoutSecret(target.master)}, found by ${target.sentinel.map(withoutSecret).join(", ")}`;
  return target.path ?? `${target.host ?? "localhost"}:${target.port ?? REDIS_PORT}`;
}
