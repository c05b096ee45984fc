/** The words of a subject: which session, or which user, an event is about. Needs no library, so that every client can read one. */
import { canonicalId } from "../../machines/users/canonical-id.js";

/** The app of a deployment that protects one app alone. */
export const DEFAULT_APP = "azure-mobile";

const PART = "[A-Za-z0-9_-]{1,64}";
const NAME = "[A-Za-z0-9._-]{1,128}";

/** `device/user` or `device/user/app`. */
export const SESSION_SUBJECT = new RegExp(`^(${PART})/(${NAME})(?:/(${NAME}))?$`);

/** A user alone, on whatever device. */
export const USER_SUBJECT = new RegExp(`^${NAME}$`);

export const TENANT_PATTERN = new RegExp(`^${PART}$`);

export interface Subject {
  readonly device: string;
  readonly user: string;
  readonly app: string;
}

export const isSubject = (text: string): boolean => SESSION_SUBJECT.test(text);

export const isUserSubject = (text: string): boolean => USER_SUBJECT.test(text);

/** The session that a valid subject names. */
export function parseSubject(subject: string): Subject {
  const [, device = "", user = "", app = DEFAULT_APP] = SESSION_SUBJECT.exec(subject) ?? [];
  return { device: canonicalId(device), user: canonicalId(user), app };
}
