/**
 * The one idea: a session is a pure fold over its events. `step` takes a session, one event and the rules, and
 * gives the next session, the record of what happened and the effects that follow. Worker, decision, replay and tests all call
 * it.
 */
import { SIGN_OUT_MESSAGES, effectData, type EffectParams } from "./session/effect-data.js";
import { EFFECTS, type Effect, type EffectType } from "./effects/catalogue.js";
import { EVENTS, type SessionEvent } from "./events/catalogue.js";
import { isSame } from "./is-same.js";
import type { Cause } from "./policy/causes.js";
import type { Platform, Rules } from "./policy/rules.js";
import { type KeptBecause, keptBecause } from "./retire.js";
import { AFTER_TIMERS } from "./session/after-timers.js";
import type { sessionChart } from "./session/chart.js";
import { type ChartRunner, SESSION_CHART } from "./session/chart-runner.js";
import {
  KEPT_WHEN_GIVEN_UP,
  NO_FACTS,
  type SessionContext,
  type SessionFacts,
  type StatePath,
} from "./session/context.js";
import { DEADLINES } from "./session/deadlines.js";
import { standingCauses } from "./session/ladder.js";
import { type Session, type SessionId, contextAt } from "./session/session.js";
import type { SessionEventOf } from "./events/catalogue.js";

/** Where an event came from; absent on the fold's own events. */
export interface Origin {
  /** CloudEvent `source` and `id`: together they make the event unique. */
  readonly source: string;
  readonly id: string;
  /** The producer's time, epoch ms. */
  readonly time: number;
  /** Id of the inbox entry it was accepted as. */
  readonly entry: string;
}

/** An event at its place in the session's life. */
export interface Occurrence {
  readonly event: SessionEvent;
  /** The partition's clock, epoch ms: when it was accepted, or when the deadline was due. */
  readonly at: number;
  readonly origin?: Origin;
  /** For an event about the user: the version of the user's record that it made; 0: it came too late for the record. */
  readonly userVersion?: number;
  /** It was set aside before: number of the record that told so. */
  readonly redrives?: number;
}

export type Outcome = "applied" | "ignored" | "stale" | "quarantined";

/** What happened to one event: everything that a journal record says, but its place in the journal. */
export interface StepRecord {
  readonly session: SessionId;
  readonly at: number;
  readonly event: SessionEvent;
  readonly origin?: Origin;
  readonly userVersion?: number;
  /** It was set aside before: number of the record that told so. */
  readonly redrives?: number;
  readonly outcome: Outcome;
  /** Why it was not applied. */
  readonly reason?: string;
  /** Absent for an event of a session that does not exist. */
  readonly from?: StatePath;
  /** Absent, too, where the session was retired. */
  readonly to?: StatePath;
  readonly revision: number;
  readonly rules: string;
  /** Catalogue version that the rules come from; absent: it was not told, or there is no session. */
  readonly version?: number;
  /** Facts that changed, with their new values; `null`: no longer there. */
  readonly changed?: Readonly<Record<string, unknown>>;
  readonly effects: readonly Effect[];
  /** The session's previous record, by number; absent: this is its first. */
  readonly previous?: number;
}

export interface Step {
  /** Absent: it was retired, and there is none any more. */
  readonly session?: Session;
  readonly record: StepRecord;
}

/** A session that begins, under the rules that it is given then: nobody has signed in yet. */
export function newSession(id: SessionId, platform: Platform, rules: (session: Session) => Rules, at: number): Session {
  const unjudged: Session = {
    id,
    state: "unenrolled.checking",
    facts: { ...NO_FACTS, platform, enrollment: "none" },
    timers: {},
    rulesHash: "",
    revision: 0,
    lastRecord: 0,
    asOf: at,
  };
  return { ...unjudged, rulesHash: rules(unjudged).hash };
}

