/** A session that is set aside, and what of its past is taken in again when somebody decides on it. */
import { EVENTS } from "./events/catalogue.js";
import type { JournalRecord } from "./outcome.js";
import type { Session } from "./session/session.js";
import type { Occurrence } from "./step-record.js";

/** The session, with nothing more applied to it until somebody decides. Remembers where it stood. */
export function setAside(session: Session, reason: string, at: number, event?: string): Session {
  const since = { asOf: session.asOf, record: session.lastRecord };
  return { ...session, quarantine: { reason, at, ...(event !== undefined && { event }), since } };
}

/**
 * The events that were set aside, as a lifted session takes them in.
 * @param records of the session since it was set aside, in their order
 */
export function setAsideEvents(records: readonly JournalRecord[]): Occurrence[] {
  return records.filter(isSetAside).map(asRedriven);
}

/**
 * Of them, what the organisation's side said: a session that is given up still obeys it. What the app said belonged to the
 * session that ended.
 */
export function organisationEvents(records: readonly JournalRecord[]): Occurrence[] {
  return records
    .filter((record) => {
      const definition = EVENTS.get(record.event.type);
      // The user's own facts are told again at the next sign-in.
      return definition?.scope === "session" && isReported(record) && !definition.emitters.includes("app");
    })
    .map(asRedriven);
}

/** Deadlines and changed rules are not among them: they come anew from the session itself as time is made up for. */
function isSetAside(record: JournalRecord): boolean {
  return record.outcome === "quarantined" && (isReported(record) || record.event.type === "user.changed");
}

const isReported = ({ origin, userVersion }: JournalRecord): boolean =>
  origin !== undefined || userVersion !== undefined;

function asRedriven({ event, at, origin, userVersion, seq }: JournalRecord): Occurrence {
  return { event, at, origin, userVersion, redrives: seq };
}
