/**
 * The sessions of a partition, page by page, each as it stands now: stored, then folded over the deadlines that passed and the
 * policies that were published since. What was accepted and waits for a worker is not in them.
 */
import { foldBatch } from "../../machines/fold-batch.js";
import type { Session, SessionId } from "../../machines/session/session.js";
import type { RulesSource } from "../control/rules-source.js";
import { BROADCAST, type PartitionStore } from "../store/partition-store.js";
import { readState, readStored } from "../store/partition-view.js";

/** Sessions read and folded at a time. */
const PAGE = 500;

export interface SessionPage {
  /** In the order of their ids. */
  readonly sessions: readonly Session[];
  /** Stored texts that are no sessions, by their reasons. */
  readonly unreadable: readonly string[];
  /** What the folding adds to the partition's stored counters, by name. */
  readonly counters: Readonly<Record<string, number>>;
  /** Where the next page begins; `null`: this is the last. */
  readonly next: string | null;
}

/**
 * @param position of an earlier page's `next`
 * @throws StoreUnavailableError, CatalogueMissingError, MachineVersionError
 */
export async function* listSessions(
  store: PartitionStore,
  source: RulesSource,
  partition: number,
  position: string | null = null,
): AsyncGenerator<SessionPage> {
  const { now, state } = await store.peek(partition, BROADCAST);
  const { policies } = readState(state);
  await source.prepare(policies);
  // A scan may give a session twice.
  const seen = new Set<SessionId>();
  let from = position;
  do {
    const { snapshots, next }: Awaited<ReturnType<PartitionStore["scan"]>> = await store.scan(partition, from, PAGE);
    const sessions = new Map<SessionId, Session>();
    const unreadable: string[] = [];
    for (const text of snapshots) {
      const stored = readStored(text);
      if ("unreadable" in stored) unreadable.push(stored.unreadable);
      else if (!seen.has(stored.id)) {
        seen.add(stored.id);
        sessions.set(stored.id, stored);
      }
    }
    const due = [...sessions.keys()].sort();
    const folded = foldBatch({ policies, horizon: now, entries: [], due, sessions, seq: 0 }, source.rulesOf);
    yield {
      sessions: due.map((id) => folded.sessions.get(id) as Session),
      unreadable,
      counters: folded.counters,
      next,
    };
    from = next;
  } while (from !== null);
}