/**
 * Applies one event to a session that was advanced to the event's time, under the rules in force then.
 * @param version of the catalogue that the rules come from, for the record
 * @param chart another one than this release's
 * Never throws: what goes wrong in a guard or an action quarantines the session.
 */
export function step(
  session: Session,
  occurrence: Occurrence,
  rules: Rules,
  version?: number,
  chart = SESSION_CHART,
): Step {
  const { event, at, origin, userVersion, redrives } = occurrence;
  const inForce = { rules, version };
  if (event.type === "quarantine.lifted" || event.type === "quarantine.dropped") {
    return decideQuarantine(session, { ...occurrence, event }, inForce, chart);
  }
  if (event.type === "session.retired") return retire(session, { ...occurrence, event }, inForce);
  if (session.quarantine !== undefined) {
    return notApplied(session, occurrence, inForce, "quarantined", session.quarantine.reason);
  }
  const knownVersion = session.facts.userVersion ?? 0;
  const toldVersion = event.type === "user.changed" ? event.version : userVersion;
  if (toldVersion !== undefined && (toldVersion < knownVersion || toldVersion === 0)) {
    return notApplied(
      session,
      occurrence,
      inForce,
      "stale",
      toldVersion === 0 ? TOO_LATE_FOR_RECORD : OLDER_THAN_RECORD,
    );
  }
  const bearing = EVENTS.get(event.type)?.bearing(event as never) ?? "neutral";
  // Of events about the user the user's record has said already which came last.
  const isOlder =
    userVersion === undefined &&
    origin !== undefined &&
    session.restrictedAt !== undefined &&
    origin.time < session.restrictedAt;
  if (isOlder && bearing === "relaxing") {
    return notApplied(session, occurrence, inForce, "stale", "older than the last restricting event");
  }

  const before = contextAt(session, rules, at);
  let next: Moved;
  let restricts = bearing === "restricting";
  let relaxes = false;
  try {
    next = move(chart, session.state, before, event);
    if (bearing === "judged" && next.handled) {
      const stood = standingCauses(before);
      const stands = standingCauses(next.context);
      restricts = stands.some((cause: Cause) => !stood.includes(cause));
      relaxes = stood.some((cause) => !stands.includes(cause));
    }
  } catch (error) {
    const reason = `${event.type} in ${session.state}: ${error instanceof Error ? error.message : String(error)}`;
    return notApplied(setAside(session, reason, at, event.type), occurrence, inForce, "quarantined", reason);
  }
  if (!next.handled) {
    return notApplied(session, occurrence, inForce, "ignored", `${session.state} does not answer ${event.type}`);
  }

  if (isOlder && relaxes) {
    return notApplied(session, occurrence, inForce, "stale", "older than the last restricting event");
  }

  // One that was missed in between leaves the session behind: it says so until it is told the whole record.
  const isNext = userVersion === knownVersion + 1;
  const { facts, changed } = storedFacts(session.facts, isNext ? { ...next.context, userVersion } : next.context);
  const timers = next.timers ?? session.timers;
  const revision = session.revision + 1;
  return {
    session: {
      id: session.id,
      state: next.state,
      facts,
      timers,
      rulesHash: rules.hash,
      revision,
      lastRecord: session.lastRecord,
      asOf: at,
      // A clock that runs ahead must not make every later event look old.
      restrictedAt:
        restricts && origin !== undefined
          ? Math.max(session.restrictedAt ?? 0, Math.min(origin.time, at))
          : session.restrictedAt,
    },
    record: {
      session: session.id,
      at,
      event,
      ...(origin && { origin }),
      ...(userVersion !== undefined && { userVersion }),
      ...(redrives !== undefined && { redrives }),
      outcome: "applied",
      from: session.state,
      to: next.state,
      revision,
      rules: rules.hash,
      ...(version !== undefined && { version }),
      ...(changed && { changed }),
      effects: next.effects,
      ...(session.lastRecord > 0 && { previous: session.lastRecord }),
    },
  };
}

