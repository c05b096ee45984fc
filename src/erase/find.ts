/**
 * What a partition holds about a person. Everything is looked through: an index names sessions that began, but events of sessions that
 * never did have records, too.
 */
import type { JournalRecord } from "../../machines/outcome.js";
import type { EntryId, Found, PartitionStore, Place, SessionKey, Tombstone } from "../store/partition-store.js";
import { firstOf } from "../store/entry-id.js";
import { bodyHash } from "../store/journal-chain.js";
import { sessionKey } from "../store/session-key.js";
import { type ErasureScope, erasedPart, isTheirs, nameNeedles, namesThem, sessionNeedle } from "./scope.js";

type Event = JournalRecord["event"];

/** Texts looked through in one call: about a millisecond of the store's time. */
const PAGE = 500;

export interface Findings {
  /** Snapshots of their sessions as they are stored. */
  readonly sessions: ReadonlyMap<SessionKey, string>;
  /** Ids of their sessions, of those without a snapshot, too. */
  readonly ids: ReadonlySet<string>;
  readonly entries: readonly { readonly id: EntryId; readonly session: SessionKey }[];
  readonly records: readonly Pick<Tombstone, "seq" | "bodyHash" | "previous">[];
  readonly effects: readonly string[];
  /** Waiting events of other people's sessions that name them: they go once they have been processed. */
  readonly othersWaiting: number;
}

/**
 * @param journalFrom number of the record behind which the journal is looked through
 * @throws StoreUnavailableError
 */
export async function findInPartition(
  store: PartitionStore,
  partition: number,
  scope: ErasureScope,
  journalFrom = 0,
): Promise<Findings> {
  const needle = sessionNeedle(scope);
  const all = (place: Place, text: string, from: string | null = null) =>
    searchAll(store, partition, place, text, from);
  const ids = new Set<string>();
  const theirs = (session: unknown): session is string => {
    if (!isTheirs(scope, session)) return false;
    ids.add(session as string);
    return true;
  };

  const sessions = new Map<SessionKey, string>();
  for await (const { id, body } of all("sessions", needle)) if (theirs(idIn(body))) sessions.set(id, body);

  const entries: { id: EntryId; session: SessionKey }[] = [];
  let othersWaiting = 0;
  const { cursor } = await store.load(partition, { entries: 1, bytes: 1 });
  for (const text of new Set([needle, ...nameNeedles(scope)])) {
    for await (const { id, body } of all("inbox", text)) {
      // `r`: events that were set aside and are taken in again with it.
      const { s: session, e, r = [] } = JSON.parse(body) as { s?: string; e?: Event; r?: { event: Event }[] };
      if (session === undefined || e === undefined) continue;
      const events = [e, ...r.map(({ event }) => event)];
      if (text === needle && theirs(session)) entries.push({ id, session: sessionKey(session) });
      else if (text !== needle && id !== cursor && !isTheirs(scope, session)) {
        if (events.some((event) => namesThem(scope, { session, event }))) othersWaiting++;
      }
    }
  }

  const effects: string[] = [];
  for await (const { id, body } of all("outbox", needle))
    if (theirs((JSON.parse(body) as { session: string }).session)) effects.push(id);

  const records = new Map<number, Findings["records"][number]>();
  for (const text of nameNeedles(scope)) {
    for await (const { id, body } of all("journal", text, journalFrom === 0 ? null : `${journalFrom}-0`)) {
      const record = JSON.parse(body) as JournalRecord;
      const seq = firstOf(id);
      theirs(record.session);
      const part = erasedPart(scope, record);
      if (part !== undefined) records.set(seq, { seq, bodyHash: bodyHash(body), ...part });
    }
  }
  return { sessions, ids, entries, records: [...records.values()], effects, othersWaiting };
}

async function* searchAll(
  store: PartitionStore,
  partition: number,
  place: Place,
  text: string,
  from: string | null,
): AsyncGenerator<Found> {
  let position = from;
  do {
    const page: Awaited<ReturnType<PartitionStore["search"]>> = await store.search(
      partition,
      place,
      text,
      position,
      PAGE,
    );
    yield* page.found;
    position = page.next;
  } while (position !== null);
}

/** The session that a snapshot is of; read though the rest of it can't be, so that a damaged one goes, too. */
const idIn = (snapshot: string): string | undefined => /"id":"([^"]+)"/.exec(snapshot)?.[1];
