/**
 * A virtual clock: sessions that live under one time, which stands still until a test moves it. Whoever tests code around Gatehouse
 * moves its own fake time and this one together.
 */
import type { Decision } from "../../machines/decision.js";
import type { Effect } from "../../machines/effects/catalogue.js";
import type { SessionEvent } from "../../machines/events/catalogue.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { Rules } from "../../machines/policy/rules.js";
import type { StatePath } from "../../machines/session/context.js";
import { type Span, spanMs } from "./duration.js";
import type { SceneEvent } from "./events.js";
import { after, type Happening, isName, type MovedDeadline, type Named, type ToldEvent } from "./happening.js";
import { START_MS } from "./moment.js";
import { type Scenario, sessionFrom } from "./scenario.js";

/** What can happen to a session while the clock stands. Time is the clock's alone. */
export type Incident = SessionEvent | SceneEvent | ToldEvent | Rules | MovedDeadline;

/**
 * A clock that a test moves.
 *
 * @example
 * const clock = virtualClock();
 * const phone = clock.session(rules(), signedIn(), enrolled(), posture(), pinSet());
 * phone.happens(backgrounded());
 * clock.advance("3 h"); // [{ event: { type: "access.recheckDue" }, from: "active", to: "locked", … }, …]
 * phone.state; // "locked"
 * @param startsAt epoch ms or a date
 */
export function virtualClock(startsAt: number | Date = START_MS): VirtualClock {
  return new VirtualClock(Number(startsAt));
}

export class VirtualClock {
  private readonly sessions: LiveSession[] = [];

  /** @throws RangeError if that is no time */
  constructor(private time: number) {
    if (!Number.isSafeInteger(time)) throw new RangeError(`a clock at ${time}: give a date, or whole ms since 1970`);
  }

  /** Epoch ms. */
  get now(): number {
    return this.time;
  }

  /** A session that begins now. Without rules no policy covers it; without a name it has one of its own. */
  session(...history: readonly (Incident | Named)[]): LiveSession {
    const number = this.sessions.length + 1;
    const named: readonly Happening[] = history.some(isName)
      ? history
      : [{ sessionId: `contoso/phone-${number}/dana/azure-mobile` }, ...history];
    const session = new LiveSession(sessionFrom(this.time, named));
    this.sessions.push(session);
    return session;
  }

  /** The deadline that passes next in any session; `undefined`: none is armed. */
  get nextDeadline(): { readonly session: string; readonly name: string; readonly dueAt: number } | undefined {
    const next = earliest(this.sessions);
    return next && { session: next.session.id, ...next.deadline };
  }

  /**
   * Lets time go by, and answers with what its deadlines led to: over all sessions in the order in which they were due, of those due
   * at once the session that began first.
   */
  advance(by: Span): readonly JournalRecord[] {
    const until = this.time + spanMs(by);
    const fired: JournalRecord[] = [];
    for (const session of this.sessions) session.beginAdvance();
    for (let next = earliest(this.sessions); next !== undefined; next = earliest(this.sessions)) {
      if (next.deadline.dueAt > until) break;
      fired.push(...next.session.advanceTo(next.deadline.dueAt));
    }
    this.time = until;
    for (const session of this.sessions) session.advanceTo(until);
    return fired;
  }

  /** Goes to the next deadline and lets it pass; without one the clock stays. */
  advanceToNext(): readonly JournalRecord[] {
    const next = this.nextDeadline;
    return next === undefined ? [] : this.advance({ ms: Math.max(0, next.dueAt - this.time) });
  }
}

/** A session under a virtual clock: it changes as things happen to it. */
export class LiveSession {
  private recent: readonly JournalRecord[];

  constructor(private current: Scenario) {
    this.recent = current.records;
  }

  /** As a specification, with all that can be asked of one; it stays as it is while the session goes on. */
  get scenario(): Scenario {
    return this.current;
  }

  get id(): string {
    return this.current.id;
  }

  get state(): StatePath {
    return this.current.session.state;
  }

  get decision(): Decision {
    return this.current.decision;
  }

  /** What was recorded since the last `happens`, or the clock's last `advance`, began; at first, since the session did. */
  get records(): readonly JournalRecord[] {
    return this.recent;
  }

  /** Effects of those records. */
  get effects(): readonly Effect[] {
    return this.recent.flatMap(({ effects }) => effects);
  }

  /** @returns what was recorded */
  happens(...incidents: readonly Incident[]): readonly JournalRecord[] {
    this.current = this.current.when(...incidents);
    this.recent = this.current.records;
    return this.recent;
  }

  /** The clock calls these, and nobody else: an advance begins, and it has come to a time. */
  beginAdvance(): void {
    this.recent = [];
  }

  advanceTo(time: number): readonly JournalRecord[] {
    this.current = this.current.when(after({ ms: Math.max(0, time - this.current.now) }));
    this.recent = [...this.recent, ...this.current.records];
    return this.current.records;
  }
}

function earliest(sessions: readonly LiveSession[]) {
  let first: { session: LiveSession; deadline: { name: string; dueAt: number } } | undefined;
  for (const session of sessions) {
    const deadline = session.scenario.nextDeadline;
    if (deadline !== undefined && (first === undefined || deadline.dueAt < first.deadline.dueAt)) {
      first = { session, deadline };
    }
  }
  return first;
}