/** The session, with nothing more applied to it until somebody decides. Remembers where it stood. */
export function setAside(session: Session, reason: string, at: number, event?: string): Session {
  const since = { asOf: session.asOf, record: session.lastRecord };
  return { ...session, quarantine: { reason, at, ...(event !== undefined && { event }), since } };
}

/** An operator's decision on a session that was set aside. What was recorded of it meanwhile is taken in afterwards, by the caller. */
function decideQuarantine(
  session: Session,
  occurrence: Occurrence & { readonly event: SessionEventOf<"quarantine.lifted" | "quarantine.dropped"> },
  { rules, version }: { readonly rules: Rules; readonly version: number | undefined },
  chart: ChartRunner,
): Step {
  const { event, at } = occurrence;
  if (session.quarantine === undefined) {
    return notApplied(session, occurrence, { rules, version }, "ignored", "the session is not quarantined");
  }
  if (event.upTo !== session.lastRecord) {
    return notApplied(session, occurrence, { rules, version }, "stale", "more was recorded since somebody looked");
  }
  const { quarantine, ...free } = session;
  const revision = session.revision + 1;
  const asOf = quarantine.since?.asOf ?? quarantine.at;
  const record = {
    session: session.id,
    at,
    event,
    outcome: "applied",
    from: session.state,
    revision,
    rules: rules.hash,
    ...(version !== undefined && { version }),
    ...(session.lastRecord > 0 && { previous: session.lastRecord }),
  } as const;
  if (event.type === "quarantine.lifted") {
    return { session: { ...free, revision, asOf }, record: { ...record, to: session.state, effects: [] } };
  }
  const { facts, effects } = givenUp({ ...free, asOf }, event, { rules, chart }, at);
  const { changed } = storedFacts(session.facts, { ...facts, step: undefined } as never);
  return {
    session: { ...free, state: "signedOut", facts, timers: {}, rulesHash: rules.hash, revision, asOf },
    record: { ...record, to: "signedOut", ...(changed && { changed }), effects },
  };
}

/** The session's last record, after which there is none; or why it stays. */
function retire(
  session: Session,
  occurrence: Occurrence & { readonly event: SessionEventOf<"session.retired"> },
  inForce: { readonly rules: Rules; readonly version: number | undefined },
): Step {
  const { event, at } = occurrence;
  if (session.lastRecord > event.upTo) {
    return notApplied(session, occurrence, inForce, "stale", "more was recorded since somebody looked");
  }
  const kept = keptBecause(session);
  if (kept !== undefined) return notApplied(session, occurrence, inForce, "ignored", KEPT[kept]);
  const { rules, version } = inForce;
  return {
    record: {
      session: session.id,
      at,
      event,
      outcome: "applied",
      from: session.state,
      revision: session.revision + 1,
      rules: rules.hash,
      ...(version !== undefined && { version }),
      effects: [],
      ...(session.lastRecord > 0 && { previous: session.lastRecord }),
    },
  };
}

const KEPT: Record<KeptBecause, string> = {
  quarantined: "the session is quarantined",
  wipePending: "a wipe is pending",
  standsAgainst: "the organisation has something against it",
};

/** Of what the session knew only what stands against it is left, so that giving it up opens nothing. */
function givenUp(
  session: Session,
  event: SessionEventOf<"quarantine.dropped">,
  { rules, chart }: { readonly rules: Rules; readonly chart: ChartRunner },
  at: number,
): { readonly facts: Readonly<SessionFacts>; readonly effects: readonly Effect[] } {
  const kept = Object.fromEntries(KEPT_WHEN_GIVEN_UP.map((fact) => [fact, session.facts[fact]]));
  const facts: SessionFacts = { ...NO_FACTS, ...kept, platform: session.facts.platform, enrollment: "none" };
  try {
    const clean: Session = { ...session, state: "unenrolled.checking", facts, timers: {} };
    const { context, effects } = move(chart, clean.state, contextAt(clean, rules, at), event);
    return { facts: { ...context, step: undefined } as SessionFacts, effects };
  } catch {
    // What set the session aside may be the chart or the rules themselves; they must not keep it.
    const data = { reason: "givenUp", messageKey: SIGN_OUT_MESSAGES.givenUp } as const;
    return { facts: { ...facts, signOutReason: "givenUp" }, effects: [{ type: "signOut", data }] };
  }
}

