/**
 * Whether a partition is what its journal says: the chain holds, no record is missing, each names the one before it, each comes out
 * again, and every stored session is where its records lead.
 */
import type { Session, SessionId } from "../../machines/session/session.js";
import { MACHINE_VERSION } from "../../machines/session/chart.js";
import { encodeSession, snapshotVersion } from "../../machines/session/snapshot.js";
import type { NotReplayed } from "../../machines/session-replay.js";
import { RulesSource } from "../control/rules-source.js";
import { GENESIS_HEAD, verifyChain } from "../store/journal-chain.js";
import type { SessionKey } from "../store/partition-store.js";
import { readStored } from "../store/partition-view.js";
import { sessionKey } from "../store/session-key.js";
import { foldEntries } from "./fold-journal.js";
import { type ReplaySource, pagesOf, reachOf } from "./journal-source.js";
import { type DivergedSession, PartitionReplay } from "./partition-replay.js";

/** Sessions compared at a time. */
const CHUNK = 500;
const MOST_NAMED = 20;

/** What is wrong with one record or session. */
export interface Fault {
  readonly partition: number;
  /** Of the record; of a session that is not where its records lead, the last record that it names. */
  readonly seq: number;
  readonly what:
    /** The journal has no record of this number. */
    | "missing"
    /** Its text, or the record before it, does not give its hash. */
    | "altered"
    /** It stands behind the record that the partition names as its last. */
    | "surplus"
    /** The partition's own last hash is another one. */
    | "head"
    /** It comes out otherwise when it is folded again. */
    | "diverged"
    /** The stored session is another one, or is stored in another one's place. */
    | "snapshot"
    /** The records lead to a session that is not stored. */
    | "snapshotMissing"
    /** The stored session can't be read. */
    | "snapshotUnreadable";
  readonly session?: SessionId;
  readonly detail?: DivergedSession;
}

export interface PartitionVerdict {
  readonly partition: number;
  readonly records: number;
  readonly tombstones: number;
  /** The newest record, and its hash. */
  readonly seq: number;
  readonly head: string;
  /** The oldest that is kept; records before it were trimmed. */
  readonly oldest: number;
  /** Sessions that were folded again and compared with what is stored. */
  readonly compared: number;
  /** Sessions that could not be. */
  readonly notReplayed: Readonly<Record<NotReplayed, number>>;
  readonly faultCount: number;
  /** In the order of their records; not more than some of each kind. */
  readonly faults: readonly Fault[];
}

/**
 * Beside running workers: what they commit meanwhile is taken along.
 * @throws StoreUnavailableError, CatalogueMissingError, ArchiveFileError, ArchiveDamagedError
 */
