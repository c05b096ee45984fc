/** When a session may be forgotten: nobody will miss it, and nothing that stands against it would be forgotten with it. */
import type { SessionEventOf } from "./events/catalogue.js";
import type { SessionFacts } from "./session/context.js";
import type { Session } from "./session/session.js";
import { type InForce, type Occurrence, type Step, notApplied, recordOf } from "./step-record.js";

/** Why a session stays however long it has been silent. */
export type KeptBecause =
  /** It waits for an operator. */
  | "quarantined"
  /** A wipe was asked for, and the app has not said that it is done. */
  | "wipePending"
  /** The organisation said something against it that it did not take back: a session that begins anew would know nothing of it. */
  | "standsAgainst";

export function keptBecause({ facts, quarantine }: Pick<Session, "facts" | "quarantine">): KeptBecause | undefined {
  if (quarantine !== undefined) return "quarantined";
  if (facts.wipe?.status === "pending") return "wipePending";
  return standsAgainst(facts) ? "standsAgainst" : undefined;
}

function standsAgainst(facts: Readonly<SessionFacts>): boolean {
  return (
    facts.mamNoncompliant === true ||
    facts.deviceCompliant === false ||
    facts.conditionalAccess !== undefined ||
    facts.accountNotAllowed === true ||
    // Of the user's own record a session that begins anew is told.
    (facts.threatLevel !== undefined && facts.threatLevel !== "secured")
  );
}

const KEPT: Record<KeptBecause, string> = {
  quarantined: "the session is quarantined",
  wipePending: "a wipe is pending",
  standsAgainst: "the organisation has something against it",
};

/** The session's last record, after which there is none; or why it stays. */
export function retire(
  session: Session,
  occurrence: Occurrence & { readonly event: SessionEventOf<"session.retired"> },
  inForce: InForce,
): Step {
  const { event, at } = occurrence;
  if (session.lastRecord > event.upTo) {
    return notApplied(session, occurrence, inForce, "stale", "more was recorded since somebody looked");
  }
  const kept = keptBecause(session);
  if (kept !== undefined) return notApplied(session, occurrence, inForce, "ignored", KEPT[kept]);
  const revision = session.revision + 1;
  return {
    record: recordOf(session, { event, at }, inForce, { outcome: "applied", to: undefined, revision, effects: [] }),
  };
}
