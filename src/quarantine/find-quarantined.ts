/** Which sessions were set aside: those that an event could not be applied to, and those whose snapshot can't be read. */
import { type SessionId, sessionIdParts } from "../../machines/session/session.js";
import { canonicalId } from "../../machines/users/canonical-id.js";
import type { PartitionStore } from "../store/partition-store.js";
import { readStored } from "../store/partition-view.js";

/** Snapshots read at a time. */
const PAGE = 500;

export const QUARANTINE_KINDS = ["quarantined", "unreadable"] as const;

export interface QuarantinedSession {
  /** `null`: the snapshot does not even tell whose it is. */
  readonly session: SessionId | null;
  readonly partition: number;
  readonly kind: (typeof QUARANTINE_KINDS)[number];
  readonly reason: string;
  /** When it was set aside, epoch ms; absent of an unreadable one. */
  readonly at?: number;
  /** Type of the event that could not be applied. */
  readonly event?: string;
  /** Where it rests. */
  readonly state?: string;
}

export interface QuarantineFilter {
  readonly kind?: QuarantinedSession["kind"] | undefined;
  /** Part of the reason. */
  readonly reason?: string | undefined;
  readonly event?: string | undefined;
  readonly partition?: number | undefined;
  readonly device?: string | undefined;
  readonly user?: string | undefined;
}

/**
 * Looks through every stored session.
 * @param onLooked told how many more were looked at
 * @throws StoreUnavailableError, MachineVersionError
 */
export async function findQuarantined(
  store: PartitionStore,
  tenant: string,
  filter: QuarantineFilter,
  onLooked: (count: number) => void = () => undefined,
): Promise<QuarantinedSession[]> {
  const { partitionCount } = store.deployment;
  const partitions =
    filter.partition === undefined
      ? Array.from({ length: partitionCount }, (_, partition) => partition)
      : [filter.partition];
  const found = new Map<string, QuarantinedSession>();
  for (const partition of partitions) {
    let from: string | null = null;
    do {
      const page: Awaited<ReturnType<PartitionStore["scan"]>> = await store.scan(partition, from, PAGE);
      for (const text of page.snapshots) {
        const one = readQuarantined(text, partition);
        if (one !== undefined && isWanted(one, tenant, filter)) found.set(one.session ?? text, one);
      }
      onLooked(page.snapshots.length);
      from = page.next;
    } while (from !== null);
  }
  return [...found.values()].sort((one, other) => ((one.session ?? "") < (other.session ?? "") ? -1 : 1));
}

function readQuarantined(text: string, partition: number): QuarantinedSession | undefined {
  const stored = readStored(text);
  if ("unreadable" in stored) {
    const session = /"id":"([^"/]+\/[^"/]+\/[^"/]+\/[^"/]+)"/.exec(text)?.[1] ?? null;
    return { session, partition, kind: "unreadable", reason: stored.unreadable };
  }
  const { id, state, quarantine } = stored;
  if (quarantine === undefined) return undefined;
  const { reason, at, event } = quarantine;
  return { session: id, partition, kind: "quarantined", reason, at, ...(event !== undefined && { event }), state };
}

function isWanted(one: QuarantinedSession, tenant: string, filter: QuarantineFilter): boolean {
  const { kind, reason, event, device, user } = filter;
  // Nobody's snapshot may be anybody's: it is shown to whoever asks for no device and no user.
  const of = one.session === null ? undefined : sessionIdParts(one.session);
  return (
    (of === undefined || of.tenant === tenant) &&
    (kind === undefined || kind === one.kind) &&
    (reason === undefined || one.reason.includes(reason)) &&
    (event === undefined || event === one.event) &&
    (device === undefined || of?.device === canonicalId(device)) &&
    (user === undefined || of?.user === canonicalId(user))
  );
}
