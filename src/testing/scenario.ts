/**
 * Specifications of a session: given a history, when something happens, it leads to a state and effects. Everything goes through
 * the fold that the workers run, so what holds here holds in production; no database, no waiting, and time is what the
 * specification says it is.
 */
import { decide, denyWithout, type Decision } from "../../machines/decision.js";
import type { Effect } from "../../machines/effects/catalogue.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { Outcome } from "../../machines/step-record.js";
import type { Cause } from "../../machines/policy/causes.js";
import type { Rules } from "../../machines/policy/rules.js";
import { stateName, type StateName, type StatePath } from "../../machines/session/context.js";
import { earliestTimer, type Session, type SessionId } from "../../machines/session/session.js";
import { type Span, spanMs, spanText } from "./duration.js";
import { type EffectExpectation, effectText, matches } from "./effect-expectation.js";
import { type Happening, isName, isRules } from "./happening.js";
import { beginning, happen, type Moment, START_MS } from "./moment.js";
import { noPolicy } from "./rules.js";
import { SpecificationError } from "./specification-error.js";

/**
 * A session with this history. Without rules no policy covers it.
 *
 * @example
 * givenSession(rules({ pin: { minLength: 6 } }), signedIn(), enrolled())
 *   .when(pinSet({ length: 6 }))
 *   .leadsTo("active", "grantAccess");
 */
export function givenSession(...history: readonly Happening[]): Scenario {
  return sessionFrom(START_MS, history);
}

/** @param startsAt the clock when the history begins, epoch ms */
export function sessionFrom(startsAt: number, history: readonly Happening[]): Scenario {
  const rules = history.find(isRules) ?? noPolicy();
  const name = history.find(isName);
  const rest = history.filter((happening) => happening !== rules && happening !== name);
  return new Scenario(beginning(rules, startsAt, name?.sessionId)).when(...rest);
}

export class Scenario {
  constructor(private readonly moment: Moment) {}

  /** `tenant/device/user/app`. */
  get id(): SessionId {
    return this.moment.id;
  }

  /** The session as it stands. @throws SpecificationError if nobody has signed in yet */
  get session(): Session {
    return this.moment.session ?? this.fail("session", "one", "none: it begins with account.signedIn");
  }

  /** The clock, epoch ms. */
  get now(): number {
    return this.moment.now;
  }

  get rules(): Rules {
    return this.moment.versions.at(-1) as Rules;
  }

  /** Every record, oldest first. */
  get history(): readonly JournalRecord[] {
    return this.moment.records;
  }

  /** What was recorded since the last `when` began. */
  get records(): readonly JournalRecord[] {
    return this.moment.records.slice(this.moment.told);
  }

  /** Effects since the last `when` began. */
  get effects(): readonly Effect[] {
    return this.records.flatMap(({ effects }) => effects);
  }

  get decision(): Decision {
    const { id, session, now } = this.moment;
    return session === undefined ? denyWithout(id, "session.unknown", now) : decide(session, this.rules, now);
  }

  /** The deadline that passes next, if nothing else happens; `undefined`: none is armed. */
  get nextDeadline(): { readonly name: string; readonly dueAt: number } | undefined {
    const { session } = this.moment;
    const dueAt = session === undefined ? null : earliestTimer(session);
    if (session === undefined || dueAt === null) return undefined;
    const [name = ""] = Object.keys(session.timers)
      .filter((timer) => session.timers[timer] === dueAt)
      .sort();
    return { name, dueAt };
  }

  /** What happens next. The scenario itself stays as it is, so several can go on from one. */
  when(...happenings: readonly Happening[]): Scenario {
    const start: Moment = { ...this.moment, told: this.moment.records.length };
    return new Scenario(happenings.reduce(happen, start));
  }

  /** Where the session is now, and effects that were among those since `when`. */
  leadsTo(state: StateName | StatePath, ...effects: readonly EffectExpectation[]): this {
    const actual = this.session.state;
    if (actual !== state && stateName(actual) !== state) this.fail("state", state, actual);
    return effects.length === 0 ? this : this.givesEffects(...effects);
  }

  /** Effects that were among those since `when`, in any order. */
  givesEffects(...effects: readonly EffectExpectation[]): this {
    for (const expected of effects) {
      if (!this.effects.some((actual) => matches(expected, actual))) {
        this.fail("effects", `… ${effectText(expected)} …`, this.effects.map(effectText));
      }
    }
    return this;
  }

  /** Exactly these effects, in this order. */
  givesExactly(...effects: readonly EffectExpectation[]): this {
    const actual = this.effects;
    if (actual.length !== effects.length || !effects.every((one, n) => matches(one, actual[n] as Effect))) {
      this.fail("effects", effects.map(effectText), actual.map(effectText));
    }
    return this;
  }

  /** None of these effects. */
  givesNo(...effects: readonly EffectExpectation[]): this {
    for (const unwanted of effects) {
      if (this.effects.some((actual) => matches(unwanted, actual))) {
        this.fail("effects", `no ${effectText(unwanted)}`, this.effects.map(effectText));
      }
    }
    return this;
  }

  /** The cause that rules while noncompliant or remediating, or that ended the session. */
  because(cause: Cause | undefined): this {
    const actual = this.session.facts.cause;
    return actual === cause ? this : this.fail("cause", cause ?? "none", actual ?? "none");
  }

  /** What became of the last event from outside: `applied` | `ignored` | `stale` | `quarantined`. */
  is(outcome: Outcome): this {
    const record = this.records.findLast(({ origin }) => origin !== undefined);
    if (record === undefined) return this.fail("outcome", outcome, "no event since `when`");
    const { outcome: actual, reason } = record;
    return actual === outcome
      ? this
      : this.fail("outcome", outcome, reason === undefined ? actual : `${actual} (${reason})`);
  }

  /** A deadline that is armed, and in which time from now it is due. */
  arms(timer: string, dueIn: Span): this {
    const due = this.session.timers[timer];
    const expectedMs = spanMs(dueIn);
    if (due !== this.now + expectedMs) {
      this.fail(
        `deadline ${timer}`,
        `in ${spanText(expectedMs)}`,
        due === undefined ? "none" : `in ${spanText(due - this.now)}`,
      );
    }
    return this;
  }

  /** Deadlines that are not armed. */
  armsNo(...timers: readonly string[]): this {
    for (const timer of timers) {
      const due = this.session.timers[timer];
      if (due !== undefined) this.fail(`deadline ${timer}`, "none", `in ${spanText(due - this.now)}`);
    }
    return this;
  }

  /** The answer to whether corporate data may be opened now, with reason codes that must be among those given. */
  decides(decision: Decision["decision"], ...reasons: readonly string[]): this {
    const actual = this.decision;
    if (actual.decision !== decision) {
      this.fail("decision", decision, `${actual.decision} (${actual.reasons.join(", ")})`);
    }
    for (const reason of reasons) {
      if (!actual.reasons.includes(reason)) this.fail("reasons", `… ${reason} …`, actual.reasons);
    }
    return this;
  }

  private fail(what: string, expected: unknown, actual: unknown): never {
    throw new SpecificationError(what, expected, actual, this.moment.records);
  }
}
