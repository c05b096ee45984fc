/**
 * Why a session is where it is. Nothing is guessed: its inputs are left out, one group after the other, for as long as it still ends in the
 * same place for the same reason; what can't be left out is the cause. And what would have kept access is tried as well, by folding the
 * session again with it.
 */
import { type Policies, versionInForce } from "../../machines/advance.js";
import { type Decision, decide } from "../../machines/decision.js";
import type { SessionEvent } from "../../machines/events/catalogue.js";
import type { StepRecord } from "../../machines/step-record.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { Cause } from "../../machines/policy/causes.js";
import { type Failure, failingConditions } from "../../machines/policy/conditional-launch.js";
import type { Posture } from "../../machines/policy/posture.js";
import type { Rules } from "../../machines/policy/rules.js";
import { isSame } from "../../machines/is-same.js";
import { SessionReplay, isInput } from "../../machines/session-replay.js";
import { type StateName, type StatePath, stateName } from "../../machines/session/context.js";
import type { Session, SessionId } from "../../machines/session/session.js";
import { GatehouseError } from "../errors.js";
import { type Arrival, type Input, SessionTrail, isMove } from "./session-trail.js";
import { shrink } from "./shrink.js";

/** Something else than what happened, with which the person would not have been kept out. */
export interface Counterfactual {
  /** When it would have had to be otherwise, epoch ms. */
  readonly at: number;
  readonly kind:
    /** Had this not happened. */
    | "without"
    /** Had this happened before then. */
    | "with"
    /** Had this version stayed in force. */
    | "version";
  /** Of `without` and `with`. */
  readonly event?: SessionEvent;
  /** Of `version`: the one that stayed, and the one that was published then. */
  readonly version?: number;
  readonly insteadOf?: number;
  /** What the decision would have been. */
  readonly decision: Decision["decision"];
}

export interface Why {
  readonly session: SessionId;
  /** As of when, epoch ms. */
  readonly at: number;
  readonly decision: Decision;
  /** When it came into the state that it is in, epoch ms, and by what. */
  readonly since: number;
  readonly by: JournalRecord | undefined;
  readonly state: Session["state"];
  readonly cause?: Cause;
  readonly signOutReason?: string;
  /** Conditions of the policy that failed then. */
  readonly failures: readonly Failure[];
  readonly rules: Pick<Rules, "hash" | "policies" | "offline">;
  /** Catalogue version that they come from. */
  readonly version: number;
  /** Attempts of the last remediation that came to nothing. */
  readonly failedAttempts: number;
  readonly lastCheckinAt?: number;
  /** What can't be left out, and what followed from it, in order: each as it was recorded, or, where nothing of it was, as it comes out alone. */
  readonly chain: readonly StepRecord[];
  /** Inputs that the session had, of which so many made no difference. */
  readonly inputs: number;
  /** Nearest first; empty: none of what was tried would have. */
  readonly keptAccess: readonly Counterfactual[];
  readonly tried: number;
}

/** The session's records do not come out again, so nothing can be said of what caused what. */
export class NotReplayableError extends GatehouseError {
  readonly code = "replay.not_possible";
  readonly retryable = false;
}

const MOST_TRIED = 16;
/** Just before something. */
const MOMENT_MS = 1_000;

const LOCKED_OUT: ReadonlySet<StateName> = new Set(["noncompliant", "remediating", "signedOut"]);

/**
 * @param records the session's own, from its first, in order
 * @param at epoch ms: as the session was then
 * @throws NotReplayableError
 */
