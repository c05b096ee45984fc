/**
 * The store port: everything Gatehouse asks of a database, one partition at a time. Two implementations (Redis and
 * memory) pass one contract suite. The store knows nothing of the machine: snapshots, records, effects and
 * events are opaque strings to it; what it owns is their order, their atomicity and the clock.
 */

/** `<ms>-<n>`: the time of acceptance and a counter within that millisecond. Ordered first by ms, then by n. */
export type EntryId = string;

/** A session's field in its partition's hashes: 16 characters of [A-Za-z0-9_-], see session-key.ts. */
export type SessionKey = string;

/** Stands in a session key's place where an entry concerns every session of the partition (a broadcast). */
export const BROADCAST = "*";

/** `redis`: acceptance time is the server's. `event`: it is the events' own time, never going back. */
export type ClockKind = "redis" | "event";

/** What a deployment was created with; fixed for its life. */
export interface Deployment {
  /** P, 1–4096: partitions are numbered `0 … P-1`. */
  readonly partitionCount: number;
  readonly clock: ClockKind;
  /** How long an event id is remembered at least, in ms. */
  readonly dedupeWindowMs: number;
  /** How many event ids a partition remembers at least, whatever their age. */
  readonly dedupeLimit: number;
  /** The journal of one partition is trimmed, oldest first, above about this many bytes. */
  readonly journalMaxBytes: number;
  /** And so are records older than this, in ms of the partition's clock, about, when something is committed; 0: of any age. */
  readonly journalMaxAgeMs: number;
}

/** Appends in one ingest, at most: it bounds how long the store is busy with one call. */
export const MAX_APPENDS = 1_000;

/** One event (or broadcast) to append to the inbox. */
export interface Append {
  /** Or {@link BROADCAST}. */
  readonly session: SessionKey;
  readonly body: string;
  /** Producer's time in epoch ms. Decides the entry's time where the clock is `event`; unused otherwise. */
  readonly time: number;
  /** What makes the event the same event: hash of source and id, and hash of the body. `null`: never a duplicate. */
  readonly fingerprint: { readonly id: string; readonly body: string } | null;
}

export type AppendResult =
  | { readonly status: "accepted"; readonly id: EntryId }
  /** The same event was accepted before, within the window. */
  | { readonly status: "duplicate" }
  /** Another event with the same source and id was accepted before; this one was not stored. */
  | { readonly status: "conflict" };

export interface Appended {
  /** In the order of the appends. */
  readonly results: readonly AppendResult[];
  /** The partition had nothing uncommitted before and now has: whoever drains it must be woken. */
  readonly wake: boolean;
}

export interface InboxEntry {
  readonly id: EntryId;
  /** Or {@link BROADCAST}. */
  readonly session: SessionKey;
  readonly body: string;
  /** Random per call of ingest: tells this entry from another one that got the same id after a lossy failover. */
  readonly nonce: string;
}

export interface LoadLimits {
  /** Entries at most, and sessions with due timers at most. */
  readonly entries: number;
  /** Bytes of entry bodies at most; the first entry always fits. */
  readonly bytes: number;
}

/** What a worker folds: one round trip's view of a partition. */
export interface Batch {
  readonly partition: number;
  /** The fence: must still be stored when the outcome is committed. */
  readonly token: string;
  /** Id of the last entry already committed, `0-0` at first. */
  readonly cursor: EntryId;
  /** Number of the last journal record, 0 at first. */
  readonly seq: number;
  /** Hash of the last journal record, in hex; 64 zeros at first. */
  readonly head: string;
  /** The partition's opaque state, owned by the fold (broadcasts not yet walked); `""` at first. */
  readonly state: string;
  /** The partition's clock, epoch ms. Never goes back. */
  readonly now: number;
  /** No timer beyond it may fire: the time of the last entry if more entries wait, else `now`. */
  readonly horizon: number;
  readonly entries: readonly InboxEntry[];
  /** Sessions with a timer due at or before the horizon, earliest first. */
  readonly due: readonly SessionKey[];
  /** Stored snapshots of every session that `entries` or `due` name; a session without one is absent. */
  readonly snapshots: ReadonlyMap<SessionKey, string>;
}

/** A chunk of a partition's sessions, for the policy walk. */
export interface SessionChunk {
  readonly partition: number;
  /** As in a batch. */
  readonly token: string;
  readonly seq: number;
  readonly head: string;
  readonly state: string;
  /** The clock up to which the partition was committed, epoch ms: no waiting entry is older. */
  readonly clock: number;
  readonly snapshots: ReadonlyMap<SessionKey, string>;
  /** Where the next chunk begins; `null`: this is the last. */
  readonly next: string | null;
  /** The position asked for means nothing to this server any more (it was restarted, or is another one): this chunk is the first. */
  readonly restarted: boolean;
}

/** A journal record as stored: `hash = sha256(previous hash ‖ sha256(body))`, hex. */
export interface StoredRecord {
  readonly seq: number;
  readonly body: string;
  readonly hash: string;
}

