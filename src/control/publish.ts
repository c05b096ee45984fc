/**
 * Publishing: the next catalogue version is stored, then told to every partition. A partition obeys from its broadcast on, so a
 * publish that was cut short is finished by publishing the same version's broadcasts again.
 */
import { publishBody } from "../ingest/inbox-body.js";
import type { Wake } from "../ingest/ingest.js";
import { BROADCAST, type PartitionStore } from "../store/partition-store.js";
import { fingerprint } from "../store/session-key.js";
import { type CatalogueDocument, readCatalogue } from "./catalogue-document.js";
import type { RedisCatalogues } from "./redis-catalogues.js";

export interface PublishOptions {
  /** The moment of the change, epoch ms: only where the clock is the events' own. */
  readonly time?: number;
}

/**
 * @returns the version now in force
 * @throws PolicyError or ZodError before anything is stored; CatalogueOutdatedError if somebody else published meanwhile
 */
export async function publish(
  { store, catalogues, wake }: { store: PartitionStore; catalogues: RedisCatalogues; wake: Wake },
  tenant: string,
  content: Omit<CatalogueDocument, "version">,
  { time = 0 }: PublishOptions = {},
): Promise<number> {
  const version = (await catalogues.current(tenant)) + 1;
  const document: CatalogueDocument = { ...content, version };
  readCatalogue(document);
  await catalogues.store(tenant, document);
  await broadcast(store, wake, tenant, version, time);
  return version;
}

/** Tells every partition of a version. Safe to repeat: a partition takes each version once. */
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
