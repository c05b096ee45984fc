/** A working day, and what becomes of it without a queue: accepted as the boundary accepts, folded as a worker folds. */
import { type Entry, type PartitionPolicies, foldBatch } from "../../../machines/fold-batch.js";
import type { Occurrence } from "../../../machines/step-record.js";
import type { JournalRecord } from "../../../machines/outcome.js";
import { Resolver } from "../../../machines/policy/resolver.js";
import type { Rules } from "../../../machines/policy/rules.js";
import { type Session, resolveFacts, sessionIdParts } from "../../../machines/session/session.js";
import { type UserRecord, changeUser, userChanged } from "../../../machines/users/user-record.js";
import { readCatalogue } from "../../../src/control/catalogue-document.js";
import { DAY_END_MS, DAY_START_MS, TENANT } from "../../../src/demo/day.js";
import { demoPolicies } from "../../../src/demo/policies.js";
import { type DemoItem, workingDay } from "../../../src/demo/working-day.js";
import { acceptEvent } from "../../../src/ingest/accept.js";

const documents = demoPolicies();
const policies = { morning: readCatalogue(documents.morning), noon: readCatalogue(documents.noon) };

export const dayOf = (seed: number, devices: number): DemoItem[] => [...workingDay({ seed, devices, policies })];

export interface DayResult {
  readonly sent: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly conflict: number;
  readonly refused: number;
  /** By refusal code, and `malformed` for a line that is not JSON. */
  readonly refusals: Readonly<Record<string, number>>;
  /** The fold's counters. */
  readonly counters: Readonly<Record<string, number>>;
  readonly sessions: ReadonlyMap<string, Session>;
  readonly records: readonly JournalRecord[];
}

/** @param partitionOf the partition of a device: each has a clock of its own */
export function fold(items: readonly DemoItem[], partitionOf: (device: string) => string = () => "all"): DayResult {
  const totals = { sent: 0, accepted: 0, duplicate: 0, conflict: 0, refused: 0 };
  const refusals: Record<string, number> = {};
  const refuse = (code: string) => {
    totals.refused++;
    refusals[code] = (refusals[code] ?? 0) + 1;
  };
  const bodies = new Map<string, string>();
  const partitions = new Map<string, Partition>();
  const partition = (name: string): Partition => {
    let known = partitions.get(name);
    if (known === undefined) partitions.set(name, (known = new Partition()));
    return known;
  };
  let noon: number | undefined;
  const users = new Map<string, { record?: UserRecord; readonly sessions: Set<string> }>();
  const userOf = (name: string) => {
    let known = users.get(name);
    if (known === undefined) users.set(name, (known = { sessions: new Set() }));
    return known;
  };

  for (const item of items) {
    if (item.kind === "publish") {
      noon = item.at;
      continue;
    }
    const input = item.kind === "event" ? item.event : parsed(item.line);
    const acceptance = input === undefined ? undefined : acceptEvent(input, TENANT);
    if (acceptance === undefined || "refusal" in acceptance) {
      totals.sent++;
      refuse(acceptance === undefined ? "malformed" : acceptance.refusal.code);
      continue;
    }
    const isNew = (source: string, id: string, body: string): boolean => {
      totals.sent++;
      const name = `${source} ${id}`;
      const before = bodies.get(name);
      if (before === undefined) bodies.set(name, body);
      totals[before === undefined ? "accepted" : before === body ? "duplicate" : "conflict"]++;
      return before === undefined;
    };
    const append = (session: string, time: number, occurrenceAt: (at: number) => Occurrence): void => {
      const inbox = partition(partitionOf(sessionIdParts(session).device));
      if (noon !== undefined) inbox.publish(noon);
      inbox.entries.push({ kind: "event", session, occurrence: occurrenceAt(inbox.clockAt(time)) });
    };
    if ("userEvent" in acceptance) {
      const { user, event, source, id, time } = acceptance.userEvent;
      if (!isNew(source, id, JSON.stringify([user, time, event]))) continue;
      const { record, sessions } = userOf(user);
      const changed = changeUser(record, event, time, time);
      userOf(user).record = changed;
      for (const session of sessions) {
        append(session, time, (at) => ({
          event,
          at,
          origin: { source, id, time, entry: `${at}-0` },
          userVersion: changed === record ? 0 : changed.version,
        }));
      }
      continue;
    }
    for (const { session, event, source, id, time } of acceptance.events) {
      if (!isNew(source, id, JSON.stringify([session, time, event]))) continue;
      append(session, time, (at) => ({ event, at, origin: { source, id, time, entry: `${at}-0` } }));
      if (event.type !== "account.signedIn") continue;
      const { record, sessions } = userOf(sessionIdParts(session).user);
      sessions.add(session);
      if (record !== undefined) append(session, time, (at) => ({ event: userChanged(record), at }));
    }
  }
  return { ...totals, refusals, ...foldAll(partitions.values(), noon) };
}

class Partition {
  readonly entries: Entry[] = [];
  private clock = DAY_START_MS;
  private published = false;

  clockAt(time: number): number {
    return (this.clock = Math.max(this.clock, time));
  }

  publish(at: number): void {
    if (this.published) return;
    this.published = true;
    this.entries.push({ kind: "publish", tenant: TENANT, version: 2, at: this.clockAt(at) });
  }
}

function foldAll(
  partitions: Iterable<Partition>,
  noon: number | undefined,
): Pick<DayResult, "counters" | "sessions" | "records"> {
  const resolvers = [policies.morning, policies.noon].map((catalogue) => new Resolver(catalogue));
  const rulesOf = (_tenant: string, version: number, session: Session): Rules =>
    (resolvers[version - 1] as Resolver).rules(resolveFacts(session));
  const counters: Record<string, number> = {};
  const sessions = new Map<string, Session>();
  const records: JournalRecord[] = [];
  for (const partition of partitions) {
    if (noon !== undefined) partition.publish(noon);
    const begin: PartitionPolicies = { [TENANT]: { base: 0, broadcasts: [{ version: 1, at: DAY_START_MS }] } };
    const input = { policies: begin, horizon: DAY_END_MS, due: [], sessions: new Map(), seq: 0 };
    const day = foldBatch({ ...input, entries: partition.entries }, rulesOf);
    // The evening: deadlines of sessions that nothing more happens to.
    const due = [...day.sessions.keys()];
    const evening = foldBatch(
      { ...input, policies: day.policies, entries: [], due, sessions: day.sessions, seq: day.records.length },
      rulesOf,
    );
    for (const outcome of [day, evening]) {
      for (const name in outcome.counters) counters[name] = (counters[name] ?? 0) + (outcome.counters[name] ?? 0);
      for (const [id, session] of outcome.sessions) sessions.set(id, session);
      for (const record of outcome.records) records.push(record);
    }
  }
  return { counters, sessions, records };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
