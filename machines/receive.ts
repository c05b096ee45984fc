/** One event that was accepted for one session: everything that follows from it, from the deadlines before it to the rules after it. */
import { type Policies, advance, applied, lift, versionInForce } from "./advance.js";
import { newSession, step } from "./fold.js";
import { type Occurrence, type StepRecord, strayRecord } from "./step-record.js";
import type { Session, SessionId } from "./session/session.js";

/**
 * @param known the session as it was; `undefined`: there is none
 * @param emit is handed every record, and answers with its number
 * @returns `undefined`: there still is none, or none any more
 */
export function receive(
  known: Session | undefined,
  id: SessionId,
  occurrence: Occurrence,
  policies: Policies,
  emit: (record: StepRecord) => number,
): Session | undefined {
  const { at, event } = occurrence;
  const version = versionInForce(policies, at);
  let session: Session;
  if (known !== undefined) session = advance(known, at, policies, emit);
  else if (event.type === "account.signedIn") {
    session = newSession(id, event.platform, (unjudged) => policies.rules(version, unjudged), at);
  } else {
    emit(strayRecord(id, occurrence, "ignored", NO_SESSION));
    return undefined;
  }
  const next = step(session, occurrence, policies.rules(version, session), version, policies.chart);
  if (next.session === undefined) {
    emit(next.record);
    return undefined;
  }
  session = applied(next, emit);
  // What the event said may call for other rules; the session is judged by them at once.
  return session.quarantine === undefined ? lift(session, version, at, policies, emit) : session;
}

const NO_SESSION = "no such session: only account.signedIn begins one";
