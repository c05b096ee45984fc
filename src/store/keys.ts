/**
 * Names of every key the store owns. All keys of a partition share the hash tag `{p<partition>}`, so that one script
 * may touch them all on Redis Cluster; the prefix lets several deployments share a server.
 */

export const DEFAULT_PREFIX = "gh";

export interface PartitionKeys {
  /** Stream: accepted events, the cursor's own entry included. */
  readonly inbox: string;
  /** Hash: token, cursor, seq, head, state, clock, journal size, duplicate window. */
  readonly meta: string;
  /** Hash: session key → snapshot. */
  readonly sessions: string;
  /** Sorted set: session key by earliest deadline, epoch ms. */
  readonly timers: string;
  /** Hash: session key → its newest uncommitted entry; each entry names the one before it. */
  readonly pending: string;
  /** Stream: `<seq>-0`, one record each. */
  readonly journal: string;
  /** Stream: `<seq>-<n>`, one undelivered effect each. */
  readonly outbox: string;
  /** Two hashes, event id → body, by fingerprint: the duplicate window's generations. */
  readonly seen: readonly [string, string];
  /** Hash: counter → value. */
  readonly counters: string;
  /** Sorted set: `<seq> <hash of the body> <hash> <erased at> <previous or nothing>` by seq, one tombstone each. */
  readonly tombstones: string;
}

/** @throws RangeError if the prefix could break the hash tag or is empty or longer than 64 characters */
export function checkedPrefix(prefix: string): string {
  if (!/^[A-Za-z0-9_.:-]{1,64}$/.test(prefix))
    throw new RangeError(`key prefix ${JSON.stringify(prefix)}: use 1–64 characters of A–Z a–z 0–9 _ . : -`);
  return prefix;
}

export function partitionKeys(prefix: string, partition: number): PartitionKeys {
  const base = `${checkedPrefix(prefix)}:{p${partition}}:`;
  return {
    inbox: `${base}inbox`,
    meta: `${base}meta`,
    sessions: `${base}sessions`,
    timers: `${base}timers`,
    pending: `${base}pending`,
    journal: `${base}journal`,
    outbox: `${base}outbox`,
    seen: [`${base}seen:0`, `${base}seen:1`],
    counters: `${base}counters`,
    tombstones: `${base}tombstones`,
  };
}

/** Stream: where a partition's stream is written anew, for as long as that takes. */
export const copyKey = (stream: string): string => `${stream}:copy`;

export interface UserKeys {
  /** Hash: `tenant/user` → the user's record. */
  readonly records: string;
  /** Hash: `tenant/user` → the change that not every session of the user was told yet. */
  readonly due: string;
  /** Hash: duplicate window. */
  readonly meta: string;
  /** Two hashes, event id → body, by fingerprint: the duplicate window's generations. */
  readonly seen: readonly [string, string];
  /** Hash: `device/app` of each session of one user (a small hash takes a third of the memory of a small set). */
  readonly sessions: (user: string) => string;
}

/**
 * Users are spread over as many slots as the deployment has partitions: the keys of a shard share the hash tag `{u<shard>}`.
 * @throws RangeError as partitionKeys
 */
export function userKeys(prefix: string, shard: number): UserKeys {
  const base = `${checkedPrefix(prefix)}:{u${shard}}:`;
  return {
    records: `${base}records`,
    due: `${base}due`,
    meta: `${base}meta`,
    seen: [`${base}seen:0`, `${base}seen:1`],
    sessions: (user) => `${base}sessions:${user}`,
  };
}

/** Hash: what the deployment was created with. */
export function deploymentKey(prefix: string): string {
  return `${checkedPrefix(prefix)}:deployment`;
}

/** Hash: one tenant's catalogue: its versions, which of them is current, and the draft of the next one. */
export function catalogueKey(prefix: string, tenant: string): string {
  return `${checkedPrefix(prefix)}:{catalogue:${tenant}}`;
}

/** Hash: `tenant/version` → time of the change, of versions that not every partition may have been told of. */
export function unannouncedKey(prefix: string): string {
  return `${checkedPrefix(prefix)}:unannounced`;
}

/** Stream: what was erased, by whom and when. */
export function erasuresKey(prefix: string): string {
  return `${checkedPrefix(prefix)}:erasures`;
}

export interface AuditKeys {
  /** Stream: what administrators did: one entry when an act begins, one when it ends. */
  readonly log: string;
  /** Hash: ids of entries of acts that have begun and not ended. */
  readonly open: string;
  /** String: by which people are told apart in it without being named. */
  readonly salt: string;
}

export function auditKeys(prefix: string, tenant: string): AuditKeys {
  const base = `${checkedPrefix(prefix)}:{audit:${tenant}}:`;
  return { log: `${base}log`, open: `${base}open`, salt: `${base}salt` };
}

/** String: by which a process finds out whether it has the deployment's secret key. */
export function secretCheckKey(prefix: string): string {
  return `${checkedPrefix(prefix)}:secret-check`;
}

/** Hash: id → API key, without its secret. */
export function apiKeysKey(prefix: string): string {
  return `${checkedPrefix(prefix)}:api-keys`;
}

export interface WebhookKeys {
  /** Hash: endpoint id → its record. */
  readonly records: string;
  /** String: counts the changes to them. */
  readonly version: string;
}

export function webhookKeys(prefix: string): WebhookKeys {
  const base = `${checkedPrefix(prefix)}:{webhooks}:`;
  return { records: `${base}records`, version: `${base}version` };
}

export interface DeliveryKeys {
  /** Hash: lease, breaker, counters. */
  readonly meta: string;
  /** Sorted set: deliveries that wait, by when the next attempt is due, epoch ms. */
  readonly due: string;
  /** Hash: effect id → `<attempts>|<delivery>`. */
  readonly deliveries: string;
  /** Sorted sets: deliveries that were given up, and those that arrived, by when, epoch ms. */
  readonly spent: string;
  readonly delivered: string;
}

/** @param queue a webhook endpoint's id, or what else takes deliveries */
export function deliveryKeys(prefix: string, queue: string): DeliveryKeys {
  const base = `${checkedPrefix(prefix)}:{d:${queue}}:`;
  return {
    meta: `${base}meta`,
    due: `${base}due`,
    deliveries: `${base}deliveries`,
    spent: `${base}spent`,
    delivered: `${base}delivered`,
  };
}

/** String, one for each process that asks whether the server takes writes: written and read back. */
export function canaryKey(prefix: string, processId: string): string {
  return `${checkedPrefix(prefix)}:canary:${processId}`;
}
