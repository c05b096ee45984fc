/**
 * The store in memory: for simulation, sandboxes and the test kit. Same answers as the store on Redis (one contract
 * suite holds them equal), no I/O, and no source of time or chance but the ones handed in.
 */
import {
  checkAppends,
  checkChunk,
  checkCommit,
  checkErasure,
  checkFirstRecord,
  checkLimits,
  checkNote,
  checkPartition,
  checkSearch,
} from "../check.js";
import { newDeployment, type DeploymentRequest } from "../deployment.js";
import { compareIds, firstOf, secondOf, ZERO_ID } from "../entry-id.js";
import { GENESIS_HEAD, isTombstone } from "../journal-chain.js";
import {
  BROADCAST,
  type Append,
  type Appended,
  type AppendResult,
  type ArchiveNote,
  type Batch,
  type Commit,
  type CommitResult,
  type Deployment,
  type EntryId,
  type Erasure,
  type ErasureResult,
  type Found,
  type InboxEntry,
  type JournalEntry,
  type LoadLimits,
  type OutboxEntry,
  type PartitionImage,
  type PartitionStore,
  type PartitionSurvey,
  type Peek,
  type Place,
  type SessionChunk,
  type SessionKey,
} from "../partition-store.js";

export interface MemoryStoreOptions {
  readonly deployment?: DeploymentRequest;
  /** Stands in for the server's clock, epoch ms; only asked where the deployment's clock is `redis`. */
  readonly now?: () => number;
  /** Nonces and first tokens: never the same twice. By default they are counted. */
  readonly nonce?: () => string;
}

/** One partition's whole state; each field is what the key of that name holds on Redis. */
interface Partition {
  token: string;
  cursor: EntryId;
  seq: number;
  head: string;
  state: string;
  clock: number;
  /** Oldest first; like the stream, it keeps the cursor's own entry. */
  inbox: InboxEntry[];
  readonly sessions: Map<SessionKey, string>;
  readonly timers: Map<SessionKey, number>;
  readonly journal: Map<number, JournalEntry>;
  journalBytes: number;
  /** By when which record was the last: a few for the time that is kept, see commit.lua. */
  marks: { readonly at: number; readonly seq: number }[];
  archive: ArchiveNote | null;
  readonly outbox: Map<string, string>;
  readonly counters: Map<string, number>;
  /** The duplicate window's generations, the newer first. */
  seen: [Map<string, string>, Map<string, string>];
  seenSince: number | null;
}

export class MemoryPartitionStore implements PartitionStore {
  readonly deployment: Deployment;
  readonly #now: () => number;
  readonly #nonce: () => string;
  readonly #partitions = new Map<number, Partition>();

  constructor(options: MemoryStoreOptions = {}) {
    this.deployment = newDeployment(options.deployment ?? {});
    this.#now = options.now ?? Date.now;
    let nonces = 0;
    this.#nonce = options.nonce ?? (() => `nonce-${(nonces += 1)}`);
  }

  async ingest(partition: number, appends: readonly Append[]): Promise<Appended> {
    const held = this.#partition(partition);
    checkAppends(appends);
    const nonce = this.#nonce();
    const idle = tailOf(held) === held.cursor;
    let now = this.#clockOf(held);
    const fresh = new Map<string, string>();
    const results = appends.map(({ session, body, time, fingerprint }): AppendResult => {
      if (fingerprint !== null) {
        const known = held.seen[0].get(fingerprint.id) ?? held.seen[1].get(fingerprint.id) ?? fresh.get(fingerprint.id);
        if (known !== undefined) return { status: known === fingerprint.body ? "duplicate" : "conflict" };
        fresh.set(fingerprint.id, fingerprint.body);
      }
      if (this.deployment.clock === "event") now = Math.max(now, time);
      const tail = tailOf(held);
      if (session === BROADCAST && fingerprint !== null && firstOf(tail) === now) now += 1;
      const id = `${now}-${firstOf(tail) === now ? secondOf(tail) + 1 : 0}`;
      held.inbox.push({ id, session, body, nonce });
      return { status: "accepted", id };
    });
    if (fresh.size > 0) this.#remember(held, fresh, now);
    return { results, wake: idle && results.some((result) => result.status === "accepted") };
  }

