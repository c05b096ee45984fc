/**
 * A worker's whole decision: folds one batch of a partition and says what to write. Pure, so the same batch gives the same
 * outcome whoever folds it, and a session's outcome does not depend on how its events were split into batches.
 */
import { type Broadcast, type Policies, advance, applied, lift, versionInForce } from "./advance.js";
import { step } from "./fold.js";
import { setAside } from "./quarantine.js";
import { type Occurrence, strayRecord } from "./step-record.js";
import { type Outcome, OutcomeBuilder } from "./outcome.js";
import type { Rules } from "./policy/rules.js";
import { receive } from "./receive.js";
import type { SessionEventOf } from "./events/catalogue.js";
import { type StatePath, newFacts } from "./session/context.js";
import { type Session, type SessionId, sessionIdParts } from "./session/session.js";

/** An accepted entry of the inbox. */
export type Entry = EventEntry | PublishEntry | ClockEntry;

export interface EventEntry {
  readonly kind: "event";
  readonly session: SessionId;
  readonly occurrence: Occurrence;
  /** Of a decision on a quarantine: what was set aside and is taken in now, in its order. */
  readonly redriven?: readonly Occurrence[];
}

/** A catalogue version was published for a tenant. */
export interface PublishEntry {
  readonly kind: "publish";
  readonly tenant: string;
  readonly version: number;
  readonly at: number;
}

/** Time went on, and nothing else (deployments whose clock is the events' own). */
export interface ClockEntry {
  readonly kind: "clock";
  readonly at: number;
}

/** Per tenant: catalogue versions that sessions of this partition may not have folded in yet. */
export type PartitionPolicies = Readonly<
  Record<string, { readonly base: number; readonly broadcasts: readonly Broadcast[] }>
>;

/** A stored session, or the reason why its snapshot can't be read. */
export type Stored = Session | { readonly unreadable: string };

export interface BatchInput {
  readonly policies: PartitionPolicies;
  /** No deadline beyond it passes, epoch ms. */
  readonly horizon: number;
  /** In order of acceptance. */
  readonly entries: readonly Entry[];
  /** Sessions with a deadline at or before the horizon. */
  readonly due: readonly SessionId[];
  /** Every stored session that `entries` or `due` name. */
  readonly sessions: ReadonlyMap<SessionId, Stored>;
  /** Number of the journal's last record. */
  readonly seq: number;
}

export interface BatchOutcome extends Outcome {
  readonly policies: PartitionPolicies;
}

/** The rules that a tenant's catalogue version gives a session. Pure; version 0 is the empty catalogue. */
export type RulesOf = (tenant: string, version: number, session: Session) => Rules;

export function foldBatch(input: BatchInput, rulesOf: RulesOf): BatchOutcome {
  let { policies } = input;
  const outcome = new OutcomeBuilder(input.seq);
  const { sessions, retired, timers, emit } = outcome;

  const stored = (id: SessionId): Stored | undefined =>
    retired.has(id) ? undefined : (sessions.get(id) ?? input.sessions.get(id));

  /** A decision on a session that was set aside, and what was set aside with it. */
  const resume = (known: Session, { occurrence, redriven = [] }: EventEntry, tenantPolicies: Policies): Session => {
    const { at, event } = occurrence;
    const version = versionInForce(tenantPolicies, at);
    const decided = step(known, occurrence, tenantPolicies.rules(version, known), version);
    let session = applied(decided, emit);
    if (decided.record.outcome !== "applied") return session;
    const isLifted = event.type === "quarantine.lifted";
    // Versions that a walk brought meanwhile are no longer among the broadcasts.
    const { asOf } = session;
    if (isLifted) session = lift(session, versionInForce(tenantPolicies, asOf), asOf, tenantPolicies, emit);
    for (const one of redriven) {
      const taken = receive(session, session.id, one, tenantPolicies, emit) ?? session;
      // Of a session that is given up nothing is set aside again.
      session = isLifted || taken.quarantine === undefined ? taken : { ...session, lastRecord: taken.lastRecord };
    }
    if (session.quarantine !== undefined) return session;
    session = advance(session, at, tenantPolicies, emit);
    return session.quarantine === undefined
      ? lift(session, versionInForce(tenantPolicies, at), at, tenantPolicies, emit)
      : session;
  };

  const accept = (entry: EventEntry): void => {
    const { session: id, occurrence } = entry;
    const known = stored(id);
    const tenantPolicies = policiesOf(policies, id, rulesOf);
    const { event } = occurrence;
    if (known !== undefined && "unreadable" in known) {
      if (event.type === "quarantine.dropped") {
        sessions.set(id, resume(standIn(id, event, known.unreadable, occurrence.at), entry, tenantPolicies));
      } else emit(strayRecord(id, occurrence, "quarantined", known.unreadable));
      return;
    }
    if (known !== undefined && (event.type === "quarantine.lifted" || event.type === "quarantine.dropped")) {
      sessions.set(id, resume(known, entry, tenantPolicies));
      return;
    }
    const session = receive(known, id, occurrence, tenantPolicies, emit);
    if (session === undefined) {
      if (known === undefined) return;
      sessions.delete(id);
      retired.add(id);
      return;
    }
    if (known === undefined) {
      retired.delete(id);
      outcome.count("in.unenrolled");
      outcome.count("moved.none.unenrolled");
    }
    sessions.set(id, session);
  };

  for (const entry of input.entries) {
    if (entry.kind === "event") accept(entry);
    else if (entry.kind === "publish") policies = withBroadcast(policies, entry);
  }

  for (const id of input.due) {
    const known = stored(id);
    if (known === undefined || "unreadable" in known) timers.set(id, null);
    else sessions.set(id, advance(known, input.horizon, policiesOf(policies, id, rulesOf), emit));
  }

  return { policies, ...outcome.finish(input.sessions) };
}

