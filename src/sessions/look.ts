/** One session as it stands now: the stored one, folded in memory over what was accepted since and the deadlines that passed. */
import { type Stored, foldAhead } from "../../machines/fold-batch.js";
import type { Rules } from "../../machines/policy/rules.js";
import { type SessionId, sessionIdParts } from "../../machines/session/session.js";
import type { RulesSource } from "../control/rules-source.js";
import { readEntry } from "../ingest/inbox-body.js";
import type { PartitionStore, Peek } from "../store/partition-store.js";
import { readState, readStored } from "../store/partition-view.js";
import { partitionOf, sessionKey } from "../store/session-key.js";

export interface Folded {
  /** Absent: there is none. */
  readonly session?: Stored;
  /** In force for it now; absent without a readable session. */
  readonly rules?: Rules;
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
export async function look(store: PartitionStore, source: RulesSource, id: SessionId): Promise<Look> {
  const { tenant, device } = sessionIdParts(id);
  const partition = partitionOf(tenant, device, store.deployment.partitionCount);
  const key = sessionKey(id);
  const peek = await store.peek(partition, key);
  const waiting = peek.entries.filter(({ session }) => session === key).length;
  const stored = peek.snapshot === null ? undefined : readStored(peek.snapshot);
  const lastRecord = stored === undefined || "unreadable" in stored ? 0 : stored.lastRecord;
  return { partition, now: peek.now, waiting, lastRecord, ...(await foldPeek(id, peek, source)) };
}

/** @throws CatalogueMissingError, StoreUnavailableError, MachineVersionError */
export async function foldPeek(id: SessionId, peek: Peek, source: RulesSource): Promise<Folded> {
  const { policies } = readState(peek.state);
  const entries = peek.entries.map(readEntry);
  await source.prepare(
    policies,
    entries.flatMap((entry) => (entry.kind === "publish" ? [entry] : [])),
  );
  return foldAhead(
    {
      id,
      policies,
      entries,
      now: peek.now,
      ...(peek.snapshot !== null && { stored: readStored(peek.snapshot) }),
    },
    source.rulesOf,
  );
}
