/** When a session may be forgotten: nobody will miss it, and nothing that stands against it would be forgotten with it. */
import type { SessionFacts } from "./session/context.js";
import type { Session } from "./session/session.js";

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
