/**
 * Nothing grows for ever: sessions that nobody uses any more are forgotten. Looks through all sessions, a chunk at a time and without haste,
 * and has those retired that were silent for as long as sessions are kept, and of a device that has too many the ones that were silent
 * longest. The order to do so travels through the inbox like any event, and does nothing if more was recorded meanwhile.
 */
import { keptBecause } from "../machines/retire.js";
import type { JournalRecord } from "../machines/outcome.js";
import type { SessionEventOf } from "../machines/events/catalogue.js";
import { type Session, type SessionId, sessionIdParts } from "../machines/session/session.js";
import { retireBody } from "../src/ingest/inbox-body.js";
import type { Wake } from "../src/ingest/ingest.js";
import { isTombstone } from "../src/store/journal-chain.js";
import type { Append, PartitionStore } from "../src/store/partition-store.js";
import { MachineVersionError, readStored } from "../src/store/partition-view.js";
import { ownFingerprint, sessionKey } from "../src/store/session-key.js";

/** Sessions of one device, at most. */
export const MOST_SESSIONS_A_DEVICE = 32;

/** Sessions looked at in one call: few enough that nobody else waits for it. */
const CHUNK_SESSIONS = 64;
/** Of what Gatehouse itself recorded of a session, so many records are gone back to find the last that came from outside. */
const MOST_OWN_RECORDS = 64;

type Why = SessionEventOf<"session.retired">["why"];

/** A session that was looked at. */
interface Looked extends Pick<Session, "id" | "lastRecord"> {
  readonly isSignedOut: boolean;
  /** It stays in any case. */
  readonly isKept: boolean;
  /** When somebody last reported something of it, epoch ms by the partition's clock; of what the journal no longer tells, the latest it can have been. */
  readonly heardAt: number;
}

export interface RetirementOptions {
  readonly store: PartitionStore;
  readonly wake: Wake;
  /** How long a session may be silent, ms; 0: as long as it likes. */
  readonly retentionMs: number;
  readonly onError: (error: unknown) => void;
  /** Told of sessions that are to be retired. */
  readonly onRetire?: (sessions: readonly SessionId[], why: Why) => void;
}

export class Retirement {
  #partition: number;
  #position: string | null = null;
  /** Of the partition's sessions seen so far, by device. */
  #devices = new Map<string, Looked[]>();
  #isLooking = false;

  constructor(private readonly options: RetirementOptions) {
    // Several workers begin at several places.
    this.#partition = Math.floor(Math.random() * options.store.deployment.partitionCount);
  }

  /** Looks at the next chunk. Never rejects. */
  async tend(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#look();
    } catch (error) {
      // What a newer release wrote is for its workers to retire.
      if (!(error instanceof MachineVersionError)) this.options.onError(error);
      this.#nextPartition();
    } finally {
      this.#isLooking = false;
    }
  }

  async #look(): Promise<void> {
    const { store, retentionMs } = this.options;
    const partition = this.#partition;
    const [survey] = await store.survey([partition]);
    const now = survey?.now ?? 0;
    const chunk = await store.chunk(partition, this.#position, CHUNK_SESSIONS);
    if (chunk.restarted) this.#devices.clear();
    const sessions = [...chunk.snapshots.values()]
      .map(readStored)
      .filter((stored): stored is Session => !("unreadable" in stored));
    const looked = await this.#whenHeard(partition, sessions);
    const silent = looked.filter(({ heardAt, isKept }) => retentionMs > 0 && now - heardAt >= retentionMs && !isKept);
    await this.#retire(partition, silent, "silent", now);
    for (const one of looked) this.#note(one);
    this.#position = chunk.next;
    if (chunk.next !== null) return;
    await this.#retire(partition, this.#tooMany(), "tooMany", now);
    this.#nextPartition();
  }

  #nextPartition(): void {
    this.#partition = (this.#partition + 1) % this.options.store.deployment.partitionCount;
    this.#position = null;
    this.#devices.clear();
  }

  #note(looked: Looked): void {
    const { tenant, device } = sessionIdParts(looked.id);
    const name = `${tenant}/${device}`;
    const others = this.#devices.get(name) ?? [];
    // A chunk may tell of a session that an earlier one told of.
    this.#devices.set(name, [...others.filter(({ id }) => id !== looked.id), looked]);
  }

  /** Signed-out ones first, then those that were silent longest. */
  #tooMany(): readonly Looked[] {
    return [...this.#devices.values()].flatMap((all) => {
      const excess = all.length - MOST_SESSIONS_A_DEVICE;
      if (excess <= 0) return [];
      return all
        .filter(({ isKept }) => !isKept)
        .toSorted((a, b) => Number(b.isSignedOut) - Number(a.isSignedOut) || a.heardAt - b.heardAt)
        .slice(0, excess);
    });
  }

  async #retire(partition: number, looked: readonly Looked[], why: Why, now: number): Promise<void> {
    if (looked.length === 0) return;
    const { store, wake, onRetire } = this.options;
    const appends = looked.map((one) => retirement(one, why, now));
    const { results } = await store.ingest(partition, appends);
    const begun = looked.filter((_, n) => results[n]?.status === "accepted");
    if (begun.length === 0) return;
    wake(partition);
    onRetire?.(
      begun.map(({ id }) => id),
      why,
    );
  }

  /** What Gatehouse itself did to a session, because of a deadline or other rules, does not count as heard of. */
  async #whenHeard(partition: number, sessions: readonly Session[]): Promise<readonly Looked[]> {
    const { store } = this.options;
    const newest = await store.records(
      partition,
      sessions.map(({ lastRecord }) => lastRecord),
    );
    return Promise.all(
      sessions.map(async (session, n) => {
        let entry = newest[n];
        let heardAt = session.asOf;
        for (let back = 0; back < MOST_OWN_RECORDS; back++) {
          if (entry === null || entry === undefined || isTombstone(entry)) break;
          const record = JSON.parse(entry.body) as JournalRecord;
          heardAt = record.at;
          if (record.origin !== undefined || record.previous === undefined) break;
          [entry] = await store.records(partition, [record.previous]);
        }
        const { id, lastRecord, state } = session;
        const isKept = keptBecause(session) !== undefined;
        return { id, lastRecord, isSignedOut: state === "signedOut", isKept, heardAt };
      }),
    );
  }
}

function retirement({ id, lastRecord: upTo }: Looked, why: Why, time: number): Append {
  const body = retireBody(id, { type: "session.retired", upTo, why });
  const { tenant } = sessionIdParts(id);
  // However many workers think so, it is one order.
  return { session: sessionKey(id), body, time, fingerprint: ownFingerprint(tenant, `retire ${id} ${upTo}`, body) };
}
