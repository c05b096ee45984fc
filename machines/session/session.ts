/** A session as the fold holds it: where it rests, what it remembers, and which deadlines are armed. */
import { isSame } from "../is-same.js";
import type { ResolveFacts } from "../policy/resolve.js";
import type { Rules } from "../policy/rules.js";
import { FACTS, type SessionContext, type SessionFacts, type StatePath, inOneShape } from "./context.js";

/** `tenant/device/user/app`. */
export type SessionId = string;

export interface Session {
  readonly id: SessionId;
  readonly state: StatePath;
  readonly facts: Readonly<SessionFacts>;
  /** Armed deadlines: id → due, epoch ms. */
  readonly timers: Readonly<Record<string, number>>;
  /** Hash of the rules it was last judged by. */
  readonly rulesHash: string;
  /** Counts the steps that were applied. Effects and decisions carry it; a greater one is newer. */
  readonly revision: number;
  /** Number of its last journal record; 0: none yet. */
  readonly lastRecord: number;
  /** Advanced up to this time, epoch ms: every deadline and every policy change until then is folded in. */
  readonly asOf: number;
  /** Producer's time of the last restricting event that was applied, epoch ms. */
  readonly restrictedAt?: number | undefined;
  /** A guard or an action threw: nothing more is applied until an operator redrives it. */
  readonly quarantine?: Quarantine | undefined;
}

export interface Quarantine {
  readonly reason: string;
  /** Epoch ms. */
  readonly at: number;
  /** Type of the event that could not be processed; absent: none by itself was at fault. */
  readonly event?: string | undefined;
  /** Where the session stood then: advanced up to this time, with this last record. It goes on from there. */
  readonly since?: { readonly asOf: number; readonly record: number } | undefined;
}

export interface SessionIdParts {
  readonly tenant: string;
  readonly device: string;
  readonly user: string;
  readonly app: string;
}

/** A step asks several times for the same session. */
let latest: { readonly id: SessionId; readonly parts: SessionIdParts } | undefined;

export function sessionIdParts(id: SessionId): SessionIdParts {
  if (latest?.id !== id) {
    const [tenant = "", device = "", user = "", app = ""] = id.split("/");
    latest = { id, parts: { tenant, device, user, app } };
  }
  return latest.parts;
}

/** The session as the chart is given it: its facts, and what only this step knows. `now` in epoch ms. */
export function contextAt(session: Session, rules: Rules, now: number): SessionContext {
  return inOneShape(session.facts, {
    now,
    rules,
    user: sessionIdParts(session.id).user,
    rest: session.state,
    restCause: session.facts.cause,
    armed: session.timers,
  });
}

/** What of a session decides which policies cover it. */
export function resolveFacts({ id, facts }: Pick<Session, "id" | "facts">): ResolveFacts {
  const { user, app } = sessionIdParts(id);
  const { platform, mdmEnrolled, licensed, groups } = facts;
  return { platform, app, user, mdmEnrolled, licensed, groups };
}

/** The earliest armed deadline, epoch ms; `null`: none. */
export function earliestTimer({ timers, quarantine }: Session): number | null {
  if (quarantine !== undefined) return null;
  let earliest: number | null = null;
  for (const id in timers) {
    const due = timers[id] as number;
    if (earliest === null || due < earliest) earliest = due;
  }
  return earliest;
}

/** The facts to store, and what changed in them; `undefined`: nothing did. */
export function storedFacts(
  before: Readonly<SessionFacts>,
  after: Readonly<SessionFacts>,
): { readonly facts: Readonly<SessionFacts>; readonly changed: Record<string, unknown> | undefined } {
  const facts = inOneShape(after, undefined);
  // In one shape, so that values stand at the same places in both: asked for one by one by their names they would cost thrice as much.
  const values: readonly unknown[] = Object.values(facts);
  const old: readonly unknown[] = Object.values(inOneShape(before, undefined));
  let changed: Record<string, unknown> | undefined;
  for (let n = 0; n < FACTS.length; n++) {
    if (values[n] === old[n] || isSame(values[n], old[n])) continue;
    changed ??= {};
    changed[FACTS[n] as string] = values[n] ?? null;
  }
  return { facts, changed };
}