/** What a record leaves that was erased: as much as the chain needs, and nothing of what it said. */
export interface Tombstone {
  readonly seq: number;
  /** SHA-256 of the body that was, hex. */
  readonly bodyHash: string;
  readonly hash: string;
  /** Epoch ms. */
  readonly erasedAt: number;
  /** Number of the record before it in a session that goes on, 0 for its first; absent: the session was erased. */
  readonly previous?: number;
}

export type JournalEntry = StoredRecord | Tombstone;

/** Where a partition holds texts. */
export type Place = "inbox" | "sessions" | "journal" | "outbox";

/** A text and what it goes by: an entry's id, a session's key, `<seq>-0` of a record, or an effect's id. */
export interface Found {
  readonly id: string;
  readonly body: string;
}

/** Sessions, entries, records or effects in one erasure, at most. */
export const MAX_ERASED = 500;

/** What is to go from a partition, for good. At most {@link MAX_ERASED} of each. */
export interface Erasure {
  /** Fresh and random: whoever folded what goes can't commit any more. */
  readonly nextToken: string;
  /** Sessions that go, each with the snapshot that is stored now; `null`: none is. */
  readonly sessions: ReadonlyMap<SessionKey, string | null>;
  /** Ids of inbox entries, of each session its oldest: of one that keeps an older entry `peek` need not see it. One of none of the `sessions` stays. */
  readonly entries: readonly EntryId[];
  /** Body of the broadcast that takes the place of the newest waiting entry if that goes: it tells the clock, which never goes back. */
  readonly placeholder: string;
  /** Records that become tombstones; `previous` as a tombstone's. */
  readonly records: readonly Pick<Tombstone, "seq" | "bodyHash" | "previous">[];
  /** Ids of undelivered effects. */
  readonly effects: readonly string[];
  /** As a commit's. */
  readonly counters: Readonly<Record<string, number>>;
  /** Epoch ms. */
  readonly at: number;
}

export type ErasureResult =
  /** How many of each were there, and are gone. */
  | {
      readonly status: "erased";
      readonly sessions: number;
      readonly entries: number;
      readonly records: number;
      readonly effects: number;
    }
  /** Some session's snapshot is another one by now. Nothing was removed. */
  | { readonly status: "stale" };

/** A committed effect that waits for delivery; `id` is `<seq>-<n>`, `n` counting from 0 within its record. */
export interface OutboxEntry {
  readonly id: string;
  readonly body: string;
}

/** What a fold of a batch changes. Written whole or not at all. */
export interface Commit {
  /** Token of the batch this was folded from. */
  readonly token: string;
  /** Fresh and random. */
  readonly nextToken: string;
  /** The last entry folded and its nonce; `null`: no entry was, the cursor stays. */
  readonly last: { readonly id: EntryId; readonly nonce: string } | null;
  /** The horizon up to which timers fired: the clock never goes below it again. */
  readonly clock: number;
  /** New partition state; `undefined`: unchanged. */
  readonly state?: string;
  /** New snapshots; `null` removes the session. */
  readonly snapshots: ReadonlyMap<SessionKey, string | null>;
  /** Each changed session's earliest deadline, epoch ms; `null`: none. */
  readonly timers: ReadonlyMap<SessionKey, number | null>;
  /** Ids of the folded entries by session or {@link BROADCAST}, in order. */
  readonly consumed: ReadonlyMap<SessionKey, readonly EntryId[]>;
  /** Dense: the first has `batch.seq + 1`. */
  readonly records: readonly StoredRecord[];
  readonly effects: readonly OutboxEntry[];
  /** Counters to add to (may be negative), by name. */
  readonly counters: Readonly<Record<string, number>>;
}

export type CommitResult =
  /** `drained`: nothing uncommitted and no timer due is left. */
  | { readonly status: "committed"; readonly drained: boolean }
  /**
   * Another commit came first, the entry at the cursor is not the one that was folded, or the clock would move beyond an
   * entry that waits (the server's was set back since the batch was loaded). Nothing was written.
   */
  | { readonly status: "stale" };

/** A failover lost events that had been accepted after `from` (0: nobody knows) and until `until`, epoch ms. */
export interface LostEvents {
  readonly from: number;
  readonly until: number;
}

/** What a decision reads. */
export interface Peek {
  /** Absent: none that anybody knows of, or an operator took note. */
  readonly lost?: LostEvents;
  readonly now: number;
  readonly snapshot: string | null;
  readonly state: string;
  /** Accepted and not yet committed: the session's own entries and broadcasts, in order of acceptance. */
  readonly entries: readonly InboxEntry[];
}

/** Up to where a partition's journal is archived: of what comes behind the lesser of the two no commit trims anything. */
export interface ArchiveNote {
  /** Number of the last record in the archive; 0: none yet. */
  readonly seq: number;
  /** Number of the last record that the archive's newest checkpoint has in it; 0: there is none. */
  readonly checkpoint: number;
}

/** All sessions of a partition at one moment: right after record `seq`. */
export interface PartitionImage extends Pick<Batch, "seq" | "head" | "cursor" | "state"> {
  /** The clock up to which the partition was committed, epoch ms. */
  readonly clock: number;
  readonly snapshots: ReadonlyMap<SessionKey, string>;
}

