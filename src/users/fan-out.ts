/**
 * Tells every session of a user what changed. What was begun and not ended, by a crash or for want of an answer, is still noted in the
 * user store, and {@link FanOut.resume} goes on with it: each session is told once, whoever tells it.
 */
import type { UserRecord } from "../../machines/users/user-record.js";
import { type SessionId } from "../../machines/session/session.js";
import { userChangedBody, userEventBody } from "../ingest/inbox-body.js";
import { type Append, MAX_APPENDS, type PartitionStore } from "../store/partition-store.js";
import { ownFingerprint, partitionOf, sessionKey } from "../store/session-key.js";
import type { DueChange, ToldEvent, UserId, UserSession, UserStore } from "./user-store.js";

/** Sessions of one user read at a time. */
const SESSIONS_PAGE = 1_000;

/** Unfinished changes read at a time, and told side by side. */
const DUE_PAGE = 64;

export interface FanOutTarget {
  readonly store: PartitionStore;
  readonly users: UserStore;
  readonly wake: (partition: number) => void;
}

/** An entry for one session, and the device by which its partition is found. */
export interface SessionAppend {
  readonly device: string;
  readonly append: Append;
}

/**
 * Tells every session of the user the change, and then takes its note off.
 * @returns how many sessions were told; those that another told are not counted
 * @throws StoreUnavailableError; the note then stands, and the change is told later
 */
export async function tellSessions(target: FanOutTarget, due: DueChange): Promise<number> {
  const { users } = target;
  const { told, version, time } = due;
  const record = told === undefined ? await users.read(due) : undefined;
  const appendFor =
    told === undefined
      ? record && ((session: SessionId) => recordAppend(due.tenant, session, record, time, "changed"))
      : (session: SessionId) => eventAppend(due, session, { ...told, time }, version, `changed ${version}`);
  const count = appendFor === undefined ? 0 : await appendToAll(target, due, appendFor);
  await users.toldAll(due, version);
  return count;
}

/** Has every session of the user record that an event came too late to count. A courtesy: it changes nothing, and is not resumed. */
export async function tellLate(target: FanOutTarget, user: UserId, late: ToldEvent & { time: number }): Promise<void> {
  const name = `late ${late.source.length}:${late.source}${late.id}`;
  await appendToAll(target, user, (session) => eventAppend(user, session, late, 0, name));
}

/**
 * Goes on with every change that some session may not have been told.
 * @returns how many changes were told to their end
 * @throws StoreUnavailableError
 */
export async function resumeFanOuts(target: FanOutTarget, signal?: AbortSignal): Promise<number> {
  let ended = 0;
  let from: string | null = null;
  do {
    const { changes, next }: Awaited<ReturnType<UserStore["due"]>> = await target.users.due(from, DUE_PAGE);
    await Promise.all(changes.map((change) => tellSessions(target, change)));
    ended += changes.length;
    from = next;
  } while (from !== null && signal?.aborted !== true);
  return ended;
}

/**
 * The entry that brings a session up to the user's record.
 * @param occasion why it is told: the same again is told once
 */
export function recordAppend(
  tenant: string,
  session: SessionId,
  record: UserRecord,
  time: number,
  occasion: string,
): Append {
  const body = userChangedBody(session, record);
  const name = `${occasion} record ${record.version} ${session}`;
  return { session: sessionKey(session), body, time, fingerprint: ownFingerprint(tenant, name, body) };
}

/** Appends to whichever partitions the devices belong to. @returns how many were not there yet */
export async function appendByDevice(
  { store, wake }: Pick<FanOutTarget, "store" | "wake">,
  tenant: string,
  all: readonly SessionAppend[],
): Promise<number> {
  const partitions = new Map<number, Append[]>();
  for (const { device, append } of all) {
    const partition = partitionOf(tenant, device, store.deployment.partitionCount);
    const appends = partitions.get(partition);
    if (appends === undefined) partitions.set(partition, [append]);
    else appends.push(append);
  }
  let accepted = 0;
  await Promise.all(
    [...partitions].map(async ([partition, appends]) => {
      for (let from = 0; from < appends.length; from += MAX_APPENDS) {
        const appended = await store.ingest(partition, appends.slice(from, from + MAX_APPENDS));
        if (appended.wake) wake(partition);
        for (const { status } of appended.results) if (status === "accepted") accepted++;
      }
    }),
  );
  return accepted;
}

function eventAppend(
  { tenant }: UserId,
  session: SessionId,
  told: ToldEvent & { readonly time: number },
  version: number,
  name: string,
): Append {
  const body = userEventBody(session, told, version);
  return {
    session: sessionKey(session),
    body,
    time: told.time,
    fingerprint: ownFingerprint(tenant, `${name} ${session}`, body),
  };
}

async function appendToAll(
  target: FanOutTarget,
  user: UserId,
  appendFor: (session: SessionId) => Append,
): Promise<number> {
  let told = 0;
  let from: string | null = null;
  do {
    const { sessions, next }: { sessions: UserSession[]; next: string | null } = await target.users.sessionsOf(
      user,
      from,
      SESSIONS_PAGE,
    );
    const appends = sessions.map(({ device, app }) => ({
      device,
      append: appendFor(`${user.tenant}/${device}/${user.user}/${app}`),
    }));
    told += await appendByDevice(target, user.tenant, appends);
    from = next;
  } while (from !== null);
  return told;
}

/** Resumes in the background, one round at a time, for as long as somebody keeps asking. */
export class FanOutSweep {
  private readonly stopping = new AbortController();
  private round: Promise<unknown> | undefined;

  constructor(
    private readonly target: FanOutTarget,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Begins a round, unless one runs. Never waits for it, and never throws. */
  tend(): void {
    if (this.stopping.signal.aborted) return;
    this.round ??= resumeFanOuts(this.target, this.stopping.signal)
      .catch(this.onError)
      .finally(() => (this.round = undefined));
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.round;
  }
}
