/**
 * What one partition should come to: a worker that never sleeps, never fails and folds each event the moment it is accepted. It takes
 * back what a failover took. Everything that is checked of a fold is checked against it.
 */
import { type Decision, decide } from "../../machines/decision.js";
import { type PartitionPolicies, type RulesOf, type Stored, foldAhead, foldBatch } from "../../machines/fold-batch.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { Session, SessionId } from "../../machines/session/session.js";
import { type UserRecord, userChanged } from "../../machines/users/user-record.js";
import { readEntry } from "../../src/ingest/inbox-body.js";
import { firstOf } from "../../src/store/entry-id.js";
import type { InboxEntry } from "../../src/store/partition-store.js";
import { sessionKey } from "../../src/store/session-key.js";

/** Everything that a decision may know at one moment. */
export interface Known {
  readonly session: Stored | undefined;
  readonly policies: PartitionPolicies;
  /** Accepted for the session. */
  readonly entries: readonly InboxEntry[];
  /** The partition's clock, epoch ms. */
  readonly now: number;
}

export class Model {
  /** Accepted and not taken back, in order. */
  readonly entries: InboxEntry[] = [];
  readonly sessions = new Map<SessionId, Session>();
  readonly records = new Map<SessionId, JournalRecord[]>();
  policies: PartitionPolicies = {};
  /** One for each entry. */
  readonly #undo: (() => void)[] = [];

  constructor(private readonly rulesOf: RulesOf) {}

  accept(entry: InboxEntry): void {
    const { policies } = this;
    const read = readEntry(entry);
    if (read.kind !== "event") {
      this.policies = foldBatch(this.#input({ entries: [read] }), this.rulesOf).policies;
      this.#note(entry, () => (this.policies = policies));
      return;
    }
    const { session: id } = read;
    const before = this.sessions.get(id);
    const sessions = new Map(before === undefined ? [] : [[id, before]]);
    const outcome = foldBatch(this.#input({ entries: [read], sessions, horizon: firstOf(entry.id) }), this.rulesOf);
    const after = outcome.sessions.get(id);
    if (after !== undefined) this.sessions.set(id, after as Session);
    const records = this.records.get(id) ?? [];
    const { length } = records;
    records.push(...outcome.records);
    this.records.set(id, records);
    this.#note(entry, () => {
      records.splice(length);
      if (before === undefined) this.sessions.delete(id);
      else this.sessions.set(id, before);
    });
  }

  /** @returns the entries that are gone, the newest first */
  takeBack(to: number): InboxEntry[] {
    const gone: InboxEntry[] = [];
    while (this.entries.length > to) {
      gone.push(this.entries.pop() as InboxEntry);
      this.#undo.pop()?.();
    }
    return gone;
  }

  known(id: SessionId, now: number): Known {
    return { session: this.sessions.get(id), policies: this.policies, entries: this.entriesOf(id), now };
  }

  /** Accepted for the session, in order. */
  entriesOf(id: SessionId): InboxEntry[] {
    const key = sessionKey(id);
    return this.entries.filter(({ session }) => session === key);
  }

  /** Brings every session up to `now`, with the deadlines that passed and the policies that were published. */
  finish(now: number): void {
    const { sessions } = this;
    const outcome = foldBatch(this.#input({ sessions, due: [...sessions.keys()], horizon: now }), this.rulesOf);
    for (const [id, session] of outcome.sessions) sessions.set(id, session as Session);
    for (const record of outcome.records) this.records.get(record.session)?.push(record);
  }

  #note(entry: InboxEntry, undo: () => void): void {
    this.entries.push(entry);
    this.#undo.push(undo);
  }

  #input(some: Partial<Parameters<typeof foldBatch>[0]>): Parameters<typeof foldBatch>[0] {
    return { policies: this.policies, horizon: 0, entries: [], due: [], sessions: new Map(), seq: 0, ...some };
  }
}

/**
 * The decision that follows from what was accepted.
 * @param record of the session's user
 * @returns `undefined`: there is no session
 */
export function rightDecision(
  id: SessionId,
  { session: stored, policies, now }: Known,
  record: UserRecord | undefined,
  rulesOf: RulesOf,
): Decision | undefined {
  if (stored === undefined) return undefined;
  const fold = (from: Stored, told?: UserRecord) =>
    foldAhead(
      {
        id,
        policies,
        now,
        stored: from,
        entries: told ? [{ kind: "event", session: id, occurrence: { event: userChanged(told), at: now } }] : [],
      },
      rulesOf,
    );
  let folded = fold(stored);
  const known = folded.session;
  if (known !== undefined && !("unreadable" in known) && record !== undefined) {
    if (record.version > (known.facts.userVersion ?? 0)) folded = fold(known, record);
  }
  const { session, rules } = folded;
  if (session === undefined || "unreadable" in session || rules === undefined) return undefined;
  return decide(session, rules, now);
}
