/** Every event there is, by type. */
import * as account from "./account.js";
import * as app from "./app.js";
import * as auth from "./auth.js";
import * as checkin from "./checkin.js";
import { caEvaluated, complianceEvaluated } from "./compliance.js";
import type { EventDefinition, EventOf } from "./define-event.js";
import { enrollmentCompleted, enrollmentEnded, registrationExpired } from "./enrollment.js";
import * as pin from "./pin.js";
import * as policy from "./policy.js";
import * as posture from "./posture.js";
import * as quarantine from "./quarantine.js";
import { companyPortalInstalled, remediationCompleted, remediationRequested } from "./remediation.js";
import * as session from "./session.js";
import * as shift from "./shift.js";
import * as timers from "./timers.js";
import * as user from "./user.js";
import * as wipe from "./wipe.js";

const definitions = {
  ...account,
  ...user,
  ...auth,
  ...policy,
  enrollmentCompleted,
  enrollmentEnded,
  registrationExpired,
  ...checkin,
  ...pin,
  ...app,
  ...posture,
  ...shift,
  complianceEvaluated,
  caEvaluated,
  remediationRequested,
  remediationCompleted,
  companyPortalInstalled,
  ...wipe,
  ...session,
  ...quarantine,
  ...timers,
};

/** Type and payload of any event, as the chart and the records hold it. */
export type SessionEvent = EventOf<(typeof definitions)[keyof typeof definitions]>;
export type EventType = SessionEvent["type"];
export type SessionEventOf<Type extends EventType> = Extract<SessionEvent, { type: Type }>;

/** By type, in the order of the reference. */
export const EVENTS: ReadonlyMap<string, EventDefinition> = new Map(
  Object.values(definitions).map((definition) => [definition.type, definition as unknown as EventDefinition]),
);

/** Types that may be reported from outside, in the order of the reference. */
export const OUTSIDE_EVENT_TYPES: readonly string[] = [...EVENTS.values()]
  .filter((definition) => definition.emitters.length > 0)
  .map((definition) => definition.type);
