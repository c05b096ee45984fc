/**
 * What is known of a user, whatever the device: one versioned record, so that a session that missed how something came about
 * can be brought up to it at any time. Pure; where records are kept is the shell's business.
 */
import { EVENTS, type SessionEvent, type SessionEventOf } from "../events/catalogue.js";
import { canonicalId } from "./canonical-id.js";

/** What a record says. Absent: never told. */
export interface UserFacts {
  readonly licensed?: boolean;
  /** All of the user's groups: sorted, each once, GUIDs in lower case. */
  readonly groups?: readonly string[];
  readonly account?: "enabled" | "disabled";
}

export interface UserRecord extends UserFacts {
  /** From 1; each change is the next one. */
  readonly version: number;
  /** When the last change was told, epoch ms, by the deployment's clock. */
  readonly at: number;
  /** Producer's time of the last restricting event, epoch ms; what relaxes and is older changes nothing. */
  readonly restrictedAt?: number;
}

/** An event about a user, which every session of the user is told. */
export type UserEvent = SessionEventOf<
  "license.granted" | "license.revoked" | "membership.changed" | "account.disabled" | "account.enabled"
>;

export function isUserEvent(event: SessionEvent): event is UserEvent {
  return EVENTS.get(event.type)?.scope === "user";
}

/**
 * The record after an event. An event that says what is known already is a change all the same: it is news to a session that was
 * told otherwise by its app. The same record means that the event came too late: it relaxes, and is older than the last one that restricted.
 * @param time when it happened, by the producer's clock, epoch ms
 * @param at when it was told, epoch ms
 */
export function changeUser(record: UserRecord | undefined, event: UserEvent, time: number, at: number): UserRecord {
  const bearing = EVENTS.get(event.type)?.bearing(event as never);
  const { version = 0, restrictedAt = 0 } = record ?? {};
  if (record !== undefined && bearing === "relaxing" && time < restrictedAt) return record;
  return {
    ...record,
    ...factsOf(event),
    version: version + 1,
    at,
    // A producer's clock that runs ahead must not make every later event look old.
    ...(bearing === "restricting" && { restrictedAt: Math.max(restrictedAt, Math.min(time, at)) }),
  };
}

/** The record with these facts in place of those it has; the same record if it says so already. */
export function withFacts(record: UserRecord | undefined, facts: UserFacts, at: number): UserRecord | undefined {
  const groups = facts.groups && canonicalGroups(facts.groups);
  const isKnown =
    (facts.licensed === undefined || facts.licensed === record?.licensed) &&
    (facts.account === undefined || facts.account === record?.account) &&
    (groups === undefined || isSameList(groups, record?.groups));
  if (isKnown) return record;
  return { ...record, ...facts, ...(groups && { groups }), version: (record?.version ?? 0) + 1, at };
}

/** The record as the event that brings a session up to it. */
export function userChanged({ version, licensed, groups, account }: UserRecord): SessionEventOf<"user.changed"> {
  return {
    type: "user.changed",
    version,
    ...(licensed !== undefined && { licensed }),
    ...(groups !== undefined && { groups: [...groups] }),
    ...(account !== undefined && { account }),
  };
}

/** Sorted, each once, GUIDs in lower case. */
export function canonicalGroups(groups: readonly string[]): string[] {
  return [...new Set(groups.map(canonicalId))].sort();
}

function factsOf(event: UserEvent): UserFacts {
  switch (event.type) {
    case "license.granted":
      return { licensed: true };
    case "license.revoked":
      return { licensed: false };
    case "membership.changed":
      return { groups: canonicalGroups(event.groups) };
    case "account.disabled":
      return { account: "disabled" };
    case "account.enabled":
      return { account: "enabled" };
  }
}

function isSameList(one: readonly string[], other: readonly string[] | undefined): boolean {
  return other !== undefined && one.length === other.length && one.every((item, n) => item === other[n]);
}
