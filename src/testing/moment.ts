/**
 * A session at one moment of a specification, and how it gets to the next: through the fold that the workers run, so what holds here
 * holds in production.
 */
import { type Entry, foldBatch, type PartitionPolicies } from "../../machines/fold-batch.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { Rules } from "../../machines/policy/rules.js";
import { type Session, type SessionId, sessionIdParts } from "../../machines/session/session.js";
import type { Scene } from "./events.js";
import { type Happening, isName, isRules, type MovedDeadline, told } from "./happening.js";

export const START_MS = Date.UTC(2025, 2, 10, 8);
const DEFAULT_ID: SessionId = "contoso/phone-1/dana/azure-mobile";

export interface Moment {
  readonly id: SessionId;
  /** Epoch ms. */
  readonly now: number;
  readonly session: Session | undefined;
  readonly policies: PartitionPolicies;
  /** Rules by catalogue version, from 1. */
  readonly versions: readonly Rules[];
  readonly records: readonly JournalRecord[];
  /** Records that were there before the last `when`. */
  readonly told: number;
}

/** What one fold made of a session. */
export interface Folded {
  readonly before: Session | undefined;
  readonly records: readonly JournalRecord[];
  /** Every set of rules that was in force so far, by its hash. */
  readonly rulesByHash: ReadonlyMap<string, Rules>;
}

const listeners = new Set<(folded: Folded) => void>();

/** Hears of every fold of every specification in this process, until the function that it answers with is called. */
export function onFold(listener: (folded: Folded) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Before anything happened. */
export function beginning(rules: Rules, now = START_MS, id = DEFAULT_ID): Moment {
  const policies = { [sessionIdParts(id).tenant]: { base: 1, broadcasts: [] } };
  return { id, now, session: undefined, policies, versions: [rules], records: [], told: 0 };
}

/** @throws Error if the session would be given another name, or a deadline moved that is not armed */
export function happen(moment: Moment, happening: Happening): Moment {
  const { id, now, session, versions } = moment;
  if (isRules(happening)) {
    const version = versions.length + 1;
    return fold({ ...moment, versions: [...versions, happening] }, [
      { kind: "publish", tenant: sessionIdParts(id).tenant, version, at: now },
    ]);
  }
  if (isName(happening)) throw new Error("a session is named once, where its history begins");
  if ("pauseMs" in happening) return fold({ ...moment, now: now + happening.pauseMs }, []);
  if ("deadline" in happening) return { ...moment, session: withDeadline(moment, happening) };

  const { event: said, lateMs = 0, userVersion } = told(happening);
  const scene: Scene = { rules: versions.at(-1) as Rules, ...(session && { session }) };
  const event = typeof said === "function" ? said(scene) : said;
  const number = String(moment.records.length + 1);
  const origin = { source: "specification", id: number, time: now - lateMs, entry: `${now}-${number}` };
  const occurrence = { event, at: now, origin, ...(userVersion !== undefined && { userVersion }) };
  return fold(moment, [{ kind: "event", session: id, occurrence }]);
}

/** A pause before a retry is a fact, too, from which its deadline is armed again. */
function withDeadline({ session, now }: Moment, { deadline, dueInMs }: MovedDeadline): Session {
  if (session?.timers[deadline] === undefined) {
    const armed = Object.keys(session?.timers ?? {}).join(", ") || "none";
    throw new Error(`no deadline ${deadline} is armed, so it can't be moved; armed: ${armed}`);
  }
  const due = now + dueInMs;
  return {
    ...session,
    timers: { ...session.timers, [deadline]: due },
    ...(deadline === "retry" && { facts: { ...session.facts, retryAt: due } }),
  };
}

/** As a worker does it: a batch of what came in, and of the deadlines that passed. */
function fold(moment: Moment, entries: readonly Entry[]): Moment {
  const { id, now, session, policies, versions, records } = moment;
  const outcome = foldBatch(
    {
      policies,
      horizon: now,
      entries,
      due: session === undefined ? [] : [id],
      sessions: new Map(session === undefined ? [] : [[id, session]]),
      seq: records.length,
    },
    (_tenant, version) => versions[version - 1] as Rules,
  );
  if (listeners.size > 0) {
    const rulesByHash = new Map(versions.map((rules) => [rules.hash, rules]));
    for (const listen of listeners) listen({ before: session, records: outcome.records, rulesByHash });
  }
  return {
    ...moment,
    policies: outcome.policies,
    session: outcome.sessions.get(id) ?? session,
    records: [...records, ...outcome.records],
  };
}
