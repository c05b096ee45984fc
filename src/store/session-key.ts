/**
 * Hashes that name things in the store: short, of fixed length, and the same in every process and release.
 * Changing any of them orphans what is stored.
 */
import { hash } from "node:crypto";
import type { Append, SessionKey } from "./partition-store.js";

/** Characters of base64url kept of a SHA-256: 96 bits for ids, 72 for a body that is compared with one other. */
const ID_CHARS = 16;
const BODY_CHARS = 12;

/** The session's field in its partition's hashes: 16 characters of [A-Za-z0-9_-]. */
export function sessionKey(sessionId: string): SessionKey {
  return hash("sha256", sessionId, "base64url").slice(0, ID_CHARS);
}

/**
 * The partition that owns a device, in `[0, partitionCount)`. All sessions of one device share it, so one device's
 * events have one order.
 * @throws RangeError if `partitionCount` is not a positive integer
 */
export function partitionOf(tenant: string, device: string, partitionCount: number): number {
  if (!Number.isInteger(partitionCount) || partitionCount < 1)
    throw new RangeError(`partitionCount must be a positive integer, not ${partitionCount}`);
  return Number.parseInt(hash("sha256", `${tenant}/${device}`, "hex").slice(0, 8), 16) % partitionCount;
}

/** The shard that keeps a user's record and index, in `[0, shardCount)`; stable like a partition. */
export function userShardOf(tenant: string, user: string, shardCount: number): number {
  return partitionOf(tenant, user, shardCount);
}

/**
 * What makes an event the same event. The tenant belongs to it: producers choose `source` and `id`, and one tenant
 * must not be able to use up another's ids. `body` is what was sent, before anything is added to it.
 */
export function fingerprint(
  tenant: string,
  source: string,
  id: string,
  body: string,
): NonNullable<Append["fingerprint"]> {
  // Lengths in front: source and id are free text, and no separator could tell them apart.
  const name = `${tenant.length}:${source.length}:${tenant}${source}${id}`;
  return {
    id: hash("sha256", name, "base64url").slice(0, ID_CHARS),
    body: hash("sha256", body, "base64url").slice(0, BODY_CHARS),
  };
}

/**
 * The fingerprint of an entry that Gatehouse itself makes. No producer's event can have it, since no source is empty.
 * @param name what it is and for which session: the same whenever the same entry is made again
 */
export function ownFingerprint(tenant: string, name: string, body: string): NonNullable<Append["fingerprint"]> {
  return fingerprint(tenant, "", name, body);
}
