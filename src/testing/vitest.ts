/**
 * `gatehouse/testing/vitest`: matchers that say what a session came to. Importing it is enough: in a test file, or once in a
 * `setupFiles` of the configuration.
 */
import { expect } from "vitest";
import type { Decision } from "../../machines/decision.js";
import type { Effect, EffectData, EffectType } from "../../machines/effects/catalogue.js";
import type { JournalRecord } from "../../machines/outcome.js";
import { stateName, type StateName, type StatePath } from "../../machines/session/context.js";
import { LiveSession } from "./clock.js";
import { effectText } from "./effect-expectation.js";
import { Scenario } from "./scenario.js";
import { historyLines } from "./specification-error.js";

/** Matchers of specifications, of sessions under a virtual clock and, those about access, of decisions. */
export interface GatehouseMatchers<Result = unknown> {
  /** It rests in this state: one of the seven, or one of their children, such as `unenrolled.held`. */
  toBeIn(state: StateName | StatePath): Result;
  /** Corporate data may be opened now. */
  toHaveAccess(): Result;
  /** Corporate data may not be opened, and no PIN or sign-in would change that. @param reason a code that is among those given */
  toBeDenied(reason?: string): Result;
  /** A PIN or work credentials are due, and will open the way. @param reason a code that is among those given */
  toBeChallenged(reason?: string): Result;
  /**
   * This effect was among those of what happened last.
   * @param data fields that must be there with these values; others may be there too. `expect.any(…)` and the like can stand in it
   */
  toHaveEmitted<Type extends EffectType>(type: Type, data?: ExpectedData<Type>): Result;
}

/** Some of an effect's data; where a value is not known exactly, a matcher such as `expect.any(String)`. */
type ExpectedData<Type extends EffectType> = { readonly [Field in keyof EffectData<Type>]?: unknown };

declare module "vitest" {
  // oxlint-disable-next-line typescript/no-explicit-any -- as vitest declares it: interfaces that are merged must agree in it
  interface Matchers<T = any> extends GatehouseMatchers<T> {}
}

type Subject = Scenario | LiveSession;

expect.extend({
  toBeIn(received: unknown, state: string) {
    const { scenario } = subjectOf(received, "toBeIn");
    const actual = scenario.session.state;
    return {
      pass: actual === state || stateName(actual) === state,
      actual,
      expected: state,
      message: () => told(`to be ${this.isNot ? "anywhere but " : ""}in ${state}`, `in ${actual}`, scenario.history),
    };
  },

  toHaveAccess(received: unknown) {
    const { decision, history } = decisionOf(received, "toHaveAccess");
    return {
      pass: decision.decision === "allow",
      message: () => told(this.isNot ? "to have no access" : "to have access", decisionText(decision), history),
    };
  },

  toBeDenied(received: unknown, reason?: string) {
    return judged("deny", "denied", reason, this.isNot, decisionOf(received, "toBeDenied"));
  },

  toBeChallenged(received: unknown, reason?: string) {
    return judged("challenge", "challenged", reason, this.isNot, decisionOf(received, "toBeChallenged"));
  },

  toHaveEmitted(received: unknown, type: EffectType, data?: Readonly<Record<string, unknown>>) {
    const { effects, history } = subjectOf(received, "toHaveEmitted");
    const pass = effects.some(
      (one) => one.type === type && (data === undefined || this.equals(one.data, expect.objectContaining(data))),
    );
    const wanted = effectText({ type, data: data ?? {} } as Effect);
    return {
      pass,
      actual: effects,
      expected: { type, ...(data && { data }) },
      message: () =>
        told(
          this.isNot ? `to have emitted no ${wanted}` : `to have emitted ${wanted}`,
          effects.map(effectText).join("\n            ") || "no effect",
          history,
        ),
    };
  },
});

function judged(
  answer: Decision["decision"],
  word: string,
  reason: string | undefined,
  isNot: boolean,
  { decision, history }: Judged,
) {
  const because = reason === undefined ? "" : ` because of ${reason}`;
  return {
    pass: decision.decision === answer && (reason === undefined || decision.reasons.includes(reason)),
    message: () => told(`${isNot ? "not " : ""}to be ${word}${because}`, decisionText(decision), history),
  };
}

interface Judged {
  readonly decision: Decision;
  readonly history: readonly JournalRecord[];
}

interface Told extends Judged {
  readonly scenario: Scenario;
  readonly effects: readonly Effect[];
}

function subjectOf(received: unknown, matcher: string): Told {
  if (!isSubject(received)) throw new TypeError(wrongSubject(received, matcher, ""));
  const scenario = received instanceof LiveSession ? received.scenario : received;
  return { scenario, decision: scenario.decision, effects: received.effects, history: scenario.history };
}

/** A decision can be asked about access by itself: it may come from a client, too. */
function decisionOf(received: unknown, matcher: string): Judged {
  if (isSubject(received)) return subjectOf(received, matcher);
  if (typeof received === "object" && received !== null && "decision" in received && "reasons" in received) {
    return { decision: received as Decision, history: [] };
  }
  throw new TypeError(wrongSubject(received, matcher, ", or a decision"));
}

function isSubject(received: unknown): received is Subject {
  return received instanceof Scenario || received instanceof LiveSession;
}

const wrongSubject = (received: unknown, matcher: string, orElse: string): string =>
  `${matcher} is asked of ${received === null ? "null" : typeof received}: give it what givenSession(…).when(…) or clock.session(…) answers with${orElse}`;

const decisionText = ({ decision, reasons }: Decision): string => `${decision} (${reasons.join(", ")})`;

function told(expected: string, actual: string, history: readonly JournalRecord[]): string {
  return [
    `expected the session ${expected}`,
    `  actual    ${actual}`,
    ...(history.length === 0 ? [] : ["what happened", ...historyLines(history)]),
  ].join("\n");
}