export function whySession(
  id: SessionId,
  records: readonly JournalRecord[],
  at: number,
  rulesOf: (version: number, session: Session) => Rules,
): Why {
  const told = records.filter((record) => record.at <= at);
  const replay = new SessionReplay(id, { rules: rulesOf });
  for (const record of told) replay.take(record);
  replay.end(at);
  const { session, divergence, notReplayed, policies } = replay;
  if (notReplayed !== undefined || divergence !== undefined || session === undefined) {
    throw new NotReplayableError(
      session === undefined
        ? `${id} did not exist then`
        : `record ${divergence?.seq ?? told[0]?.seq} of ${id} does not come out again (${notReplayed ?? "diverged"})`,
      { fix: "Look at `gatehouse history`; `gatehouse verify` says what is wrong with the journal." },
    );
  }

  const by = told.findLast(isMove);
  // What counts is the moment at which it came here: what happened afterwards made no difference any more.
  const since = by?.at ?? at;
  const inputs = told.filter((record) => isInput(record) && record.at <= since).map(inputOf);
  const whole = new SessionTrail(inputs, { id, policies, until: since });
  const { session: arrived } = whole.arrival;
  const decision = decide(session, rulesOf(versionInForce(policies, at), session), at);
  const wasLockedOut = new Set(told.filter(isLockout).map(nameOf));
  // Without what kept it compliant a session is locked out earlier, which explains nothing.
  const isSameStory = (record: StepRecord): boolean => !isLockout(record) || wasLockedOut.has(nameOf(record));
  const leadsHere = ({ session: other, moved }: Arrival): boolean =>
    other?.state === arrived?.state &&
    other?.facts.cause === arrived?.facts.cause &&
    other?.facts.signOutReason === arrived?.facts.signOutReason &&
    moved?.at === by?.at &&
    moved?.event.type === by?.event.type;
  const needed = shrunk(new SessionTrail(inputs, { id, policies, until: since }), isSameStory, leadsHere);
  const chain = asRecorded(needed.records(), told);

  const before = by && sessionBefore(whole, by);
  const judged = before ?? session;
  const version = versionInForce(policies, by?.at ?? at);
  const rules = rulesOf(version, judged);
  const { keptAccess, tried } =
    decision.decision === "deny"
      ? counterfactuals({ whole, needed: needed.inputs, policies, told, at: since, session, rules, rulesOf })
      : { keptAccess: [], tried: 0 };
  const { cause, signOutReason, lastCheckinAt } = session.facts;
  return {
    session: id,
    at,
    decision,
    since: by?.at ?? told[0]?.at ?? at,
    by,
    state: session.state,
    ...(cause !== undefined && { cause }),
    ...(signOutReason !== undefined && { signOutReason }),
    failures: failingConditions(rules, deviceOf(session)),
    rules: { hash: rules.hash, policies: rules.policies, offline: rules.offline },
    version,
    failedAttempts: failedAttempts(told),
    ...(lastCheckinAt !== undefined && { lastCheckinAt }),
    chain,
    inputs: inputs.length,
    keptAccess,
    tried,
  };
}

/** A trail of those inputs and published versions alone of which none can be left out. */
function shrunk(
  whole: SessionTrail,
  isFine: (record: StepRecord) => boolean,
  isThere: (arrival: Arrival) => boolean,
): SessionTrail {
  let trail = whole;
  let isSmaller = true;
  while (isSmaller) {
    shrink(trail.inputs, (_, without) => trail.leaveOut(without, isFine, isThere));
    isSmaller = false;
    shrink(trail.policies.broadcasts, (broadcasts) => {
      const other = trail.under({ ...trail.policies, broadcasts });
      if (!other.records().every(isFine) || !isThere(other.arrival)) return false;
      trail = other;
      // Without a version an input may go that it made necessary.
      isSmaller = true;
      return true;
    });
  }
  return trail;
}

/** The records that were made of the same: they tell in which state the session really was, with all that was left out. */
function asRecorded(chain: readonly StepRecord[], told: readonly JournalRecord[]): StepRecord[] {
  let from = 0;
  return chain.map((record) => {
    for (let n = from; n < told.length; n++) {
      const one = told[n] as JournalRecord;
      if (one.at > record.at) break;
      if (one.at < record.at || !isSame(one.event, record.event)) continue;
      from = n + 1;
      return one;
    }
    return record;
  });
}

const isLockout = (record: StepRecord): boolean => isMove(record) && LOCKED_OUT.has(stateName(record.to as StatePath));

const nameOf = ({ at, event }: StepRecord): string => `${at} ${event.type}`;

function inputOf({ seq, event, at, origin, userVersion }: JournalRecord): Input {
  return { seq, event, at, ...(origin && { origin }), ...(userVersion !== undefined && { userVersion }) };
}

/** The session as it was just before a record. */
function sessionBefore(whole: SessionTrail, { seq, at }: JournalRecord): Session | undefined {
  return whole.before(inputsBefore(whole, seq), at);
}

/** How many inputs came before a number. */
function inputsBefore({ inputs }: SessionTrail, seq: number): number {
  const place = inputs.findIndex((input) => input.seq >= seq);
  return place === -1 ? inputs.length : place;
}

const deviceOf = ({ facts }: Session) => ({
  posture: facts.posture,
  threatLevel: facts.threatLevel,
  integrity: facts.integrity,
});

function failedAttempts(records: readonly JournalRecord[]): number {
  const begun = records.findLastIndex(
    ({ from, to }) => to?.startsWith("remediating") && !from?.startsWith("remediating"),
  );
  if (begun === -1) return 0;
  return records
    .slice(begun)
    .filter(
      ({ event, outcome, from }) =>
        outcome === "applied" &&
        from?.startsWith("remediating") &&
        (event.type === "remediation.timedOut" ||
          (event.type === "remediation.completed" && event.status !== "COMPLIANT")),
    ).length;
}

