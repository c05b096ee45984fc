/** How every session stands at the end of the day, and what was counted on the way. */
import type { Session } from "../../../machines/session/session.js";
import type { OpenDeployment } from "../../deployment/open-deployment.js";
import { listSessions } from "../../sessions/list-sessions.js";
import { type Counters, readCounters, sumCounters } from "../../store/counters.js";

export interface FinalStates {
  /** In the order of their ids. */
  readonly sessions: readonly Session[];
  readonly counters: Counters;
}

/**
 * Sessions are read as anyone who asks sees them, with the noon's rules folded in where nothing has touched a session since. So what
 * is read does not depend on how events fell into batches.
 */
export async function readFinalStates({ store, rules }: OpenDeployment): Promise<FinalStates> {
  const sessions: Session[] = [];
  const counters: Counters[] = [await readCounters(store)];
  for (let partition = 0; partition < store.deployment.partitionCount; partition++) {
    for await (const page of listSessions(store, rules, partition)) {
      sessions.push(...page.sessions);
      counters.push(page.counters);
    }
  }
  sessions.sort((one, other) => (one.id < other.id ? -1 : 1));
  return { sessions, counters: sumCounters(counters) };
}

/** One line a session: what must be the same whenever the same day is played. */
export function statesNdjson(sessions: readonly Session[]): string {
  return sessions
    .map(({ id, state, facts, timers, revision }) => {
      const { step: _, ...remembered } = facts as typeof facts & { readonly step: undefined };
      return `${JSON.stringify(inOrder({ session: id, state, revision, timers, facts: remembered }))}\n`;
    })
    .join("");
}

/** The same value, with the keys of every object in order. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, inOrder(inner)]),
  );
}
