/**
 * Puts a backup where nothing is. Until it has ended, the deployment's own key says that it is being restored, so that no worker or
 * command joins what is not whole; a restore that was cut short goes on when it is run again with the same file.
 */
import { createHash } from "node:crypto";
import { type RedisConnection, scanKeys } from "../redis/connection.js";
import { GENESIS_HEAD } from "../store/journal-chain.js";
import { RESTORING } from "../store/deployment.js";
import { catalogueKey, deploymentKey, unannouncedKey, userKeys } from "../store/keys.js";
import { redisPartitionStore } from "../store/redis/redis-partition-store.js";
import { toUnavailable } from "../store/redis/unavailable.js";
import { verifyJournal } from "../store/verify-journal.js";
import { noteText, readRecord } from "../users/user-text.js";
import { type BackupHead, type KeyLine, type PartitionLine, readBackup } from "./backup-file.js";
import { BackupDamagedError, RestoreFailedError, RestoreTargetError } from "./backup-errors.js";

const SCAN_COUNT = 1_000;
/** Bytes of values on their way to the server at a time, about. */
const IN_FLIGHT_BYTES = 4 * 1024 * 1024;
/** Clocks of the server and of whoever changed a user's record differ by no more than this. */
const CLOCK_TOLERANCE_MS = 10 * 60_000;

export interface BackupSummary {
  readonly head: BackupHead;
  readonly keys: number;
  readonly partitions: readonly PartitionLine[];
  /** Names this very backup: a hash of what it holds. */
  readonly name: string;
}

/**
 * Reads the whole file, and finds it as it was written.
 * @throws BackupFileError, BackupDamagedError
 */
export async function checkBackup(file: string, onKey: () => void = () => {}): Promise<BackupSummary> {
  let head: BackupHead | undefined;
  const partitions: PartitionLine[] = [];
  let keys = 0;
  const content = createHash("sha256");
  let said = -1;
  let at = 0;
  for await (const line of readBackup(file)) {
    at++;
    if ("kind" in line) head = line;
    else if ("partition" in line) partitions.push(line);
    else if ("end" in line) said = line.keys;
    else {
      keys++;
      content.update(`${line.key}:${line.value}:`);
      onKey();
    }
  }
  if (head === undefined || said !== keys || partitions.length !== head.deployment.partitionCount)
    throw new BackupDamagedError(file, at, "it does not hold all that its head and its end say");
  return { head, keys, partitions, name: content.digest("hex") };
}

/**
 * Restores a file that was checked. When it resolves, every partition's journal was verified against what the backup says of it.
 * @param onKey hears of each key that was written
 * @throws RestoreTargetError with nothing written
 * @throws RestoreFailedError, StoreUnavailableError, BackupFileError, BackupDamagedError
 */
export async function restoreBackup(
  redis: RedisConnection,
  prefix: string,
  file: string,
  { head, partitions, name }: BackupSummary,
  onKey: () => void = () => {},
): Promise<void> {
  const marker = deploymentKey(prefix);
  await claim(redis, prefix, name);
  let inFlight: Promise<unknown>[] = [];
  let bytes = 0;
  for await (const line of readBackup(file)) {
    if (!("key" in line)) continue;
    const restored = restoreKey(redis, prefix, line).then(onKey);
    // It is awaited with the others; until then it must not count as nobody's.
    restored.catch(() => undefined);
    inFlight.push(restored);
    bytes += line.value.length;
    if (bytes < IN_FLIGHT_BYTES) continue;
    await Promise.all(inFlight);
    [inFlight, bytes] = [[], 0];
  }
  await Promise.all(inFlight);
  await noteChangedUsers(redis, prefix, head);
  await noteVersions(redis, prefix);
  await verify(redis, prefix, head, partitions);
  // Both at once: until here no process can join, and from here on every one can.
  await answer(redis.multi().del(marker).hset(marker, head.deployment).exec());
}

