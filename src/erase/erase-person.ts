/**
 * Erasing a person: everything that is stored about them goes, and of the journal's records tombstones stay, so that its chain still
 * verifies. Nothing here is remembered between two runs: what a run that was cut short left is found again by the next.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { RedisConnection } from "../redis/connection.js";
import { stateName } from "../../machines/session/context.js";
import type { SessionId } from "../../machines/session/session.js";
import { CLOCK_BODY } from "../ingest/inbox-body.js";
import { type LookTarget, look } from "../sessions/look.js";
import {
  type Erasure,
  type ErasureResult,
  MAX_ERASED,
  type PartitionStore,
  type SessionKey,
} from "../store/partition-store.js";
import { readStored } from "../store/partition-view.js";
import { randomToken } from "../store/random-token.js";
import { partitionOf } from "../store/session-key.js";
import type { UserSession, UserStore } from "../users/user-store.js";
import { eraseDeliveries } from "./deliveries.js";
import { eraseArchived } from "./erase-archived.js";
import { ErasureUnfinishedError, WipePendingError } from "./erase-errors.js";
import { type LoggedBy, logErasure } from "./erasure-log.js";
import { type Findings, findInPartition } from "./find.js";
import type { ErasureScope } from "./scope.js";

/** Partitions that are looked through side by side. */
const SIDE_BY_SIDE = 4;
/** How often everything is looked through again for what came meanwhile, and how long is waited in between, ms. */
const PASSES = 20;
const PAUSE_MS = 100;
/** How often an erasure is made anew because a worker wrote the session at the same moment. */
const STALE_RETRIES = 20;
const SESSIONS_PER_ERASURE = 100;

export interface EraseTarget extends LookTarget {
  readonly redis: RedisConnection;
  readonly prefix: string;
  /** Directory of the archive; absent: there is none, or it is seen to elsewhere. */
  readonly archive?: string | undefined;
}

/** How much of each there is, or was. */
export interface Erased {
  /** The user's record: license, groups, account. */
  readonly userRecords: number;
  /** Entries of the user's index, by which changes find the sessions. */
  readonly indexed: number;
  readonly sessions: number;
  /** Journal records. */
  readonly records: number;
  /** Events that were accepted; those that no worker had processed yet, and the last one that a partition keeps. */
  readonly events: number;
  /** Effects that had not been handed over yet. */
  readonly effects: number;
  /** Effects on their way to a webhook or a remediator, and those that arrived or were given up. */
  readonly deliveries: number;
  /** Records in the archive, and snapshots in its checkpoints. */
  readonly archived: number;
}

export interface ErasurePreview {
  readonly found: Erased;
  /** Sessions of which a wipe is pending. */
  readonly pendingWipes: readonly SessionId[];
}

const NOTHING: Erased = {
  userRecords: 0,
  indexed: 0,
  sessions: 0,
  records: 0,
  events: 0,
  effects: 0,
  deliveries: 0,
  archived: 0,
};

export const isNothing = (erased: Erased): boolean => Object.values(erased).every((n: number) => n === 0);

function sum(one: Erased, other: Partial<Erased>): Erased {
  const names = Object.keys(NOTHING) as (keyof Erased)[];
  return Object.fromEntries(names.map((name) => [name, one[name] + (other[name] ?? 0)])) as unknown as Erased;
}

/**
 * What an erasure would remove. Changes nothing.
 * @throws StoreUnavailableError, CatalogueMissingError, MachineVersionError, and what reading the archive throws
 */
export async function previewErasure(target: EraseTarget, scope: ErasureScope): Promise<ErasurePreview> {
  const indexed = await indexedSessions(target.users, scope);
  const record = scope.device === undefined ? await target.users.read(scope) : undefined;
  let found = sum(NOTHING, {
    userRecords: record === undefined ? 0 : 1,
    indexed: indexed.length,
    deliveries: await eraseDeliveries(target.redis, target.prefix, scope, false),
    archived: target.archive === undefined ? 0 : await eraseArchived(target.archive, scope, { removes: false }),
  });
  const ids = new Set(indexed.map(({ device, app }) => `${scope.tenant}/${device}/${scope.user}/${app}`));
  await eachPartition(target.store, scope, async (partition) => {
    const { sessions, entries, records, effects, ids: known } = await findInPartition(target.store, partition, scope);
    for (const id of known) ids.add(id);
    found = sum(found, {
      sessions: sessions.size,
      events: entries.length,
      records: records.length,
      effects: effects.length,
    });
  });
  const pendingWipes: SessionId[] = [];
  for (const id of [...ids].sort() as SessionId[]) {
    const { session } = await look(target, id);
    if (session !== undefined && !("unreadable" in session) && session.facts.wipe?.status === "pending")
      pendingWipes.push(id);
  }
  return { found, pendingWipes };
}

/**
 * Erases, again and again until a look through everything finds nothing more.
 * @returns what was removed by this run
 * @throws WipePendingError unless `logged.despiteWipe`; then nothing was removed
 * @throws ErasureUnfinishedError, StoreUnavailableError, and what changing the archive throws; what was removed until then stays so, and another run goes on
 */
