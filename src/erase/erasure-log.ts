/**
 * Which erasures were made, when and by whom, for whoever has to account for them. Of whom is not kept in the clear: a keyed hash lets
 * those who hold the deployment's secret check whether a certain person was erased, and tells nobody else anything.
 */
import { createHmac } from "node:crypto";
import { type RedisConnection, withReplica } from "../redis/connection.js";
import { z } from "zod";
import type { SecretKey } from "../secrets/secret-key.js";
import { erasuresKey } from "../store/keys.js";
import { toUnavailable } from "../store/redis/unavailable.js";
import type { Erased } from "./erase-person.js";
import type { ErasureScope } from "./scope.js";

/** Erasures that are remembered, about. */
const KEPT = 10_000;

const LoggedErasure = z.strictObject({
  tenant: z.string(),
  by: z.string(),
  what: z.enum(["person", "device"]),
  subject: z.string().optional(),
  despiteWipe: z.boolean(),
  erased: z.record(z.string(), z.number()),
});

export interface LoggedErasure extends z.infer<typeof LoggedErasure> {
  /** By the server's clock, epoch ms. */
  readonly at: number;
}

export interface LoggedBy {
  /** Who erases: a user of the machine, or an API key's id. */
  readonly by: string;
  /** Absent: the hash is left out. */
  readonly secretKey?: SecretKey | undefined;
  /** It was made although a wipe was pending. */
  readonly despiteWipe: boolean;
}

export function subjectHash({ tenant, user, device }: ErasureScope, secretKey: SecretKey): string {
  const name = ["erased", tenant, user, ...(device === undefined ? [] : [device])].join("/");
  return createHmac("sha256", secretKey.derive("audit")).update(name).digest("hex");
}

/** @throws StoreUnavailableError */
export async function logErasure(
  redis: RedisConnection,
  prefix: string,
  scope: ErasureScope,
  erased: Erased,
  { by, secretKey, despiteWipe }: LoggedBy,
): Promise<void> {
  const entry: z.infer<typeof LoggedErasure> = {
    tenant: scope.tenant,
    by,
    what: scope.device === undefined ? "person" : "device",
    ...(secretKey && { subject: subjectHash(scope, secretKey) }),
    despiteWipe,
    erased: { ...erased },
  };
  try {
    const key = erasuresKey(prefix);
    const text = JSON.stringify(entry);
    await withReplica(redis, key, (node) => node.xadd(key, "MAXLEN", "~", KEPT, "*", "e", text));
  } catch (error) {
    throw toUnavailable(error, "erasure log", true);
  }
}

/**
 * The tenant's, newest first.
 * @throws StoreUnavailableError
 */
export async function readErasures(redis: RedisConnection, prefix: string, tenant: string): Promise<LoggedErasure[]> {
  try {
    const rows = await redis.xrevrange(erasuresKey(prefix), "+", "-");
    return rows
      .map(([id, fields]) => ({ at: Number.parseInt(id, 10), ...LoggedErasure.parse(JSON.parse(fields[1] as string)) }))
      .filter((entry) => entry.tenant === tenant);
  } catch (error) {
    throw toUnavailable(error, "erasure log", false);
  }
}
