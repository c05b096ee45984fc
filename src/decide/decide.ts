/**
 * Decisions: one look at the session, at what was accepted for it but not yet processed, and at its user's record, folded up to now
 * in memory. No worker is needed, nothing is written, and every doubt is a deny.
 */
import { type Decision, decide, denyWithout } from "../../machines/decision.js";
import type { SessionId } from "../../machines/session/session.js";
import { type LookTarget, type Seen, foldSeen, see } from "../sessions/look.js";

/** Who wants in, where: `app` as in the session's id. */
export interface Asked {
  readonly tenant: string;
  readonly device: string;
  readonly user: string;
  readonly app: string;
  /** Of the message for the person, as a tag such as `de` or `pt-BR`; the tenant's texts have it or the built-in ones stand in. */
  readonly language?: string | undefined;
}

/**
 * May this user, on this device, open corporate data in this app now?
 * Never rejects: what can't be known is a deny, with the reason.
 * @param onDoubt hears of the error behind a deny that no rule gave
 */
export async function decideAccess(
  target: LookTarget,
  asked: Asked,
  onDoubt: (error: unknown) => void = () => {},
): Promise<Decision> {
  const { tenant, device, user, app } = asked;
  const id: SessionId = `${tenant}/${device}/${user}/${app}`;
  let seen: Seen;
  try {
    seen = await see(target, id);
  } catch (error) {
    onDoubt(error);
    return denyWithout(id, "store.unavailable", 0);
  }
  try {
    return await decideFrom(target, id, seen, asked);
  } catch (error) {
    onDoubt(error);
    return denyWithout(id, "snapshot.unreadable", seen.peek.now);
  }
}

async function decideFrom(
  { rules: source }: LookTarget,
  id: SessionId,
  seen: Seen,
  { tenant, language }: Asked,
): Promise<Decision> {
  const { now, lost } = seen.peek;
  // One of them may have taken access away.
  if (lost !== undefined) return denyWithout(id, "events.lost", now);
  const { session, rules, version = 0 } = await foldSeen(id, seen, source);
  if (session === undefined) return denyWithout(id, "session.unknown", now);
  if ("unreadable" in session || session.id !== id) return denyWithout(id, "snapshot.unreadable", now);
  if (rules === undefined) throw new Error("a readable session has rules");
  return decide(session, rules, now, source.texts(tenant, version, language));
}
