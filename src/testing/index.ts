/**
 * `gatehouse/testing`: specifications of sessions for the tests of a backend, with any test runner.
 *
 * @example
 * test("a device below the required version is remediated", () => {
 *   givenSession(rules({ policy: { minimumRequiredOsVersion: "17.0" } }), signedIn(), enrolled())
 *     .when(posture({ osVersion: "16.7" }))
 *     .leadsTo("remediating", "remediate")
 *     .because("osVersion")
 *     .decides("deny", "noncompliant.osVersion");
 * });
 */
export * from "./events.js";
export { noPolicy, rules, type RulesSpec } from "./rules.js";
export { effect, type EffectExpectation } from "./effect-expectation.js";
export type { Span } from "./duration.js";
export {
  after,
  asUserVersion,
  dueIn,
  late,
  ofSession,
  type Happening,
  type MovedDeadline,
  type Named,
  type Pause,
  type ToldEvent,
} from "./happening.js";
export { givenSession, type Scenario } from "./scenario.js";
export { SpecificationError } from "./specification-error.js";
export { virtualClock, type Incident, type LiveSession, type VirtualClock } from "./clock.js";
export {
  fromHistory,
  REDACTED_ID,
  type RecordedHistory,
  type RecordedSpecification,
  type RecordedStep,
} from "./from-history.js";
export { HistoryCutError, HistoryDiffersError, HistoryQuarantinedError } from "./history-errors.js";
export { brokenInvariants, INVARIANTS, type Invariant } from "./invariants.js";
export type { Decision } from "../../machines/decision.js";
export type { JournalRecord } from "../../machines/outcome.js";
export type { Rules } from "../../machines/policy/rules.js";
export type { Session } from "../../machines/session/session.js";
export {
  collectCoverage,
  type CoveredTransition,
  type CoverageReport,
  type CoverageScope,
  type TransitionCoverage,
} from "./coverage.js";
