/** What is known of one session that was set aside: since when, why, and the records of what came since. */
import type { Occurrence } from "../../machines/step-record.js";
import type { JournalRecord } from "../../machines/outcome.js";
import { organisationEvents, setAsideEvents } from "../../machines/quarantine.js";
import { type SessionId, sessionIdParts } from "../../machines/session/session.js";
import { readHistory } from "../sessions/history.js";
import type { PartitionStore } from "../store/partition-store.js";
import { readStored } from "../store/partition-view.js";
import { partitionOf, sessionKey } from "../store/session-key.js";
import { NotQuarantinedError } from "./quarantine-errors.js";

/** Journal records looked through at a time. */
const PAGE = 500;

export interface SetAside {
  readonly session: SessionId;
  readonly partition: number;
  readonly kind: "quarantined" | "unreadable";
  readonly reason: string;
  /** Epoch ms; absent of an unreadable one. */
  readonly at?: number;
  readonly event?: string;
  readonly state?: string;
  /** Number of the last record that is known of it; 0: none. */
  readonly lastRecord: number;
  /** Since it was set aside, oldest first; of an unreadable one all that the journal holds. */
  readonly records: readonly JournalRecord[];
  /** Records are missing at the beginning: the journal no longer holds them. */
  readonly isCut: boolean;
  /** Events that a redrive applies, in their order. */
  readonly toRedrive: readonly Occurrence[];
  /** Of them, what is still obeyed when the session is given up: what the organisation's side reported. */
  readonly toObey: readonly Occurrence[];
  /** Accepted events of the session that no worker has come to. */
  readonly waiting: number;
  /** The partition's clock, epoch ms. */
  readonly now: number;
}

/**
 * @returns `undefined`: there is no such session
 * @throws NotQuarantinedError, StoreUnavailableError, MachineVersionError
 */
export async function readSetAside(store: PartitionStore, session: SessionId): Promise<SetAside | undefined> {
  const { tenant, device } = sessionIdParts(session);
  const partition = partitionOf(tenant, device, store.deployment.partitionCount);
  const key = sessionKey(session);
  const { now, snapshot, entries } = await store.peek(partition, key);
  if (snapshot === null) return undefined;
  const waiting = entries.filter((entry) => entry.session === key).length;
  const stored = readStored(snapshot);
  if ("unreadable" in stored) {
    const records = await recordsNaming(store, partition, session);
    return {
      session,
      partition,
      kind: "unreadable",
      reason: stored.unreadable,
      lastRecord: records.at(-1)?.seq ?? 0,
      records,
      isCut: records[0]?.event.type !== "account.signedIn",
      toRedrive: [],
      toObey: organisationEvents(records),
      waiting,
      now,
    };
  }
  const { quarantine, lastRecord, state } = stored;
  if (quarantine === undefined) throw new NotQuarantinedError(session);
  const { reason, at, event, since } = quarantine;
  const { records, cut } = await readHistory(store, partition, lastRecord, { after: since?.record ?? 0 });
  return {
    session,
    partition,
    kind: "quarantined",
    reason,
    at,
    ...(event !== undefined && { event }),
    state,
    lastRecord,
    records,
    isCut: cut !== undefined,
    toRedrive: setAsideEvents(records),
    toObey: organisationEvents(records),
    waiting,
    now,
  };
}

/** Of a session without a readable snapshot no record leads to the one before: the journal is looked through. */
async function recordsNaming(store: PartitionStore, partition: number, session: SessionId): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  let position: string | null = null;
  do {
    const page: Awaited<ReturnType<PartitionStore["search"]>> = await store.search(
      partition,
      "journal",
      `"session":"${session}"`,
      position,
      PAGE,
    );
    for (const { body } of page.found) {
      const record = JSON.parse(body) as JournalRecord;
      if (record.session === session) records.push(record);
    }
    position = page.next;
  } while (position !== null);
  return records;
}