const OLDER_THAN_RECORD = "older than what the session knows of the user";
const TOO_LATE_FOR_RECORD = "older than the last event that restricted the user";

/** The record of an event that changed nothing, with the reason. */
function notApplied(
  session: Session,
  { event, at, origin, userVersion, redrives }: Occurrence,
  { rules, version }: { readonly rules: Rules; readonly version: number | undefined },
  outcome: Exclude<Outcome, "applied">,
  reason: string,
): Step {
  return {
    session: { ...session, asOf: at },
    record: {
      session: session.id,
      at,
      event,
      ...(origin && { origin }),
      ...(userVersion !== undefined && { userVersion }),
      ...(redrives !== undefined && { redrives }),
      outcome,
      reason,
      from: session.state,
      to: session.state,
      revision: session.revision,
      rules: rules.hash,
      ...(version !== undefined && { version }),
      effects: [],
      ...(session.lastRecord > 0 && { previous: session.lastRecord }),
    },
  };
}

/** The record of an event for a session that does not exist, or whose snapshot can't be read. */
export function strayRecord(
  session: SessionId,
  { event, at, origin, userVersion }: Occurrence,
  outcome: "ignored" | "quarantined",
  reason: string,
): StepRecord {
  return {
    session,
    at,
    event,
    ...(origin && { origin }),
    // What is taken in later must be told like the first time.
    ...(outcome === "quarantined" && userVersion !== undefined && { userVersion }),
    outcome,
    reason,
    revision: 0,
    rules: "",
    effects: [],
  };
}

interface Moved {
  readonly handled: boolean;
  readonly state: StatePath;
  readonly context: SessionContext;
  /** Absent: as they were. */
  readonly timers?: Readonly<Record<string, number>>;
  readonly effects: readonly Effect[];
}

const AFTER_BY_XSTATE_ID = new Map(AFTER_TIMERS.map((timer) => [timer.xstateId, timer]));
const AFTER_BY_EVENT = new Map<string, string>(AFTER_TIMERS.map((timer) => [timer.event.type, timer.xstateId]));

/** The event that each armed deadline raises, by the deadline's id. */
export const TIMER_EVENTS: ReadonlyMap<string, SessionEvent> = new Map([
  ...DEADLINES.map(({ id, event }) => [id, event] as const),
  ...AFTER_TIMERS.map(({ id, event }) => [id, event] as const),
]);

interface ExecutedAction {
  readonly type: string;
  readonly params: unknown;
  readonly info: { readonly context: unknown; readonly event: unknown };
}

/**
 * One inert actor scope, used again for every step: it collects the actions of a transition and runs none. XState's own
 * `transition()` builds an actor a call for the same result.
 */
const executed: ExecutedAction[] = [];
let handled: boolean | undefined;
const INERT_SCOPE = {
  self: { id: "session", sessionId: "session", _processingStatus: 1, src: "session" },
  id: "session",
  sessionId: "session",
  logger: () => {},
  defer: () => {},
  emit: () => {},
  stopChild: () => {},
  actionExecutor: (action: ExecutedAction) => {
    executed.push(action);
  },
  system: {
    /** The first microstep tells whether the state answers the event: a transition that goes nowhere and does nothing is none. */
    _sendInspectionEvent: ({ _transitions = [] }: { _transitions?: readonly Selected[] }) => {
      handled ??= _transitions.some(({ target, actions }) => target !== undefined || actions.length > 0);
    },
  },
};