/** A look at one partition's facts, for the sweep. */
export interface PartitionSurvey {
  readonly partition: number;
  readonly token: string;
  /** Entries wait beyond the cursor. */
  readonly behind: boolean;
  /** How many. */
  readonly waiting: number;
  /** Time of the oldest entry that waits, epoch ms; `null` if none does. */
  readonly oldestWaiting: number | null;
  /** Earliest deadline of any session, epoch ms; `null`: none. */
  readonly nextTimer: number | null;
  /** Sessions whose earliest deadline is due, at `now`. */
  readonly timersDue: number;
  readonly now: number;
  /** Undelivered effects, and the id of the oldest; `null` if there are none. */
  readonly outboxSize: number;
  readonly outboxHead: string | null;
  /** Sessions stored. */
  readonly sessions: number;
  /** As in a batch. */
  readonly state: string;
  /** As in a batch. */
  readonly seq: number;
  /** Of the journal that is kept, about. */
  readonly journalBytes: number;
  /** `null`: the deployment does not archive. */
  readonly archive: ArchiveNote | null;
  /** As in a peek. */
  readonly lost?: LostEvents;
}

/**
 * Strings are stored as UTF-8 and come back as they were; they must be well-formed. An argument out of range is a
 * `RangeError`, before anything is written. Every method may reject with `StoreUnavailableError`. Its `outcomeUnknown` says whether the call may have been
 * carried out: `true` for a write whose answer was lost, `false` when nothing can have happened.
 */
export interface PartitionStore {
  readonly deployment: Deployment;

  /**
   * Appends to one partition's inbox: all new events or, on an error, possibly none. Safe to repeat. At most
   * {@link MAX_APPENDS}. Entries' times never go back and are never below the partition's clock; a broadcast with a fingerprint is later
   * than every entry before it, even while the server's clock stands still.
   */
  ingest(partition: number, appends: readonly Append[]): Promise<Appended>;
  load(partition: number, limits: LoadLimits): Promise<Batch>;
  /**
   * Snapshots from `position` on (`null`: from the beginning), about `count` (1–1,000) of them. Chunk after chunk, every session that
   * was there all the while comes at least once. What is folded from it is committed like a batch.
   */
  chunk(partition: number, position: string | null, count: number): Promise<SessionChunk>;
  /** @throws RangeError, with nothing written, if the commit contradicts itself or its records do not follow the journal's last. */
  commit(partition: number, commit: Commit): Promise<CommitResult>;
  peek(partition: number, session: SessionKey): Promise<Peek>;

  survey(partitions: readonly number[]): Promise<PartitionSurvey[]>;
  counters(partition: number): Promise<Record<string, number>>;
  /** Snapshots in no particular order. `next` is `null` at the end; a session may come twice. */
  scan(partition: number, from: string | null, count: number): Promise<{ snapshots: string[]; next: string | null }>;
  snapshot(partition: number, session: SessionKey): Promise<string | null>;

  /** Records by number, or what erased ones left; `null` where one does not exist or was trimmed. */
  records(partition: number, seqs: readonly number[]): Promise<(JournalEntry | null)[]>;
  /** Number of the oldest record or tombstone that is kept; `null`: none is. From there on the journal is dense. */
  oldestRecord(partition: number): Promise<number | null>;
  /** Number of the newest one; `null`: none is kept. Behind the partition's own last record there is none but by a strange hand. */
  newestRecord(partition: number): Promise<number | null>;

  /** Every snapshot in one call: for checkpoints, which are few. */
  image(partition: number): Promise<PartitionImage>;
  /**
   * From then on the journal is trimmed no further than what is noted; `null`: as if there had never been an archive.
   * @param note with the hash of record `seq`; any text where that is 0
   * @returns `false`: the journal has another record of that number, or has not come so far; nothing was noted
   */
  noteArchived(partition: number, note: (ArchiveNote & { readonly hash: string }) | null): Promise<boolean>;

  /**
   * Looks `count` (1–1,000) or so texts through for those that contain `text`. Committed entries that the inbox still holds are looked at, too.
   * @param position of an earlier page's `next`; but for sessions also an id, to look behind it; `null`: from the beginning
   */
  search(
    partition: number,
    place: Place,
    text: string,
    position: string | null,
    count: number,
  ): Promise<{ found: Found[]; next: string | null }>;
  /** Removes all of it, or nothing. Repeated, it finds nothing left. */
  erase(partition: number, erasure: Erasure): Promise<ErasureResult>;
  /**
   * Writes anew what entries that were erased still take up, so that their bytes are gone, too. Goes on beside commits; does nothing
   * where nothing was erased since the last time.
   */
  purge(partition: number): Promise<void>;

  /** The oldest undelivered effects after `after` (an id, or `null` for the beginning). */
  outbox(partition: number, after: string | null, count: number): Promise<OutboxEntry[]>;
  /** Undelivered effects by id; those already acknowledged are absent. */
  effects(partition: number, ids: readonly string[]): Promise<OutboxEntry[]>;
  /** Takes delivered effects off the outbox; ids already gone do no harm. */
  acknowledge(partition: number, ids: readonly string[]): Promise<void>;
}