export async function verifyPartition(
  from: ReplaySource,
  partition: number,
  onRecords: (records: number) => void = () => {},
): Promise<PartitionVerdict> {
  const faults: Fault[] = [];
  let faultCount = 0;
  const fault = (seq: number, what: Fault["what"], more: Partial<Fault> = {}): void => {
    faultCount++;
    if (faults.filter((one) => one.what === what).length < MOST_NAMED) faults.push({ partition, seq, what, ...more });
  };

  const source = new RulesSource(from.catalogues, Infinity);
  const { oldest, begin, ...reach } = await reachOf(from, partition);
  let { last, clock } = reach;
  await source.prepare(begin?.policies ?? {});
  const replay = new PartitionReplay({ rules: source.rulesOf, ...(begin && { begin }) });
  let head = oldest === 1 ? GENESIS_HEAD : undefined;
  let next = oldest;
  let isBroken = false;
  let storedHead: string | undefined;
  let passedBy = 0;

  const readUpTo = async (upTo: number): Promise<void> => {
    for await (const page of pagesOf(from, partition, next, upTo)) {
      for (const entry of page.entries) {
        // After the first fault the chain says nothing about what follows it.
        if (head === undefined || isBroken) head = entry.hash;
        else {
          const verdict = verifyChain(head, next, [entry]);
          if (!verdict.intact) {
            isBroken = true;
            fault(verdict.seq, verdict.reason);
          }
          head = entry.hash;
        }
        next = entry.seq + 1;
      }
      if (!isBroken && next <= page.upTo) {
        isBroken = true;
        fault(next, "missing");
      }
      next = page.upTo + 1;
      // Of what is before the beginning the chain alone is checked.
      const folded = begin === undefined ? page.entries : page.entries.filter(({ seq }) => seq > begin.seq);
      await foldEntries(replay, source, folded);
      passedBy += page.entries.length - folded.length;
      onRecords(page.entries.length);
    }
  };

  const seen = new Set<SessionId>();
  let compared = 0;
  const compare = (key: SessionKey, text: string): void => {
    const stored = readStored(text);
    if ("unreadable" in stored) {
      fault(0, "snapshotUnreadable");
      return;
    }
    if (sessionKey(stored.id) !== key) {
      fault(stored.lastRecord, "snapshot", { session: stored.id });
      return;
    }
    const again = replay.recorded(stored.id);
    seen.add(stored.id);
    if (again === undefined) {
      const isTold = oldest === 1 || begin !== undefined;
      if (isTold) fault(stored.lastRecord, "snapshot", { session: stored.id });
      return;
    }
    again.end(stored.asOf);
    if (again.notReplayed !== undefined || again.divergence !== undefined) return;
    compared++;
    const expected = again.session && encodeSession(broughtLike(stored, again.session));
    // Its text counts, to the letter: what reading passes over was written by nobody. That of an older machine is read as today's.
    const found = snapshotVersion(text) === MACHINE_VERSION ? text : encodeSession(stored);
    if (expected !== found) fault(stored.lastRecord, "snapshot", { session: stored.id });
  };

  let firstLast = last;
  const nameMissing = (): void => {
    for (const { id, session, last: record, notReplayed, divergence } of replay.sessions) {
      const isSettled = notReplayed === undefined && divergence === undefined;
      if (isSettled && session !== undefined && !seen.has(id) && (record?.seq ?? 0) <= firstLast) {
        fault(session.lastRecord, "snapshotMissing", { session: id });
      }
    }
  };

  const { store, archive } = from;
  if (store !== undefined) {
    await readUpTo(last);
    let position: string | null = null;
    do {
      const chunk: Awaited<ReturnType<typeof store.chunk>> = await store.chunk(partition, position, CHUNK);
      if (chunk.restarted) seen.clear();
      ({ seq: last, head: storedHead, clock } = chunk);
      await readUpTo(last);
      for (const [key, text] of chunk.snapshots) compare(key, text);
      position = chunk.next;
    } while (position !== null);
  } else {
    // Without Redis the newest checkpoint tells where the sessions were.
    const checkpoint = await archive?.checkpoint(partition, last);
    firstLast = checkpoint?.seq ?? 0;
    await readUpTo(firstLast);
    if (checkpoint) for (const [key, text] of checkpoint.snapshots) compare(key, text);
    nameMissing();
    await readUpTo(last);
  }

  if (store !== undefined) {
    nameMissing();
    // In this order: what was committed in between is behind neither.
    const newest = await store.newestRecord(partition);
    const { seq: named } = await store.chunk(partition, null, 1);
    if (newest !== null && newest > named) fault(newest, "surplus");
  }
  if (!isBroken && last > 0 && storedHead !== undefined && head !== storedHead) fault(last, "head");
  const report = replay.report(clock);
  for (const detail of report.divergences) fault(detail.seq, "diverged", { session: detail.session, detail });
  faultCount += report.diverged - report.divergences.length;
  return {
    partition,
    records: report.records + passedBy,
    tombstones: report.tombstones,
    seq: last,
    head: head ?? GENESIS_HEAD,
    oldest,
    compared,
    notReplayed: report.notReplayed,
    faultCount,
    faults: faults.sort((a, b) => a.seq - b.seq),
  };
}

/** Up to when a session was brought while nothing happened to it depends on who looked at it, and is in no record. */
function broughtLike(stored: Session, again: Session): Session {
  const { asOf, quarantine } = stored;
  const sinceAsOf = quarantine?.since?.asOf;
  return {
    ...again,
    asOf,
    ...(again.quarantine?.since !== undefined &&
      sinceAsOf !== undefined && {
        quarantine: { ...again.quarantine, since: { ...again.quarantine.since, asOf: sinceAsOf } },
      }),
  };
}
