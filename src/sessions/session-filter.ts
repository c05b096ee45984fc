/** Which sessions somebody asks for, and a session as it stands in a list. */
import { SIGN_OUT_REASONS } from "../../machines/effects/catalogue.js";
import { CAUSES } from "../../machines/policy/causes.js";
import { STATES, STATE_NAMES, type StateName, type StatePath, stateName } from "../../machines/session/context.js";
import { type Session, sessionIdParts } from "../../machines/session/session.js";
import { canonicalId } from "../../machines/users/canonical-id.js";

/** The seven states, and the parts of those that have some. */
export const ASKED_STATES: readonly (StateName | StatePath)[] = [...new Set([...STATE_NAMES, ...STATES])];

/** Why a session is kept out. */
export const ASKED_CAUSES: readonly string[] = [...new Set([...CAUSES, ...SIGN_OUT_REASONS])];

export interface SessionFilter {
  /** One of the seven states, or a part of one such as `unenrolled.held`. */
  readonly state?: string | undefined;
  /** The cause of noncompliance, or the reason of a sign-out. */
  readonly cause?: string | undefined;
  readonly user?: string | undefined;
  readonly device?: string | undefined;
}

export function matchesFilter(
  session: Session,
  tenant: string,
  { state, cause, user, device }: SessionFilter,
): boolean {
  const id = sessionIdParts(session.id);
  const { facts } = session;
  return (
    id.tenant === tenant &&
    (state === undefined || state === session.state || state === stateName(session.state)) &&
    (cause === undefined || cause === facts.cause || cause === facts.signOutReason) &&
    (user === undefined || canonicalId(user) === id.user) &&
    (device === undefined || canonicalId(device) === id.device)
  );
}

export const sessionRow = (session: Session) => ({
  session: session.id,
  state: session.state,
  ...(session.facts.cause !== undefined && { cause: session.facts.cause }),
  ...(session.facts.signOutReason !== undefined && { signOutReason: session.facts.signOutReason }),
  ...(session.quarantine !== undefined && { quarantine: session.quarantine }),
  revision: session.revision,
  asOf: session.asOf,
  timers: session.timers,
});