/** @throws RestoreTargetError if anything but this restore's own beginning is there */
async function claim(redis: RedisConnection, prefix: string, name: string): Promise<void> {
  const marker = deploymentKey(prefix);
  const known = await answer(redis.hget(marker, RESTORING));
  if (known === name) return;
  if (known !== null) {
    throw new RestoreTargetError(`under the prefix ${prefix} another backup was begun to be restored`, {
      fix: "Run that restore to its end, or choose an empty Redis or another prefix.",
    });
  }
  const { done } = await answer(scanKeys(redis, `${prefix}:*`).next());
  if (done !== true) {
    throw new RestoreTargetError(`under the prefix ${prefix} there is a deployment already`, {
      fix: "Stop its processes, then restore into an empty Redis, into another directory (GATEHOUSE_DIRECTORY) or under another GATEHOUSE_PREFIX.",
    });
  }
  await answer(redis.hset(marker, RESTORING, name));
}

/** REPLACE: what an earlier attempt wrote is written once more. */
async function restoreKey(redis: RedisConnection, prefix: string, { key, ttlMs = 0, value }: KeyLine): Promise<void> {
  try {
    await redis.restore(`${prefix}:${key}`, ttlMs, Buffer.from(value, "base64"), "REPLACE");
  } catch (error) {
    const unavailable = toUnavailable(error, "restore", true);
    if (unavailable !== error) throw unavailable;
    throw new RestoreFailedError(`this Redis does not take ${key}: ${(error as Error).message}`, {
      cause: error,
      fix: "Restore into a Redis of the same version as the one that was backed up, or a newer one.",
    });
  }
}

/**
 * A change of a user that was told while the backup was made may be in the user's record and in none of the sessions, its note already
 * gone: workers tell it once more. A session that knows it takes no notice.
 */
async function noteChangedUsers(
  redis: RedisConnection,
  prefix: string,
  { deployment: { partitionCount, clock }, startedAt }: BackupHead,
): Promise<void> {
  for (let shard = 0; shard < partitionCount; shard++) {
    const { records, due } = userKeys(prefix, shard);
    let cursor = "0";
    do {
      const [next, pairs] = await answer(redis.hscan(records, cursor, "COUNT", SCAN_COUNT));
      for (let at = 0; at < pairs.length; at += 2) {
        const [field, text] = pairs.slice(at, at + 2) as [string, string];
        const record = readRecord(text);
        if (record === undefined) continue;
        // Where the clock is the events' own, it says nothing of when the backup was made.
        if (clock === "redis" && record.at < startedAt - CLOCK_TOLERANCE_MS) continue;
        await answer(redis.hset(due, field, noteText(record.version, { time: record.at })));
      }
      cursor = next;
    } while (cursor !== "0");
  }
}

/** Likewise a version that was published meanwhile: every partition is told once more, and takes an older one not at all. */
async function noteVersions(redis: RedisConnection, prefix: string): Promise<void> {
  const [before = "", after = ""] = catalogueKey(prefix, "*").split("*");
  const note = async (): Promise<void> => {
    for await (const names of scanKeys(redis, `${before}*${after}`)) {
      for (const name of names) {
        const tenant = name.slice(before.length, -after.length);
        const current = await redis.hget(name, "current");
        if (current !== null) await redis.hsetnx(unannouncedKey(prefix), `${tenant}/${current}`, "0");
      }
    }
  };
  await answer(note());
}

async function verify(
  redis: RedisConnection,
  prefix: string,
  { deployment }: BackupHead,
  partitions: readonly PartitionLine[],
): Promise<void> {
  const store = redisPartitionStore(redis, prefix, deployment);
  for (const { partition, seq, head } of partitions) {
    const verdict = await verifyJournal(store, partition);
    const isSame = verdict.intact && verdict.seq === seq && verdict.head === (head === "" ? GENESIS_HEAD : head);
    if (isSame) continue;
    const what = verdict.intact ? "ends elsewhere than the backup says" : `record ${verdict.seq} is ${verdict.reason}`;
    throw new RestoreFailedError(`the journal of partition ${partition} does not verify: ${what}`, {
      fix: "The journal was altered before the backup was made, or something else wrote to this Redis meanwhile. Restore into an empty Redis; if it fails again, take an earlier backup.",
    });
  }
}

async function answer<Reply>(reply: Promise<Reply>): Promise<Reply> {
  try {
    return await reply;
  } catch (error) {
    throw toUnavailable(error, "restore", true);
  }
}
