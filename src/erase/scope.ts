/** Whose data an erasure is about, and how to tell them in what is stored. */
import { canonicalId } from "../../machines/users/canonical-id.js";
import { sessionIdParts } from "../../machines/session/session.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { UserId } from "../users/user-store.js";

/** A person of a tenant; with a device, their use of that device alone. Ids are canonical. */
export interface ErasureScope extends UserId {
  readonly device?: string;
}

/** What stands in every text that names one of their sessions, though not in these alone. */
export const sessionNeedle = ({ user, device }: ErasureScope): string =>
  device === undefined ? `/${user}/` : `/${device}/${user}/`;

/** Whether the session is theirs; what is no session's id is nobody's. */
export function isTheirs({ tenant, user, device }: ErasureScope, session: unknown): boolean {
  if (typeof session !== "string" || session.split("/").length !== 4) return false;
  const id = sessionIdParts(session as Parameters<typeof sessionIdParts>[0]);
  return id.tenant === tenant && id.user === user && (device === undefined || id.device === device);
}

/** Fields by which an event of one person names another. */
const NAMING = ["accountId", "fromAccountId", "toAccountId", "allowedAccountIds"] as const;

/** Whether the record of somebody else's session on the same tenant's device names them. */
export function namesThem(scope: ErasureScope, { session, event }: Pick<JournalRecord, "session" | "event">): boolean {
  const { tenant, device } = sessionIdParts(session);
  if (tenant !== scope.tenant || (scope.device !== undefined && device !== scope.device)) return false;
  const fields = event as unknown as Readonly<Record<string, unknown>>;
  return NAMING.flatMap((name) => fields[name]).some(
    (named) => typeof named === "string" && canonicalId(named) === scope.user,
  );
}

/**
 * What the tombstone of a record says beside its hashes: of their own session nothing, of another one that names them the record before it.
 * `undefined`: the record says nothing of them.
 */
export function erasedPart(scope: ErasureScope, record: JournalRecord): { readonly previous?: number } | undefined {
  if (isTheirs(scope, record.session)) return {};
  return namesThem(scope, record) ? { previous: record.previous ?? 0 } : undefined;
}

/** What stands in every text that names them in any way: a GUID may be written in capitals. */
export function nameNeedles({ user }: ErasureScope): string[] {
  const capitals = user.toUpperCase();
  return canonicalId(capitals) === user && capitals !== user ? [user, capitals] : [user];
}
