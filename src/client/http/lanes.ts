/** Which events must not overtake one another: those of one device, and what is told of one user. */
import type { UserEvent } from "../../../machines/users/user-record.js";
import { canonicalId } from "../../../machines/users/canonical-id.js";

const ABOUT_USERS: Readonly<Record<UserEvent["type"], true>> = {
  "license.granted": true,
  "license.revoked": true,
  "membership.changed": true,
  "account.disabled": true,
  "account.enabled": true,
};

/** Names of the lanes that an event travels in; two events that share one keep their order. Whether the subject is one is for the API to say. */
export function lanesOf(event: object): readonly string[] {
  const { subject, type } = event as { readonly subject?: unknown; readonly type?: unknown };
  const [first = "", second] = String(subject).split("/", 2);
  if (second === undefined) return [`user ${canonicalId(first)}`];
  const device = `device ${canonicalId(first)}`;
  const isAboutUser = typeof type === "string" && Object.hasOwn(ABOUT_USERS, type);
  return isAboutUser ? [device, `user ${canonicalId(second)}`] : [device];
}
