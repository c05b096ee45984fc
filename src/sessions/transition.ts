/** One line of what happens: a transition as those see it who follow sessions, and which of them somebody asks for. */
import type { JournalRecord } from "../../machines/outcome.js";
import type { Cause } from "../../machines/policy/causes.js";
import { type StateName, type StatePath, stateName } from "../../machines/session/context.js";
import { type SessionId, sessionIdParts } from "../../machines/session/session.js";
import { canonicalId } from "../../machines/users/canonical-id.js";
import { CAUSE_WORDS, eventWords } from "./plain-words.js";

export interface TransitionFilter {
  /** Into this state, or this part of one. */
  readonly state?: StateName | StatePath | undefined;
  /** Out of it. */
  readonly from?: StateName | StatePath | undefined;
  /** Type of the event that led to it. */
  readonly event?: string | undefined;
  /** Why the session is kept out then: the cause of noncompliance, or the reason of the sign-out. */
  readonly cause?: string | undefined;
  readonly user?: string | undefined;
  readonly device?: string | undefined;
  /** Under rules that are made from this policy: its id, or its whole name. */
  readonly policy?: string | undefined;
  /** At this time or later, epoch ms. */
  readonly since?: number | undefined;
  /** Records that change no state, too. */
  readonly all?: boolean | undefined;
}

export interface Transition {
  readonly session: SessionId;
  /** Epoch ms, by the partition's clock. */
  readonly at: number;
  readonly event: string;
  readonly outcome: JournalRecord["outcome"];
  /** Why the event was not applied. */
  readonly reason?: string;
  readonly from: StatePath | null;
  readonly to: StatePath | null;
  /** What keeps the session out where it went; absent: nothing does, or its record is no longer kept. */
  readonly cause?: Cause;
  readonly signOutReason?: string;
  /** In words. */
  readonly why: string;
  readonly revision: number;
  /** Types of the effects. */
  readonly effects: readonly string[];
}

/** States in which a cause keeps a session out. */
const CAUSED: readonly (StateName | undefined)[] = ["noncompliant", "remediating", "signedOut"];

const nameOf = (path: StatePath | undefined): StateName | undefined =>
  path === undefined ? undefined : stateName(path);

export const isCaused = ({ to }: JournalRecord): boolean => CAUSED.includes(nameOf(to));

function is(path: StatePath | undefined, asked: StateName | StatePath): boolean {
  return path === asked || nameOf(path) === asked;
}

/** All of the filter that the record itself tells: everything but cause and policy. */
export function matchesRecord(
  record: JournalRecord,
  tenant: string,
  { state, from, event, user, device, since, all }: TransitionFilter,
): boolean {
  const id = sessionIdParts(record.session);
  return (
    id.tenant === tenant &&
    (all === true || (record.outcome === "applied" && record.from !== record.to)) &&
    (state === undefined || (is(record.to, state) && !is(record.from, state))) &&
    (from === undefined || (is(record.from, from) && !is(record.to, from))) &&
    (event === undefined || event === record.event.type) &&
    (user === undefined || canonicalId(user) === id.user) &&
    (since === undefined || record.at >= since) &&
    (device === undefined || canonicalId(device) === id.device)
  );
}

/** What keeps a session out after a record. */
export interface Standing {
  readonly cause?: Cause;
  readonly signOutReason?: string;
}

export function toTransition(record: JournalRecord, { cause, signOutReason }: Standing): Transition {
  const { session, at, event, outcome, reason, from = null, to = null, revision, effects } = record;
  const what = eventWords(event);
  return {
    session,
    at,
    event: event.type,
    outcome,
    ...(reason !== undefined && { reason }),
    from,
    to,
    ...(cause !== undefined && { cause }),
    ...(signOutReason !== undefined && { signOutReason }),
    why: cause === undefined ? what : `${CAUSE_WORDS[cause]}: ${what}`,
    revision,
    effects: effects.map(({ type }) => type),
  };
}
