/** What a history is made of: events, time that goes by, rules that are published. */
import type { SessionEvent } from "../../machines/events/catalogue.js";
import type { Rules } from "../../machines/policy/rules.js";
import { type SessionId, sessionIdParts } from "../../machines/session/session.js";
import { type Span, spanMs } from "./duration.js";
import type { SceneEvent } from "./events.js";

/** Time that goes by; deadlines that are due in it pass. */
export interface Pause {
  readonly pauseMs: number;
}

/** An event with what else is known of how it came. */
export interface ToldEvent {
  readonly event: SessionEvent | SceneEvent;
  /** It is accepted now but happened so long ago, by its producer's clock. */
  readonly lateMs?: number;
  /** Of an event about the user: the version of the user's record that it made. */
  readonly userVersion?: number;
}

/** A deadline that is armed, moved to another time. */
export interface MovedDeadline {
  readonly deadline: string;
  readonly dueInMs: number;
}

/** Whose session it is. */
export interface Named {
  readonly sessionId: SessionId;
}

/**
 * Whatever a history is made of. Rules are in force from where they stand on; the first of a history from its beginning, as is the
 * name of its session.
 */
export type Happening = SessionEvent | SceneEvent | ToldEvent | Pause | Rules | MovedDeadline | Named;

/** Lets time go by: `after("30 m")`, `after({ minutes: 30 })`. */
export function after(span: Span): Pause {
  return { pauseMs: spanMs(span) };
}

/** An event that reaches the server late: `late(pinVerified(), "5 m")`. */
export function late(event: SessionEvent | SceneEvent | ToldEvent, by: Span): ToldEvent {
  return { ...told(event), lateMs: spanMs(by) };
}

/**
 * An event about the user that made this version of the user's record, as a deployment counts them; 0: it came too late for the
 * record. An older version than the session knows is stale: `asUserVersion(licenseGranted(), 2)`.
 */
export function asUserVersion(event: SessionEvent | SceneEvent | ToldEvent, userVersion: number): ToldEvent {
  return { ...told(event), userVersion };
}

/**
 * Moves an armed deadline: `dueIn("retry", "40 s")`. Pauses before a retry are spread by a draw from who and when the session is, so a
 * specification that needs one to be of a certain length says so.
 */
export function dueIn(deadline: string, span: Span): MovedDeadline {
  return { deadline, dueInMs: spanMs(span) };
}

/**
 * Names the session, where it matters who somebody is: `ofSession("tenant-1/device-1/user-1/app-1")`.
 * @throws Error unless it has four parts
 */
export function ofSession(id: SessionId): Named {
  const parts = Object.values(sessionIdParts(id));
  if (parts.some((part) => part === "") || id.split("/").length !== parts.length) {
    throw new Error(`${JSON.stringify(id)} names no session: give tenant/device/user/app`);
  }
  return { sessionId: id };
}

export function told(event: SessionEvent | SceneEvent | ToldEvent): ToldEvent {
  return typeof event === "object" && "event" in event ? event : { event };
}

export function isRules(happening: Happening): happening is Rules {
  return typeof happening === "object" && "hash" in happening;
}

export function isName(happening: Happening): happening is Named {
  return typeof happening === "object" && "sessionId" in happening;
}