/** The policies that a session is under. */
export function policiesOf(policies: PartitionPolicies, id: SessionId, rulesOf: RulesOf): Policies {
  const tenant = id.slice(0, id.indexOf("/"));
  const { base, broadcasts } = policies[tenant] ?? { base: 0, broadcasts: [] };
  return { base, broadcasts, rules: (version, session) => rulesOf(tenant, version, session) };
}

/** What the journal tells of a session whose snapshot can't be read, in the snapshot's place. */
function standIn(
  id: SessionId,
  { upTo, last }: SessionEventOf<"quarantine.dropped">,
  reason: string,
  at: number,
): Session {
  const session: Session = {
    id,
    state: (last?.state ?? "signedOut") as StatePath,
    facts: newFacts({ platform: last?.platform ?? "ios", enrollment: "none" }),
    timers: {},
    rulesHash: "",
    revision: last?.revision ?? 0,
    lastRecord: upTo,
    asOf: at,
  };
  return setAside(session, reason, at);
}

/** A version that is not newer than the last changes nothing; of two in one moment the later one counts. */
function withBroadcast(policies: PartitionPolicies, { tenant, version, at }: PublishEntry): PartitionPolicies {
  const { base, broadcasts } = policies[tenant] ?? { base: 0, broadcasts: [] };
  const last = broadcasts.at(-1);
  if (version <= (last?.version ?? base)) return policies;
  const earlier = last !== undefined && last.at >= at ? broadcasts.slice(0, -1) : broadcasts;
  return { ...policies, [tenant]: { base, broadcasts: [...earlier, { version, at: Math.max(at, last?.at ?? 0) }] } };
}

/** One session folded up to now, as a worker would have it: what a decision is made on, without waiting for a worker. */
export function foldAhead(
  input: Pick<BatchInput, "policies" | "entries"> & {
    readonly id: SessionId;
    readonly stored?: Stored;
    readonly now: number;
  },
  rulesOf: RulesOf,
): { readonly session?: Stored; readonly rules?: Rules; readonly version?: number } {
  const { id, stored, now } = input;
  const outcome = foldBatch(
    {
      policies: input.policies,
      horizon: now,
      entries: input.entries,
      due: [id],
      sessions: new Map(stored === undefined ? [] : [[id, stored]]),
      seq: 0,
    },
    rulesOf,
  );
  const session = outcome.sessions.get(id);
  if (outcome.retired.has(id)) return {};
  if (session === undefined) return stored === undefined ? {} : { session: stored };
  const { tenant } = sessionIdParts(id);
  const { base, broadcasts } = outcome.policies[tenant] ?? { base: 0, broadcasts: [] };
  const version = versionInForce({ base, broadcasts }, now);
  return { session, version, rules: rulesOf(tenant, version, session) };
}