  /** The newer generation is closed only when it is both old and large enough; see ingest.lua for what that promises. */
  #remember(held: Partition, fresh: ReadonlyMap<string, string>, now: number): void {
    held.seenSince ??= now;
    if (now - held.seenSince >= this.deployment.dedupeWindowMs && held.seen[0].size >= this.deployment.dedupeLimit) {
      held.seen = [new Map(), held.seen[0]];
      held.seenSince = now;
    }
    for (const [id, body] of fresh) held.seen[0].set(id, body);
  }

  async load(partition: number, limits: LoadLimits): Promise<Batch> {
    const held = this.#partition(partition);
    checkLimits(limits);
    const now = this.#clockOf(held);
    const waiting = waitingIn(held);
    const entries: InboxEntry[] = [];
    let bytes = 0;
    for (const entry of waiting.slice(0, limits.entries)) {
      bytes += Buffer.byteLength(entry.body);
      if (bytes > limits.bytes && entries.length > 0) break;
      entries.push(entry);
    }
    const last = entries.at(-1);
    const horizon = last && entries.length < waiting.length ? Math.max(held.clock, firstOf(last.id)) : now;
    const due = [...held.timers]
      .filter(([, at]) => at <= horizon)
      .sort(([a, dueA], [b, dueB]) => dueA - dueB || (a < b ? -1 : 1))
      .slice(0, limits.entries)
      .map(([session]) => session);
    const snapshots = new Map<SessionKey, string>();
    for (const session of [...entries.map((entry) => entry.session), ...due]) {
      const snapshot = held.sessions.get(session);
      if (snapshot !== undefined) snapshots.set(session, snapshot);
    }
    const { token, cursor, seq, head, state } = held;
    return { partition, token, cursor, seq, head, state, now, horizon, entries, due, snapshots };
  }

  async chunk(partition: number, position: string | null, count: number): Promise<SessionChunk> {
    const { sessions, token, seq, head, state, clock } = this.#partition(partition);
    checkChunk(count);
    const { page, next } = pageOf(sessions, position, count);
    return { partition, token, seq, head, state, clock, snapshots: new Map(page), next, restarted: false };
  }

  async commit(partition: number, commit: Commit): Promise<CommitResult> {
    const held = this.#partition(partition);
    checkCommit(commit);
    if (held.token !== commit.token) return { status: "stale" };
    const { last } = commit;
    const lastIndex = last ? held.inbox.findIndex((entry) => entry.id === last.id) : 0;
    if (last && held.inbox[lastIndex]?.nonce !== last.nonce) return { status: "stale" };
    const next = last ? held.inbox[lastIndex + 1] : waitingIn(held)[0];
    if (next && firstOf(next.id) < commit.clock && commit.clock > held.clock) return { status: "stale" };
    checkFirstRecord(commit, held.seq);

    held.token = commit.nextToken;
    held.clock = Math.max(held.clock, commit.clock);
    held.state = commit.state ?? held.state;
    if (last) {
      held.cursor = last.id;
      held.inbox = held.inbox.slice(lastIndex);
    }
    replaceAll(held.sessions, commit.snapshots);
    replaceAll(held.timers, commit.timers);
    for (const record of commit.records) {
      held.journal.set(record.seq, record);
      held.journalBytes += Buffer.byteLength(record.body);
      held.seq = record.seq;
      held.head = record.hash;
    }
    this.#trimJournal(held, commit.records.length > 0);
    for (const { id, body } of commit.effects) held.outbox.set(id, body);
    for (const [name, delta] of Object.entries(commit.counters))
      held.counters.set(name, (held.counters.get(name) ?? 0) + delta);

    const now = this.#clockOf(held);
    const drained = tailOf(held) === held.cursor && ![...held.timers.values()].some((due) => due <= now);
    return { status: "committed", drained };
  }

  #trimJournal(held: Partition, grew: boolean): void {
    const { journalMaxBytes } = this.deployment;
    const aged = grew ? this.#aged(held) : 0;
    const archived = held.archive === null ? Infinity : Math.min(held.archive.seq, held.archive.checkpoint);
    for (const entry of held.journal.values()) {
      if (entry.seq > archived || (held.journalBytes <= journalMaxBytes && entry.seq > aged)) return;
      held.journal.delete(entry.seq);
      held.journalBytes -= bytesOf(entry);
    }
  }

  /** Number of the last record that is too old; 0: none is. */
  #aged(held: Partition): number {
    const { journalMaxAgeMs } = this.deployment;
    if (journalMaxAgeMs === 0) return 0;
    const { clock: at, marks, seq } = held;
    const newest = marks.at(-1);
    if (newest === undefined || at - newest.at >= journalMaxAgeMs / 16) marks.push({ at, seq });
    const isOld = (mark: { readonly at: number } | undefined) => mark !== undefined && mark.at <= at - journalMaxAgeMs;
    while (isOld(marks[1])) marks.shift();
    return isOld(marks[0]) ? (marks[0]?.seq ?? 0) : 0;
  }

  async peek(partition: number, session: SessionKey): Promise<Peek> {
    const held = this.#partition(partition);
    return {
      now: this.#clockOf(held),
      snapshot: held.sessions.get(session) ?? null,
      state: held.state,
      entries: waitingIn(held).filter((entry) => entry.session === session || entry.session === BROADCAST),
    };
  }

  async survey(partitions: readonly number[]): Promise<PartitionSurvey[]> {
    return partitions.map((partition) => {
      const held = this.#partition(partition);
      const waiting = waitingIn(held);
      const oldest = waiting[0];
      const now = this.#clockOf(held);
      return {
        partition,
        token: held.token,
        behind: oldest !== undefined,
        waiting: waiting.length,
        oldestWaiting: oldest ? firstOf(oldest.id) : null,
        nextTimer: held.timers.size > 0 ? Math.min(...held.timers.values()) : null,
        timersDue: [...held.timers.values()].filter((due) => due <= now).length,
        now,
        outboxSize: held.outbox.size,
        outboxHead: held.outbox.keys().next().value ?? null,
        sessions: held.sessions.size,
        state: held.state,
        seq: held.seq,
        journalBytes: held.journalBytes,
        archive: held.archive,
      };
    });
  }

  async counters(partition: number): Promise<Record<string, number>> {
    return Object.fromEntries(this.#partition(partition).counters);
  }

  async scan(
    partition: number,
    from: string | null,
    count: number,
  ): Promise<{ snapshots: string[]; next: string | null }> {
    const { page, next } = pageOf(this.#partition(partition).sessions, from, count);
    return { snapshots: page.map(([, snapshot]) => snapshot), next };
  }

  async snapshot(partition: number, session: SessionKey): Promise<string | null> {
    return this.#partition(partition).sessions.get(session) ?? null;
  }

  async records(partition: number, seqs: readonly number[]): Promise<(JournalEntry | null)[]> {
    const { journal } = this.#partition(partition);
    return seqs.map((seq) => journal.get(seq) ?? null);
  }

  async oldestRecord(partition: number): Promise<number | null> {
    return this.#partition(partition).journal.keys().next().value ?? null;
  }

  async newestRecord(partition: number): Promise<number | null> {
    return [...this.#partition(partition).journal.keys()].at(-1) ?? null;
  }

  async image(partition: number): Promise<PartitionImage> {
    const { seq, head, cursor, state, clock, sessions } = this.#partition(partition);
    return { seq, head, cursor, state, clock, snapshots: new Map(sessions) };
  }

  async noteArchived(partition: number, note: (ArchiveNote & { readonly hash: string }) | null): Promise<boolean> {
    const held = this.#partition(partition);
    if (note !== null) {
      checkNote(note);
      const record = held.journal.get(note.seq);
      if (note.seq > held.seq || (record !== undefined && record.hash !== note.hash)) return false;
    }
    held.archive = note === null ? null : { seq: note.seq, checkpoint: note.checkpoint };
    return true;
  }

  async search(
    partition: number,
    place: Place,
    text: string,
    position: string | null,
    count: number,
  ): Promise<{ found: Found[]; next: string | null }> {
    const held = this.#partition(partition);
    checkSearch(text, count);
    const isBehind = (id: string): boolean =>
      position === null || (place === "sessions" ? id > position : compareIds(id, position) > 0);
    const page = textsIn(held, place)
      .filter(({ id }) => isBehind(id))
      .slice(0, count);
    const found = page.filter(({ body }) => body.includes(text));
    return { found, next: page.length === count ? (page.at(-1)?.id ?? null) : null };
  }

  async erase(partition: number, erasure: Erasure): Promise<ErasureResult> {
    const held = this.#partition(partition);
    checkErasure(erasure);
    for (const [session, snapshot] of erasure.sessions)
      if ((held.sessions.get(session) ?? null) !== snapshot) return { status: "stale" };

    held.token = erasure.nextToken;
    let sessions = 0;
    for (const session of erasure.sessions.keys()) {
      if (held.sessions.delete(session)) sessions++;
      held.timers.delete(session);
    }
    const going = new Set(erasure.entries);
    const kept = held.inbox.filter(({ id, session }) => !going.has(id) || !erasure.sessions.has(session));
    const entries = held.inbox.length - kept.length;
    const tail = held.inbox.at(-1);
    if (tail !== undefined && tail.id !== held.cursor && tail !== kept.at(-1)) {
      const id = `${firstOf(tail.id)}-${secondOf(tail.id) + 1}`;
      kept.push({ id, session: BROADCAST, body: erasure.placeholder, nonce: erasure.nextToken });
    }
    held.inbox = kept;
    let records = 0;
    for (const { seq, bodyHash, previous } of erasure.records) {
      const record = held.journal.get(seq);
      if (record === undefined || isTombstone(record)) continue;
      const tombstone = { seq, bodyHash, hash: record.hash, erasedAt: erasure.at };
      held.journalBytes -= bytesOf(record);
      held.journal.set(seq, previous === undefined ? tombstone : { ...tombstone, previous });
      held.journalBytes += TOMBSTONE_BYTES;
      records++;
    }
    const effects = erasure.effects.filter((id) => held.outbox.delete(id)).length;
    for (const [name, delta] of Object.entries(erasure.counters))
      held.counters.set(name, (held.counters.get(name) ?? 0) + delta);
    return { status: "erased", sessions, entries, records, effects };
  }

  /** What is removed here is gone. */
  async purge(partition: number): Promise<void> {
    this.#partition(partition);
  }

  async outbox(partition: number, after: string | null, count: number): Promise<OutboxEntry[]> {
    return [...this.#partition(partition).outbox]
      .filter(([id]) => after === null || compareIds(id, after) > 0)
      .slice(0, count)
      .map(([id, body]) => ({ id, body }));
  }

  async effects(partition: number, ids: readonly string[]): Promise<OutboxEntry[]> {
    const { outbox } = this.#partition(partition);
    return ids.flatMap((id) => {
      const body = outbox.get(id);
      return body === undefined ? [] : [{ id, body }];
    });
  }

  async acknowledge(partition: number, ids: readonly string[]): Promise<void> {
    const { outbox } = this.#partition(partition);
    for (const id of ids) outbox.delete(id);
  }

  #partition(partition: number): Partition {
    checkPartition(this.deployment, partition);
    const known = this.#partitions.get(partition);
    if (known) return known;
    const fresh: Partition = {
      token: this.#nonce(),
      cursor: ZERO_ID,
      seq: 0,
      head: GENESIS_HEAD,
      state: "",
      clock: 0,
      inbox: [],
      sessions: new Map(),
      timers: new Map(),
      journal: new Map(),
      journalBytes: 0,
      marks: [],
      archive: null,
      outbox: new Map(),
      counters: new Map(),
      seen: [new Map(), new Map()],
      seenSince: null,
    };
    this.#partitions.set(partition, fresh);
    return fresh;
  }

  /** The latest of all that is known; it never goes back, even when `now` does. */
  #clockOf(held: Partition): number {
    const server = this.deployment.clock === "redis" ? this.#now() : 0;
    return Math.max(held.clock, firstOf(tailOf(held)), server);
  }
}

function tailOf(held: Partition): EntryId {
  return held.inbox.at(-1)?.id ?? held.cursor;
}

/** What a tombstone costs. */
const TOMBSTONE_BYTES = 166;

function bytesOf(entry: JournalEntry): number {
  return isTombstone(entry) ? TOMBSTONE_BYTES : Buffer.byteLength(entry.body);
}

/** In the order of their ids. */
function textsIn(held: Partition, place: Place): Found[] {
  const pairs = (map: ReadonlyMap<string, string>): Found[] => [...map].map(([id, body]) => ({ id, body }));
  switch (place) {
    case "inbox":
      return held.inbox.map(({ id, body }) => ({ id, body }));
    case "sessions":
      return pairs(held.sessions).sort((one, other) => (one.id < other.id ? -1 : 1));
    case "outbox":
      return pairs(held.outbox);
    case "journal":
      return [...held.journal.values()].flatMap((entry) =>
        isTombstone(entry) ? [] : [{ id: `${entry.seq}-0`, body: entry.body }],
      );
  }
}

function waitingIn(held: Partition): InboxEntry[] {
  return held.inbox[0]?.id === held.cursor ? held.inbox.slice(1) : held.inbox;
}

/** In key order, from behind the last key given: a session written or removed meanwhile hides no other. */
function pageOf(sessions: ReadonlyMap<SessionKey, string>, from: string | null, count: number) {
  const ordered = [...sessions]
    .filter(([session]) => from === null || session > from)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const page = ordered.slice(0, count);
  return { page, next: page.length < ordered.length ? (page.at(-1)?.[0] ?? null) : null };
}

function replaceAll<Value>(held: Map<string, Value>, changes: ReadonlyMap<string, Value | null>): void {
  for (const [key, value] of changes)
    if (value === null) held.delete(key);
    else held.set(key, value);
}
