/** The user store in memory: for simulation, sandboxes and tests. Same answers as the one on Redis; one contract suite holds them equal. */
import type { UserRecord } from "../../machines/users/user-record.js";
import type { Deployment } from "../store/partition-store.js";
import {
  type DueChange,
  MAX_USERS,
  type UserChange,
  type UserChanged,
  type UserId,
  type UserSession,
  type UserStore,
} from "./user-store.js";
import { noteText, readNote, readRecord, readSessionField, recordText, sessionField, userField } from "./user-text.js";

export interface MemoryUserStoreOptions {
  readonly deployment: Deployment;
  /** Stands in for the clock, epoch ms; only asked where the deployment's clock is `redis`. */
  readonly now?: () => number;
}

export class MemoryUserStore implements UserStore {
  readonly #deployment: Deployment;
  readonly #now: () => number;
  readonly #records = new Map<string, string>();
  readonly #due = new Map<string, string>();
  readonly #sessions = new Map<string, Set<string>>();
  /** The duplicate window's generations, the newer first. */
  #seen: [Map<string, string>, Map<string, string>] = [new Map(), new Map()];
  #seenSince: number | undefined;

  constructor({ deployment, now = Date.now }: MemoryUserStoreOptions) {
    this.#deployment = deployment;
    this.#now = now;
  }

  async change(change: UserChange): Promise<UserChanged> {
    const { next, told, time, fingerprint } = change;
    const field = userField(change);
    if (fingerprint !== null) {
      const known = this.#seen[0].get(fingerprint.id) ?? this.#seen[1].get(fingerprint.id);
      if (known !== undefined) return { status: known === fingerprint.body ? "duplicate" : "conflict" };
      this.#remember(fingerprint.id, fingerprint.body);
    }
    const before = readRecord(this.#records.get(field));
    const record = next(before, this.#deployment.clock === "event" ? time : this.#now());
    if (record === undefined || record === before) return { status: "unchanged", record: before };
    this.#records.set(field, recordText(record));
    if (!this.#sessions.has(field)) return { status: "changed", record, due: null };
    const isBehind = this.#due.has(field);
    const note = noteText(record.version, { time, ...(told && !isBehind && { told }) });
    this.#due.set(field, note);
    return { status: "changed", record, due: readNote(field, note) };
  }

  #remember(id: string, body: string): void {
    const now = this.#now();
    const { dedupeWindowMs, dedupeLimit } = this.#deployment;
    this.#seenSince ??= now;
    if (now - this.#seenSince >= dedupeWindowMs && this.#seen[0].size >= dedupeLimit) {
      this.#seen = [new Map(), this.#seen[0]];
      this.#seenSince = now;
    }
    this.#seen[0].set(id, body);
  }

  async read(user: UserId): Promise<UserRecord | undefined> {
    return readRecord(this.#records.get(userField(user)));
  }

  async readMany(tenant: string, users: readonly string[]): Promise<(UserRecord | undefined)[]> {
    if (users.length > MAX_USERS) throw new RangeError(`one call takes at most ${MAX_USERS} users`);
    return users.map((user) => readRecord(this.#records.get(userField({ tenant, user }))));
  }

  async join(
    tenant: string,
    sessions: readonly (UserSession & { readonly user: string })[],
  ): Promise<(UserRecord | undefined)[]> {
    if (sessions.length > MAX_USERS) throw new RangeError(`one call takes at most ${MAX_USERS} users`);
    return sessions.map((session) => {
      const field = userField({ tenant, user: session.user });
      const known = this.#sessions.get(field);
      if (known === undefined) this.#sessions.set(field, new Set([sessionField(session)]));
      else known.add(sessionField(session));
      return readRecord(this.#records.get(field));
    });
  }

  async sessionsOf(
    user: UserId,
    from: string | null,
    count: number,
  ): Promise<{ sessions: UserSession[]; next: string | null }> {
    const { page, next } = pageOf([...(this.#sessions.get(userField(user)) ?? [])], from, count);
    return { sessions: page.map(readSessionField), next };
  }

  async forget(user: UserId, sessions: readonly UserSession[] | "all"): Promise<{ record: boolean; sessions: number }> {
    const field = userField(user);
    const known = this.#sessions.get(field) ?? new Set();
    if (sessions === "all") {
      this.#sessions.delete(field);
      this.#due.delete(field);
      return { record: this.#records.delete(field), sessions: known.size };
    }
    const gone = sessions.filter((session) => known.delete(sessionField(session))).length;
    if (known.size === 0) this.#sessions.delete(field);
    return { record: false, sessions: gone };
  }

  async toldAll(user: UserId, version: number): Promise<void> {
    const field = userField(user);
    const note = this.#due.get(field);
    if (note !== undefined && readNote(field, note).version === version) this.#due.delete(field);
  }

  async due(from: string | null, count: number): Promise<{ changes: DueChange[]; next: string | null }> {
    const { page, next } = pageOf([...this.#due.keys()], from, count);
    return { changes: page.map((field) => readNote(field, this.#due.get(field) as string)), next };
  }
}

/** In order, from behind the last one given: what is removed meanwhile hides no other. */
function pageOf(all: readonly string[], from: string | null, count: number) {
  const ordered = all.filter((one) => from === null || one > from).sort();
  const page = ordered.slice(0, count);
  return { page, next: page.length < ordered.length ? (page.at(-1) ?? null) : null };
}
