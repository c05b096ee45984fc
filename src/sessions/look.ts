/**
 * One session as it stands now: the stored one, folded in memory over what was accepted since, the deadlines that passed, and what
 * is known of its user by now, though nobody told the session yet.
 */
import { type Entry, type Stored, foldAhead } from "../../machines/fold-batch.js";
import type { Rules } from "../../machines/policy/rules.js";
import { type SessionId, sessionIdParts } from "../../machines/session/session.js";
import { type UserRecord, userChanged } from "../../machines/users/user-record.js";
import type { RulesSource } from "../control/rules-source.js";
import { readEntry } from "../ingest/inbox-body.js";
import type { PartitionStore, Peek } from "../store/partition-store.js";
import { readState, readStored } from "../store/partition-view.js";
import { partitionOf, sessionKey } from "../store/session-key.js";
import type { UserStore } from "../users/user-store.js";

export interface LookTarget {
  readonly store: PartitionStore;
  readonly users: UserStore;
  readonly rules: RulesSource;
}

/** What is read of a session, before it is folded. */
export interface Seen {
  readonly partition: number;
  readonly peek: Peek;
  /** Of the session's user; `undefined`: nothing was told. */
  readonly record: UserRecord | undefined;
}

export interface Folded {
  /** Absent: there is none. */
  readonly session?: Stored;
  /** In force for it now, and the catalogue version that they come from; absent without a readable session. */
  readonly rules?: Rules;
  readonly version?: number;
}

export interface Look extends Folded {
  readonly partition: number;
  /** The partition's clock, epoch ms. */
  readonly now: number;
  /** Events accepted for the session that no worker has committed yet; they are folded in. */
  readonly waiting: number;
  /** Number of the newest journal record; 0: none. What is folded ahead has no record yet. */
  readonly lastRecord: number;
}

/** @throws StoreUnavailableError, CatalogueMissingError, MachineVersionError */
export async function look(target: LookTarget, id: SessionId): Promise<Look> {
  const seen = await see(target, id);
  const { partition, peek } = seen;
  const key = sessionKey(id);
  const waiting = peek.entries.filter(({ session }) => session === key).length;
  const stored = peek.snapshot === null ? undefined : readStored(peek.snapshot);
  const lastRecord = stored === undefined || "unreadable" in stored ? 0 : stored.lastRecord;
  return { partition, now: peek.now, waiting, lastRecord, ...(await foldSeen(id, seen, target.rules)) };
}

/** @throws StoreUnavailableError */
export async function see({ store, users }: LookTarget, id: SessionId): Promise<Seen> {
  const { tenant, device, user } = sessionIdParts(id);
  const partition = partitionOf(tenant, device, store.deployment.partitionCount);
  const [peek, record] = await Promise.all([store.peek(partition, sessionKey(id)), users.read({ tenant, user })]);
  return { partition, peek, record };
}

/** @throws CatalogueMissingError, StoreUnavailableError, MachineVersionError */
export async function foldSeen(id: SessionId, { peek, record }: Seen, source: RulesSource): Promise<Folded> {
  const { policies } = readState(peek.state);
  const entries = peek.entries.map(readEntry);
  await source.prepare(
    policies,
    entries.flatMap((entry) => (entry.kind === "publish" ? [entry] : [])),
  );
  const fold = (all: readonly Entry[]): Folded =>
    foldAhead(
      {
        id,
        policies,
        entries: all,
        now: peek.now,
        ...(peek.snapshot !== null && { stored: readStored(peek.snapshot) }),
      },
      source.rulesOf,
    );
  const folded = fold(entries);
  const { session } = folded;
  if (record === undefined || session === undefined || "unreadable" in session) return folded;
  if (record.version <= (session.facts.userVersion ?? 0)) return folded;
  // The record is newer than anything the session was told: it counts from now on.
  return fold([...entries, { kind: "event", session: id, occurrence: { event: userChanged(record), at: peek.now } }]);
}
