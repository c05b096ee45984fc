/**
 * The user store's port: the record of each user, the index of the user's sessions, and a note of each change that not every session
 * was told yet. Two implementations (Redis and memory) pass one contract suite. Record and note change together, and a session is
 * added and the record read together: so no change can miss a session.
 */
import type { UserEvent, UserRecord } from "../../machines/users/user-record.js";
import type { Append } from "../store/partition-store.js";

export interface UserId {
  readonly tenant: string;
  readonly user: string;
}

/** One session of a user, within the tenant. */
export interface UserSession {
  readonly device: string;
  readonly app: string;
}

/** An event about a user as it was accepted. */
export interface ToldEvent {
  readonly source: string;
  readonly id: string;
  readonly event: UserEvent;
}

export interface UserChange extends UserId {
  /**
   * The record after the change; the same one if it changes nothing. Pure: it is called again when another change came first.
   * @param at now, epoch ms, by the deployment's clock
   */
  readonly next: (record: UserRecord | undefined, at: number) => UserRecord | undefined;
  /** What each session is told; absent: the whole record. */
  readonly told?: ToldEvent;
  /** Producer's time, epoch ms: the clock where that is the events' own. */
  readonly time: number;
  /** As an append's. */
  readonly fingerprint: Append["fingerprint"];
}

/** A change that the sessions of a user have to be told. */
export interface DueChange extends UserId {
  /** Of the record, as the change left it. */
  readonly version: number;
  readonly time: number;
  /** Absent: they are told the whole record, since some may lack an earlier change. */
  readonly told?: ToldEvent;
}

export type UserChanged =
  /** `due` is `null` where the user has no sessions. */
  | { readonly status: "changed"; readonly record: UserRecord; readonly due: DueChange | null }
  | { readonly status: "unchanged"; readonly record: UserRecord | undefined }
  /** As an append's; nothing was changed. */
  | { readonly status: "duplicate" }
  | { readonly status: "conflict" };

/** Users in one `join` or `readMany`, at most. */
export const MAX_USERS = 1_000;

/** Every method may reject with `StoreUnavailableError`, whose `outcomeUnknown` says whether the call may have been carried out. */
export interface UserStore {
  /** Safe to repeat, where it has a fingerprint. */
  change(change: UserChange): Promise<UserChanged>;
  read(user: UserId): Promise<UserRecord | undefined>;
  /** In the order of the users; at most {@link MAX_USERS} of them. */
  readMany(tenant: string, users: readonly string[]): Promise<(UserRecord | undefined)[]>;
  /**
   * Adds sessions to the indexes of their users and reads the users' records, each as one step. At most {@link MAX_USERS}.
   * @returns the records, in the order of the sessions
   */
  join(
    tenant: string,
    sessions: readonly (UserSession & { readonly user: string })[],
  ): Promise<(UserRecord | undefined)[]>;
  /** Sessions of a user in no particular order, about `count` at a time. `next` is `null` at the end; a session may come twice. */
  sessionsOf(
    user: UserId,
    from: string | null,
    count: number,
  ): Promise<{ sessions: UserSession[]; next: string | null }>;
  /**
   * Takes sessions off the user's index. Those of `all` of them take record and note along: nothing is known of the user then.
   * @returns what was there
   */
  forget(user: UserId, sessions: readonly UserSession[] | "all"): Promise<{ record: boolean; sessions: number }>;
  /** Every session was told the change that made this version. A later change stays due. */
  toldAll(user: UserId, version: number): Promise<void>;
  /** Changes that not every session was told yet, in no particular order, about `count` at a time; as `sessionsOf`. */
  due(from: string | null, count: number): Promise<{ changes: DueChange[]; next: string | null }>;
}
