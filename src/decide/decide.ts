/**
 * Decisions: one look at the session and at what was accepted for it but not yet processed, folded up to now in memory. No
 * worker is needed, nothing is written, and every doubt is a deny.
 */
import { type Decision, decide, denyWithout } from "../../machines/decision.js";
import type { SessionId } from "../../machines/session/session.js";
import type { RulesSource } from "../control/rules-source.js";
import { foldPeek } from "../sessions/look.js";
import type { PartitionStore, Peek } from "../store/partition-store.js";
import { partitionOf, sessionKey } from "../store/session-key.js";

/** Who wants in, where: `app` as in the session's id. */
export interface Asked {
  readonly tenant: string;
  readonly device: string;
  readonly user: string;
  readonly app: string;
}

/**
 * May this user, on this device, open corporate data in this app now?
 * Never rejects: what can't be known is a deny, with the reason.
 * @param onDoubt hears of the error behind a deny that no rule gave
 */
export async function decideAccess(
  store: PartitionStore,
  rules: RulesSource,
  { tenant, device, user, app }: Asked,
  onDoubt: (error: unknown) => void = () => {},
): Promise<Decision> {
  const id: SessionId = `${tenant}/${device}/${user}/${app}`;
  let peek: Peek;
  try {
    peek = await store.peek(partitionOf(tenant, device, store.deployment.partitionCount), sessionKey(id));
  } catch (error) {
    onDoubt(error);
    return denyWithout(id, "store.unavailable", 0);
  }
  try {
    return await decideFrom(id, peek, rules);
  } catch (error) {
    onDoubt(error);
    return denyWithout(id, "snapshot.unreadable", peek.now);
  }
}

async function decideFrom(id: SessionId, peek: Peek, source: RulesSource): Promise<Decision> {
  const { session, rules } = await foldPeek(id, peek, source);
  if (session === undefined) return denyWithout(id, "session.unknown", peek.now);
  if ("unreadable" in session || session.id !== id) return denyWithout(id, "snapshot.unreadable", peek.now);
  if (rules === undefined) throw new Error("a readable session has rules");
  return decide(session, rules, peek.now);
}
