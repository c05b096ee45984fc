/**
 * Reads a running deployment into a backup. Each partition is read in one call of the server, and so as it was at one moment; the
 * partitions one after the other, and everything else after them. That order is what makes the whole fit together: what partitions
 * name (catalogue versions, users) is never older than they are.
 */
import { type RedisConnection, scanKeys } from "../redis/connection.js";
import { setTimeout as delay } from "node:timers/promises";
import { deploymentKey, partitionKeys } from "../store/keys.js";
import type { PartitionStore } from "../store/partition-store.js";
import { Script } from "../store/redis/script.js";
import { toUnavailable } from "../store/redis/unavailable.js";
import { BACKUP_FORMAT, type BackupLine, type KeyLine } from "./backup-file.js";

const DUMP = new Script("dump");

/** Keys in one call, but for a partition's, which are always read together. */
const KEYS_PER_CALL = 200;

export interface BackupSource {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly store: PartitionStore;
}

export interface BackupProgress {
  readonly partitions: number;
  readonly keys: number;
}

/**
 * The lines of a backup, read as they are asked for.
 * @throws StoreUnavailableError
 */
export async function* backupLines(
  { redis, prefix, store: { deployment } }: BackupSource,
  onProgress: (progress: BackupProgress) => void = () => {},
): AsyncGenerator<BackupLine> {
  const own = `${prefix}:`;
  let keys = 0;
  yield {
    kind: "gatehouse-backup",
    format: BACKUP_FORMAT,
    prefix,
    startedAt: Number((await answer(redis.time()))[0]) * 1_000,
    redisVersion: /redis_version:(\S+)/.exec(await answer(redis.info("server")))?.[1] ?? "",
    deployment,
  };
  const done = new Set([deploymentKey(prefix)]);
  for (let partition = 0; partition < deployment.partitionCount; partition++) {
    const { meta, ...others } = partitionKeys(prefix, partition);
    const names = [meta, ...Object.values(others).flat()];
    for (const name of names) done.add(name);
    const startedAt = performance.now();
    const { token, seq, head, values } = await dump(redis, names, true);
    const tookMs = performance.now() - startedAt;
    yield { partition, token, seq: Number(seq), head };
    for (const value of values) {
      keys++;
      yield withoutPrefix(own, value);
    }
    onProgress({ partitions: partition + 1, keys });
    // The server does nothing else meanwhile, so others get as much time as this took.
    await delay(tookMs);
  }
  for (const names of grouped(await scanAll(redis, `${own}*`, done))) {
    for (const value of (await dump(redis, names, false)).values) {
      keys++;
      yield withoutPrefix(own, value);
    }
    onProgress({ partitions: deployment.partitionCount, keys });
  }
  yield { end: true, keys };
}

const withoutPrefix = (own: string, { key, ...rest }: KeyLine): KeyLine => ({ key: key.slice(own.length), ...rest });

async function scanAll(redis: RedisConnection, pattern: string, without: ReadonlySet<string>): Promise<string[]> {
  const found = new Set<string>();
  const look = async (): Promise<void> => {
    for await (const names of scanKeys(redis, pattern))
      for (const name of names) if (!without.has(name)) found.add(name);
  };
  await answer(look());
  return [...found].sort();
}

/**
 * Keys that share a hash tag are written together, so they are read together; of a shard's users first what all share, then the index
 * of each.
 */
function* grouped(names: readonly string[]): Generator<string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const tag = /\{([^}]+)\}/.exec(name)?.[1] ?? name;
    const group = groups.get(tag);
    if (group === undefined) groups.set(tag, [name]);
    else group.push(name);
  }
  const isIndex = (name: string): boolean => name.includes("}:sessions:");
  for (const group of groups.values()) {
    const ordered = [...group.filter((name) => !isIndex(name)), ...group.filter(isIndex)];
    for (let from = 0; from < ordered.length; from += KEYS_PER_CALL) yield ordered.slice(from, from + KEYS_PER_CALL);
  }
}

async function dump(redis: RedisConnection, names: readonly string[], isPartition: boolean) {
  const reply = await answer(DUMP.runForBytes(redis, names, [isPartition ? 1 : 0]));
  const [token, seq, head, ...rest] = reply as [Buffer, Buffer, Buffer, ...(Buffer | number)[]];
  const values: KeyLine[] = [];
  for (let at = 0; at < rest.length; at += 3) {
    const [index, ttlMs, value] = rest.slice(at, at + 3) as [number, number, Buffer];
    const key = names[index - 1] as string;
    values.push({ key, ...(ttlMs > 0 && { ttlMs }), value: value.toString("base64") });
  }
  return { token: token.toString(), seq: seq.toString() || "0", head: head.toString(), values };
}

async function answer<Reply>(reply: Promise<Reply>): Promise<Reply> {
  try {
    return await reply;
  } catch (error) {
    throw toUnavailable(error, "backup", false);
  }
}