interface Selected {
  readonly target: unknown;
  readonly actions: readonly unknown[];
}

type TransitionArguments = Parameters<typeof sessionChart.transition>;

function move(chart: ChartRunner, state: StatePath, context: SessionContext, event: SessionEvent): Moved {
  executed.length = 0;
  handled = undefined;
  const xstateId = AFTER_BY_EVENT.get(event.type);
  const snapshot = chart.machine.transition(
    { ...chart.resting(state), context } as TransitionArguments[0],
    (xstateId === undefined ? event : { type: xstateId }) as TransitionArguments[1],
    INERT_SCOPE as never as TransitionArguments[2],
  );
  if (handled !== true) return { handled: false, state, context, effects: [] };

  const effects: Effect[] = [];
  let timers: Record<string, number> | undefined;
  for (const { type, params, info } of executed) {
    if (type === "xstate.raise") {
      const { id, delay } = params as { id?: string; delay?: number };
      if (delay === undefined || id === undefined) continue;
      timers ??= { ...context.step.armed };
      timers[AFTER_BY_XSTATE_ID.get(id)?.id ?? id] = context.step.now + delay;
    } else if (type === "xstate.cancel") {
      const { sendId } = params as { sendId: string };
      const id = AFTER_BY_XSTATE_ID.get(sendId)?.id ?? sendId;
      if ((timers ?? context.step.armed)[id] === undefined) continue;
      timers ??= { ...context.step.armed };
      delete timers[id];
    } else if (type in EFFECTS) {
      collectEffect(effects, type as EffectType, info.context as SessionContext, event, (params ?? {}) as EffectParams);
    }
  }
  return {
    handled: true,
    state: statePath(snapshot.value),
    context: snapshot.context as SessionContext,
    ...(timers && { timers }),
    effects,
  };
}

function collectEffect(
  effects: Effect[],
  type: EffectType,
  context: SessionContext,
  event: SessionEvent,
  params: EffectParams,
): void {
  if (params.at !== undefined && !arrives(context, event, params.at) && !isRephrased(type, event)) return;
  const data = effectData(type, context, event, params);
  if (data === null) return;
  for (const one of Array.isArray(data) ? data : [data]) effects.push({ type, data: one } as Effect);
}

/** Arriving is coming from elsewhere, with another cause, or being shown the state again: at a sign-in, or a switch to the account. */
function arrives({ step: { rest, restCause }, cause }: SessionContext, event: SessionEvent, at: string): boolean {
  if (rest !== at && !rest.startsWith(`${at}.`)) return true;
  if (at === "noncompliant" && cause !== restCause) return true;
  return event.type === "account.signedIn" || (event.type === "account.switched" && event.role !== "from");
}

/** A prompt says what the rules ask for, so other rules ask anew. */
function isRephrased(type: EffectType, event: SessionEvent): boolean {
  return event.type === "policy.changed" && (type === "promptPinSetup" || type === "promptPin");
}

function statePath(value: unknown): StatePath {
  if (typeof value === "string") return value as StatePath;
  const [[parent, child] = []] = Object.entries(value as Record<string, string>);
  return `${parent}.${child}` as StatePath;
}

/** The facts to store, and what changed in them. */
function storedFacts(
  before: Readonly<SessionFacts>,
  context: SessionContext,
): { facts: Readonly<SessionFacts>; changed?: Record<string, unknown> } {
  let changed: Record<string, unknown> | undefined;
  for (const key in context) {
    if (key === "step") continue;
    const value = context[key as keyof SessionFacts];
    const old = before[key as keyof SessionFacts];
    if (value === old) continue;
    if (isSame(value, old)) continue;
    changed ??= {};
    changed[key] = value ?? null;
  }
  const facts: SessionFacts = { ...context, step: undefined } as SessionFacts;
  return { facts, ...(changed && { changed }) };
}
