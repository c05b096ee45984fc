/**
 * Telling every partition that a version is in force. A partition obeys from its broadcast on. A publisher may die between storing
 * a version and the last broadcast; the version is noted before it is stored, so that others can do the rest.
 */
import { publishBody } from "../ingest/inbox-body.js";
import type { Wake } from "../ingest/ingest.js";
import { BROADCAST, type PartitionStore } from "../store/partition-store.js";
import { fingerprint } from "../store/session-key.js";
import type { RedisCatalogues, Unannounced } from "./redis-catalogues.js";

export interface AnnounceTarget {
  readonly store: PartitionStore;
  readonly catalogues: Pick<RedisCatalogues, "current" | "unannounced" | "noteAnnounced">;
  readonly wake: Wake;
}

/** @throws StoreUnavailableError; then some partitions may have been told, and the note stands */
export async function announce({ store, catalogues, wake }: AnnounceTarget, version: Unannounced): Promise<void> {
  await broadcast(store, wake, version.tenant, version.version, version.time);
  await catalogues.noteAnnounced(version);
}

/**
 * Does the rest for publishers that died. Safe to call at any time and side by side with a publisher at work: a partition takes each
 * version once, and an older one not at all.
 * @returns how many versions were announced
 * @throws StoreUnavailableError
 */
export async function resumeAnnouncements(target: AnnounceTarget): Promise<number> {
  let announced = 0;
  for (const version of await target.catalogues.unannounced()) {
    // One that is not stored yet is its publisher's business, or that of whoever publishes it instead.
    if ((await target.catalogues.current(version.tenant)) < version.version) continue;
    await announce(target, version);
    announced++;
  }
  return announced;
}

/** Tells every partition of a version. Safe to repeat. */
export async function broadcast(
  store: PartitionStore,
  wake: Wake,
  tenant: string,
  version: number,
  time: number,
): Promise<void> {
  const body = publishBody(tenant, version);
  await Promise.all(
    Array.from({ length: store.deployment.partitionCount }, async (_, partition) => {
      const { wake: atRest } = await store.ingest(partition, [
        {
          session: BROADCAST,
          body,
          time,
          fingerprint: fingerprint(tenant, "gatehouse/publish", String(version), body),
        },
      ]);
      if (atRest) wake(partition);
    }),
  );
}
