/**
 * Specifications of a session: given a history, when something happens, it leads to a state and effects. Everything goes through
 * the fold that the workers run, so what holds here holds in production; no database, no waiting, and time is what the
 * specification says it is.
 */
import { decide, denyWithout, type Decision } from "../../machines/decision.js";
import type { Effect } from "../../machines/effects/catalogue.js";
import type { SessionEvent } from "../../machines/events/catalogue.js";
import { foldBatch, type Entry, type PartitionPolicies } from "../../machines/fold-batch.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { Outcome } from "../../machines/fold.js";
import type { Cause } from "../../machines/policy/causes.js";
import type { Rules } from "../../machines/policy/rules.js";
import { stateName, type StateName, type StatePath } from "../../machines/session/context.js";
import type { Session } from "../../machines/session/session.js";
import { type Span, spanMs, spanText } from "./duration.js";
import { type EffectExpectation, effectText, matches } from "./effect-expectation.js";
import type { Scene, SceneEvent } from "./events.js";
import { noPolicy } from "./rules.js";
import { SpecificationError } from "./specification-error.js";

/** Time that goes by; deadlines that are due in it pass. */
export interface Pause {
  readonly pauseMs: number;
}

/** An event that is accepted now but happened some time ago, by its producer's clock. */
export interface LateEvent {
  readonly event: SessionEvent | SceneEvent;
  readonly lateMs: number;
}

/** Whatever a history is made of. Rules are in force from where they stand on; the first of a history from its beginning. */
export type Happening = SessionEvent | SceneEvent | LateEvent | Pause | Rules;

/** Lets time go by: `after({ minutes: 30 })`. */
export function after(span: Span): Pause {
  return { pauseMs: spanMs(span) };
}

/** An event that reaches the server late: `late(pinVerified(), { minutes: 5 })`. */
export function late(event: SessionEvent | SceneEvent, by: Span): LateEvent {
  return { event, lateMs: spanMs(by) };
}

/**
 * A session with this history. Without rules no policy covers it.
 *
 * @example
 * givenSession(rules({ pin: { minLength: 6 } }), signedIn(), enrolled())
 *   .when(pinSet({ length: 6 }))
 *   .leadsTo("active", "grantAccess");
 */
export function givenSession(...history: readonly Happening[]): Scenario {
  const first = history.find(isRules) ?? noPolicy();
  const rest = history.filter((happening) => happening !== first);
  return new Scenario({
    now: START_MS,
    session: undefined,
    policies: { [TENANT]: { base: 1, broadcasts: [] } },
    versions: [first],
    records: [],
    told: 0,
  }).when(...rest);
}

const TENANT = "contoso";
const SESSION_ID = `${TENANT}/phone-1/dana/azure-mobile`;
const START_MS = Date.UTC(2025, 2, 10, 8);

interface Moment {
  readonly now: number;
  readonly session: Session | undefined;
  readonly policies: PartitionPolicies;
  /** Rules by catalogue version, from 1. */
  readonly versions: readonly Rules[];
  readonly records: readonly JournalRecord[];
  /** Records that were there before the last `when`. */
  readonly told: number;
}

export class Scenario {
  constructor(private readonly moment: Moment) {}

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

  /** What was recorded since the last `when` began. */
  get records(): readonly JournalRecord[] {
    return this.moment.records.slice(this.moment.told);
  }

  /** Effects since the last `when` began. */
  get effects(): readonly Effect[] {
    return this.records.flatMap(({ effects }) => effects);
  }

  get decision(): Decision {
    const { session, now } = this.moment;
    return session === undefined ? denyWithout(SESSION_ID, "session.unknown", now) : decide(session, this.rules, now);
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

function happen(moment: Moment, happening: Happening): Moment {
  const { now, session, versions } = moment;
  const rules = versions.at(-1) as Rules;
  if (isRules(happening)) {
    const version = versions.length + 1;
    return fold({ ...moment, versions: [...versions, happening] }, [
      { kind: "publish", tenant: TENANT, version, at: now },
    ]);
  }
  if ("pauseMs" in happening) return fold({ ...moment, now: now + happening.pauseMs }, []);

  const { event: told, lateMs } = "lateMs" in happening ? happening : { event: happening, lateMs: 0 };
  const scene: Scene = { rules, ...(session && { session }) };
  const event = typeof told === "function" ? told(scene) : told;
  const number = String(moment.records.length + 1);
  const origin = { source: "specification", id: number, time: now - lateMs, entry: `${now}-${number}` };
  return fold(moment, [{ kind: "event", session: SESSION_ID, occurrence: { event, at: now, origin } }]);
}

/** As a worker does it: a batch of what came in, and of the deadlines that passed. */
function fold(moment: Moment, entries: readonly Entry[]): Moment {
  const { now, session, policies, versions, records } = moment;
  const outcome = foldBatch(
    {
      policies,
      horizon: now,
      entries,
      due: session === undefined ? [] : [SESSION_ID],
      sessions: new Map(session === undefined ? [] : [[SESSION_ID, session]]),
      seq: records.length,
    },
    (_tenant, version) => versions[version - 1] as Rules,
  );
  return {
    ...moment,
    policies: outcome.policies,
    session: outcome.sessions.get(SESSION_ID) ?? session,
    records: [...records, ...outcome.records],
  };
}

function isRules(happening: Happening): happening is Rules {
  return typeof happening === "object" && "hash" in happening;
}