export async function erasePerson(target: EraseTarget, scope: ErasureScope, logged: LoggedBy): Promise<Erased> {
  const { store, redis, prefix } = target;
  const { pendingWipes } = await previewErasure(target, scope);
  if (pendingWipes.length > 0 && !logged.despiteWipe) throw new WipePendingError(pendingWipes.length);

  let erased = NOTHING;
  // Numbers of the records up to which the journals were looked through.
  const lookedThrough = new Map<number, number>();
  let unfinished: string | undefined;
  try {
    for (let pass = 1; pass <= PASSES; pass++) {
      const outcome = await eraseOnce(target, scope, lookedThrough);
      erased = sum(erased, outcome.erased);
      unfinished =
        outcome.othersWaiting > 0
          ? OTHERS_WAIT
          : isNothing(outcome.erased) && !outcome.isBehind
            ? undefined
            : STILL_COMING;
      if (unfinished === undefined) break;
      if (outcome.othersWaiting > 0) await delay(PAUSE_MS);
    }
    await eachPartition(store, scope, async (partition) => store.purge(partition));
    // After the journals: what is archived from here on has the tombstones already.
    if (target.archive !== undefined)
      erased = sum(erased, { archived: await eraseArchived(target.archive, scope, { removes: true }) });
  } finally {
    if (!isNothing(erased)) await logErasure(redis, prefix, scope, erased, logged);
  }
  if (unfinished !== undefined) throw new ErasureUnfinishedError(unfinished);
  return erased;
}

const STILL_COMING = "new data about the person kept coming";
const OTHERS_WAIT = "events of other people on the same device name the person, and no worker has processed them yet";

async function eraseOnce(
  target: EraseTarget,
  scope: ErasureScope,
  lookedThrough: Map<number, number>,
): Promise<{ erased: Erased; othersWaiting: number; isBehind: boolean }> {
  const { store, users, redis, prefix } = target;
  // The user's record and index first: nobody is told of the person's sessions from then on.
  const forgotten = await users.forget(scope, scope.device === undefined ? "all" : await indexedSessions(users, scope));
  let erased = sum(NOTHING, { userRecords: forgotten.record ? 1 : 0, indexed: forgotten.sessions });
  let othersWaiting = 0;
  let isBehind = false;
  await eachPartition(store, scope, async (partition) => {
    const { seq } = await store.chunk(partition, null, 1);
    const findings = await findInPartition(store, partition, scope, lookedThrough.get(partition));
    lookedThrough.set(partition, seq);
    othersWaiting += findings.othersWaiting;
    for (const erasure of erasuresOf(findings)) {
      const result = await eraseFresh(store, partition, erasure);
      if (result === undefined) isBehind = true;
      else {
        const { sessions, entries: events, records, effects } = result;
        erased = sum(erased, { sessions, events, records, effects });
      }
    }
  });
  // After the outboxes: what left one of them is a delivery by now.
  return {
    erased: sum(erased, { deliveries: await eraseDeliveries(redis, prefix, scope, true) }),
    othersWaiting,
    isBehind,
  };
}

type Part = Pick<Erasure, "entries" | "records" | "effects"> & { readonly sessions: readonly SessionKey[] };

/** What was found, in parts that the store takes in one call: whole sessions with their events first. */
function* erasuresOf({ sessions, entries, records, effects }: Findings): Generator<Part> {
  const keys = [...new Set([...sessions.keys(), ...entries.map(({ session }) => session)])];
  const nothing = { sessions: [], entries: [], records: [], effects: [] };
  for (const some of parts(keys, SESSIONS_PER_ERASURE)) {
    const theirs = entries.filter(({ session }) => some.includes(session)).map(({ id }) => id);
    yield { ...nothing, sessions: some, entries: theirs.slice(0, MAX_ERASED) };
    for (const rest of parts(theirs.slice(MAX_ERASED), MAX_ERASED)) yield { ...nothing, sessions: some, entries: rest };
  }
  for (const some of parts(effects, MAX_ERASED)) yield { ...nothing, effects: some };
  for (const some of parts(records, MAX_ERASED)) yield { ...nothing, records: some };
}

/**
 * Erases the sessions as they are at that moment.
 * @returns `undefined` if a worker wrote them too often at the same time: they are left to the next pass
 */
async function eraseFresh(
  store: PartitionStore,
  partition: number,
  part: Part,
): Promise<Extract<ErasureResult, { status: "erased" }> | undefined> {
  for (let attempt = 0; attempt <= STALE_RETRIES; attempt++) {
    const snapshots = await Promise.all(
      part.sessions.map(async (key) => [key, await store.snapshot(partition, key)] as const),
    );
    const counters: Record<string, number> = {};
    for (const [, text] of snapshots) {
      const stored = text === null ? undefined : readStored(text);
      if (stored === undefined || "unreadable" in stored) continue;
      const name = `in.${stateName(stored.state)}`;
      counters[name] = (counters[name] ?? 0) - 1;
    }
    const result = await store.erase(partition, {
      ...part,
      nextToken: randomToken(),
      sessions: new Map(snapshots),
      placeholder: CLOCK_BODY,
      counters,
      at: Date.now(),
    });
    if (result.status === "erased") return result;
  }
  return undefined;
}

async function indexedSessions(users: UserStore, scope: ErasureScope): Promise<UserSession[]> {
  const found = new Map<string, UserSession>();
  let from: string | null = null;
  do {
    const page: Awaited<ReturnType<UserStore["sessionsOf"]>> = await users.sessionsOf(scope, from, MAX_ERASED);
    for (const session of page.sessions)
      if (scope.device === undefined || session.device === scope.device)
        found.set(`${session.device}/${session.app}`, session);
    from = page.next;
  } while (from !== null);
  return [...found.values()];
}

/** A device's sessions are all in one partition; a person's may be anywhere. */
async function eachPartition(
  { deployment: { partitionCount } }: PartitionStore,
  { tenant, device }: ErasureScope,
  work: (partition: number) => Promise<void>,
): Promise<void> {
  if (device !== undefined) return work(partitionOf(tenant, device, partitionCount));
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < partitionCount) await work(next++);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
}

function* parts<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
