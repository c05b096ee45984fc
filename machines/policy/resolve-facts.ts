/** What of a session decides which policies cover it. */
import type { Platform } from "./rules.js";

/** GUIDs are in lower case. */
export interface ResolveFacts {
  readonly platform: Platform;
  /** The session's app, as in its id. */
  readonly app: string;
  readonly user: string;
  /** Not known counts as not enrolled. */
  readonly mdmEnrolled: boolean | undefined;
  /** `undefined`: not known, and taken as licensed. */
  readonly licensed: boolean | undefined;
  /** `undefined`: not known. */
  readonly groups: readonly string[] | undefined;
}
