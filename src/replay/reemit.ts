/** Recorded events, sent in once more as they were: whatever is remembered of them makes them duplicates, and the rest are accepted. */
import type { JournalRecord } from "../../machines/outcome.js";
import { sessionIdParts } from "../../machines/session/session.js";
import { isInput } from "../../machines/session-replay.js";
import { eventBody } from "../ingest/inbox-body.js";
import type { IngestTarget } from "../ingest/ingest.js";
import { isTombstone } from "../store/journal-chain.js";
import type { Append, JournalEntry } from "../store/partition-store.js";
import { fingerprint, sessionKey } from "../store/session-key.js";

export interface ReemitScope {
  readonly tenant: string;
  readonly session?: string | undefined;
  /** Epoch ms, by the clock of the record. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export interface Reemitted {
  readonly accepted: number;
  readonly duplicate: number;
  readonly conflict: number;
}

/** The records among these whose events were reported from outside, and are about one session and no user. */
export function reported(
  entries: readonly JournalEntry[],
  { tenant, session, since, until }: ReemitScope,
): JournalRecord[] {
  const found: JournalRecord[] = [];
  for (const entry of entries) {
    if (isTombstone(entry)) continue;
    const record = JSON.parse(entry.body) as JournalRecord;
    if (record.origin === undefined || record.userVersion !== undefined || !isInput(record)) continue;
    if (!record.session.startsWith(`${tenant}/`) || (session !== undefined && record.session !== session)) continue;
    if ((since !== undefined && record.at < since) || (until !== undefined && record.at > until)) continue;
    found.push(record);
  }
  return found;
}

/**
 * @param records of one partition, in order
 * @throws StoreUnavailableError
 */
export async function reemit(
  { store, wake }: IngestTarget,
  partition: number,
  records: readonly JournalRecord[],
): Promise<Reemitted> {
  const appends = records.flatMap(({ session, event, origin }): Append[] => {
    if (origin === undefined) return [];
    const { source, id, time } = origin;
    const { tenant, device } = sessionIdParts(session);
    const body = eventBody({ session, device, source, id, time, event });
    return [{ session: sessionKey(session), body, time, fingerprint: fingerprint(tenant, source, id, body) }];
  });
  const { results, wake: isWoken } = await store.ingest(partition, appends);
  if (isWoken) wake(partition);
  const sum = { accepted: 0, duplicate: 0, conflict: 0 };
  for (const { status } of results) sum[status]++;
  return sum;
}
