/** What of a session's past is taken in again when somebody decides on its quarantine. */
import { EVENTS } from "./events/catalogue.js";
import type { Occurrence } from "./fold.js";
import type { JournalRecord } from "./outcome.js";

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
  return { event, at, ...(origin && { origin }), ...(userVersion !== undefined && { userVersion }), redrives: seq };
}
