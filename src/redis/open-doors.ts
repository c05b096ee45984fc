/** What the connection itself says of how open a Redis stands. Nothing is refused for it: a network can be private. */
import type { RedisOptions } from "ioredis";
import { isIP } from "node:net";

/** A sentence for each thing that somebody else could use. */
export function openDoors({ host = "localhost", path, password, tls }: RedisOptions): string[] {
  if (path !== undefined || isThisMachine(host)) return [];
  return [
    ...(password === undefined || password === null
      ? [`the Redis at ${host} asks for no password: whoever reaches it can read and change everything`]
      : []),
    ...(tls === undefined ? [`the connection to the Redis at ${host} is not encrypted: use rediss://`] : []),
  ];
}

const isThisMachine = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
