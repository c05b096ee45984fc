/**
 * The policy walk: brings published versions to the sessions that nothing else touches. It visits all sessions of a partition,
 * chunk by chunk, and lifts those whose rules changed; when it has visited all, the versions it brought need not be remembered
 * any longer. Who is touched or read meanwhile is lifted then and there, so the walk decides nothing: it only makes what holds
 * already stored, and gives its effects.
 */
import { advance } from "./advance.js";
import { type PartitionPolicies, type RulesOf, type Stored, policiesOf } from "./fold-batch.js";
import { type Outcome, OutcomeBuilder } from "./outcome.js";
import type { Session, SessionId } from "./session/session.js";

/** How far a walk has come. */
export interface Walk {
  /** The version that it brings to each tenant's sessions. What is published meanwhile waits for the next walk. */
  readonly versions: Readonly<Record<string, number>>;
  /** Where the next chunk begins, in the store's own terms; `null`: at the beginning. */
  readonly position: string | null;
  /** Sessions visited. One may be visited twice. */
  readonly seen: number;
  /** Sessions that got other rules. */
  readonly lifted: number;
}

/** A walk to begin, or `undefined` if every session has every version. */
export function neededWalk(policies: PartitionPolicies): Walk | undefined {
  const versions: Record<string, number> = {};
  for (const tenant in policies) {
    const last = policies[tenant]?.broadcasts.at(-1);
    if (last !== undefined) versions[tenant] = last.version;
  }
  return Object.keys(versions).length === 0 ? undefined : { versions, position: null, seen: 0, lifted: 0 };
}

export interface WalkChunk {
  readonly policies: PartitionPolicies;
  readonly walk: Walk;
  /** The sessions of this chunk. One whose snapshot can't be read is passed by. */
  readonly sessions: readonly Stored[];
  /** Where the next chunk begins; `null`: this is the last. */
  readonly next: string | null;
  /** The partition's clock, epoch ms: no event that waits was accepted before it. */
  readonly clock: number;
  /** Number of the journal's last record. */
  readonly seq: number;
}

export interface WalkOutcome extends Outcome {
  readonly policies: PartitionPolicies;
  /** `undefined`: the walk is over. */
  readonly walk: Walk | undefined;
}

export function foldWalk({ policies, walk, sessions, next, clock, seq }: WalkChunk, rulesOf: RulesOf): WalkOutcome {
  const outcome = new OutcomeBuilder(seq);
  const before = new Map<SessionId, Session>();
  for (const session of sessions) {
    if ("unreadable" in session) continue;
    const { length } = outcome.records;
    const lifted = advance(session, clock, policiesOf(policies, session.id, rulesOf), outcome.emit);
    // Rules that stayed the same cost neither a record nor a write.
    if (outcome.records.length > length) {
      before.set(session.id, session);
      outcome.sessions.set(session.id, lifted);
    }
  }
  const gone: Walk = {
    ...walk,
    position: next,
    seen: walk.seen + sessions.length,
    lifted: walk.lifted + outcome.sessions.size,
  };
  return next === null
    ? { ...outcome.finish(before), policies: withoutBrought(policies, walk.versions), walk: undefined }
    : { ...outcome.finish(before), policies, walk: gone };
}

/**
 * Every session has these versions now: they are the base of what may come. Of a version that the partition was never told, or was told of
 * and lost again in a failover, no session was lifted to it, whatever a walk that began before had in mind.
 */
function withoutBrought(policies: PartitionPolicies, versions: Walk["versions"]): PartitionPolicies {
  return Object.fromEntries(
    Object.entries(policies).map(([tenant, { base, broadcasts }]) => {
      const newest = versions[tenant] ?? base;
      const brought = broadcasts.findLast(({ version }) => version <= newest)?.version ?? base;
      return [tenant, { base: brought, broadcasts: broadcasts.filter(({ version }) => version > brought) }];
    }),
  );
}