interface Question {
  readonly whole: SessionTrail;
  readonly needed: readonly Input[];
  readonly policies: Policies;
  readonly told: readonly JournalRecord[];
  readonly at: number;
  readonly session: Session;
  /** When access was taken away, epoch ms, and the rules then. */
  readonly rules: Rules;
  readonly rulesOf: (version: number, session: Session) => Rules;
}

/** Another course from an input on: what came instead, and under which policies. */
type Candidate = Omit<Counterfactual, "decision"> & {
  readonly from: number;
  readonly rest: readonly Input[];
  readonly policies: Policies;
};

function counterfactuals(question: Question): Pick<Why, "keptAccess" | "tried"> {
  const { whole, at, rulesOf } = question;
  const candidates = [...otherEvents(question), ...withoutOne(question), ...otherVersions(question)]
    .sort((a, b) => b.at - a.at)
    .slice(0, MOST_TRIED);
  const keptAccess: Counterfactual[] = [];
  for (const { from, rest, policies, ...what } of candidates) {
    const session = whole.instead(from, rest, policies);
    if (session === undefined) continue;
    const { decision } = decide(session, rulesOf(versionInForce(policies, at), session), at);
    if (decision !== "deny") keptAccess.push({ ...what, decision });
  }
  return { keptAccess, tried: candidates.length };
}

/** Without them there is no session that could have access. */
const BEGINNINGS: ReadonlySet<string> = new Set(["account.signedIn", "enrollment.completed"]);

function* withoutOne({ whole, needed, policies }: Question): Generator<Candidate> {
  for (const { at, event, seq } of needed) {
    if (BEGINNINGS.has(event.type)) continue;
    const from = inputsBefore(whole, seq);
    yield { kind: "without", at, event, policies, from, rest: whole.inputs.slice(from + 1) };
  }
}

function* otherVersions({ whole: { inputs }, policies }: Question): Generator<Candidate> {
  const { base, broadcasts } = policies;
  for (const [n, { version: insteadOf, at }] of broadcasts.entries()) {
    const version = broadcasts[n - 1]?.version ?? base;
    const place = inputs.findIndex((input) => input.at >= at);
    const from = place === -1 ? inputs.length : place;
    const others = { ...policies, broadcasts: broadcasts.slice(0, n) };
    yield { kind: "version", at, version, insteadOf, from, rest: inputs.slice(from), policies: others };
  }
}

/** What the app or the device could have told in time: just before access was taken away, and just before the last step down. */
function* otherEvents({ whole, policies, told, session, rules }: Question): Generator<Candidate> {
  const down = told.filter(isLockout);
  const last = down.at(-1);
  const first = down.findLast(({ from }) => from !== undefined && !LOCKED_OUT.has(stateName(from)));
  for (const record of new Set([last, first])) {
    if (record === undefined) continue;
    const before = sessionBefore(whole, record);
    if (before === undefined) continue;
    const at = Math.max(before.asOf, record.at - MOMENT_MS);
    const from = inputsBefore(whole, record.seq);
    for (const event of inTime(before, session, rules)) {
      const inserted: Input = { seq: record.seq, event, at };
      yield { kind: "with", at: record.at, event, policies, from, rest: [inserted, ...whole.inputs.slice(from)] };
    }
  }
}

function* inTime({ facts }: Session, ended: Session, rules: Rules): Generator<SessionEvent> {
  yield { type: "checkin.succeeded", policy: "unchanged" };
  const { posture, remediation } = facts;
  if (remediation?.attemptId !== undefined) {
    yield { type: "remediation.completed", status: "COMPLIANT", attemptId: remediation.attemptId };
  }
  if (posture !== undefined) {
    const failures = failingConditions(rules, deviceOf({ ...ended, facts }));
    const mended = failures.reduce<Posture>((device, { cause }) => ({ ...device, ...mend(rules, cause) }), posture);
    if (failures.length > 0) yield { type: "posture.reported", ...mended };
  }
}

/** What a device would have to report to meet every condition of a cause. */
function mend(rules: Rules, cause: Cause): Partial<Posture> {
  const least = rules.conditions
    .filter((condition) => condition.cause === cause && condition.action !== "warn" && "value" in condition)
    .map((condition) => ("value" in condition ? condition.value : ""))
    .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))[0];
  switch (cause) {
    case "osVersion":
      return least === undefined ? {} : { osVersion: least };
    case "appVersion":
      return least === undefined ? {} : { appVersion: least };
    case "sdkVersion":
      return least === undefined ? {} : { sdkVersion: least };
    case "rooted":
      return { rooted: false };
    case "deviceLock":
      return { deviceLock: "high" };
    default:
      return {};
  }
}
