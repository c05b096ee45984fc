/**
 * Why a session is where it is. Nothing is guessed: its inputs are left out, one group after the other, for as long as it still ends in the
 * same place for the same reason; what can't be left out is the cause. And what would have kept access is tried as well, by folding the
 * session again with it.
 */
import { type Policies, advance, versionInForce } from "../../machines/advance.js";
import { type Decision, decide } from "../../machines/decision.js";
import type { SessionEvent } from "../../machines/events/catalogue.js";
import type { Occurrence, StepRecord } from "../../machines/fold.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { Cause } from "../../machines/policy/causes.js";
import { type Failure, failingConditions } from "../../machines/policy/conditional-launch.js";
import type { Posture } from "../../machines/policy/posture.js";
import type { Rules } from "../../machines/policy/rules.js";
import { receive } from "../../machines/receive.js";
import { SessionReplay, isInput } from "../../machines/session-replay.js";
import { type StateName, type StatePath, stateName } from "../../machines/session/context.js";
import type { Session, SessionId } from "../../machines/session/session.js";
import { GatehouseError } from "../errors.js";
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
  /** The inputs that can't be left out, and what followed from them alone, in order. */
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

/** A session with more inputs is first tried without those that left nothing behind. */
const MANY_INPUTS = 40;
const MOST_TRIED = 16;
/** Just before something. */
const MOMENT_MS = 1_000;

const LOCKED_OUT: ReadonlySet<StateName> = new Set(["noncompliant", "remediating", "signedOut"]);

interface Input extends Occurrence {
  readonly seq: number;
}

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
  for (const record of told) replay.take(record, JSON.stringify(record));
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
  const fold = (some: readonly Input[], under: Policies = policies, emit = ignore): Session | undefined =>
    foldInputs(id, some, under, since, emit);
  const rulesAt = (of: Session, under: Policies = policies): Rules => rulesOf(versionInForce(under, since), of);
  const decision = decide(session, rulesOf(versionInForce(policies, at), session), at);
  const arrived = fold(inputs);
  const wasLockedOut = new Set(told.filter(isLockout).map(nameOf));
  const leadsHere = (some: readonly Input[]): boolean => {
    let last: StepRecord | undefined;
    let isAnotherStory = false;
    const other = fold(some, policies, (record) => {
      if (isMove(record)) last = record;
      // Without what kept it compliant a session is locked out earlier, which explains nothing.
      if (isLockout(record) && !wasLockedOut.has(nameOf(record))) isAnotherStory = true;
      return 0;
    });
    return (
      !isAnotherStory &&
      other?.state === arrived?.state &&
      other?.facts.cause === arrived?.facts.cause &&
      other?.facts.signOutReason === arrived?.facts.signOutReason &&
      last?.at === by?.at &&
      last?.event.type === by?.event.type
    );
  };
  const needed = shrink(leftBehind(inputs, told, leadsHere), leadsHere);
  const chain: StepRecord[] = [];
  fold(needed, policies, (record) => chain.push(record));

  const before = by === undefined ? undefined : stateBefore(id, inputs, policies, by);
  const judged = before ?? session;
  const version = versionInForce(policies, by?.at ?? at);
  const rules = rulesOf(version, judged);
  const { keptAccess, tried } =
    decision.decision === "deny"
      ? counterfactuals({ id, inputs, needed, policies, told, at: since, session, rules, fold, rulesAt })
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

const isMove = ({ from, to }: StepRecord): boolean =>
  from !== undefined && to !== undefined && stateName(from) !== stateName(to);

const isLockout = (record: StepRecord): boolean => isMove(record) && LOCKED_OUT.has(stateName(record.to as StatePath));

const nameOf = ({ at, event }: StepRecord): string => `${at} ${event.type}`;

const ignore = (_: StepRecord): number => 0;

function inputOf({ seq, event, at, origin, userVersion }: JournalRecord): Input {
  return { seq, event, at, ...(origin && { origin }), ...(userVersion !== undefined && { userVersion }) };
}

function foldInputs(
  id: SessionId,
  inputs: readonly Input[],
  policies: Policies,
  until: number,
  emit: (record: StepRecord) => number,
): Session | undefined {
  let session: Session | undefined;
  for (const input of inputs) session = receive(session, id, input, policies, emit);
  return session && advance(session, until, policies, emit);
}

/** Of very many inputs those that the session still shows; all of them, if these do not lead there. */
function leftBehind(
  inputs: readonly Input[],
  records: readonly JournalRecord[],
  leadsHere: (some: readonly Input[]) => boolean,
): readonly Input[] {
  if (inputs.length <= MANY_INPUTS) return inputs;
  const lastToChange = new Map<string, number>();
  const moved: number[] = [];
  for (const record of records) {
    if (!isInput(record)) continue;
    for (const fact in record.changed) lastToChange.set(fact, record.seq);
    if (isMove(record)) moved.push(record.seq);
  }
  const first = inputs.find(({ event }) => event.type === "account.signedIn")?.seq;
  const facts = new Set([first, ...lastToChange.values()]);
  const recent = moved.slice(-MANY_INPUTS);
  for (const wanted of [facts, new Set([...facts, ...recent]), new Set([...facts, ...moved])]) {
    const some = inputs.filter(({ seq }) => wanted.has(seq));
    if (leadsHere(some)) return some;
  }
  return inputs;
}

/** The session as it was just before a record. */
function stateBefore(
  id: SessionId,
  inputs: readonly Input[],
  policies: Policies,
  { seq, at }: JournalRecord,
): Session | undefined {
  return foldInputs(
    id,
    inputs.filter((input) => input.seq < seq),
    policies,
    at - 1,
    ignore,
  );
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
  readonly id: SessionId;
  readonly inputs: readonly Input[];
  readonly needed: readonly Input[];
  readonly policies: Policies;
  readonly told: readonly JournalRecord[];
  readonly at: number;
  readonly session: Session;
  /** When access was taken away, epoch ms, and the rules then. */
  readonly rules: Rules;
  readonly fold: (inputs: readonly Input[], policies?: Policies) => Session | undefined;
  readonly rulesAt: (session: Session, policies?: Policies) => Rules;
}

type Candidate = Omit<Counterfactual, "decision"> & {
  readonly inputs: readonly Input[];
  readonly policies: Policies;
};

function counterfactuals(question: Question): Pick<Why, "keptAccess" | "tried"> {
  const candidates = [...otherEvents(question), ...withoutOne(question), ...otherVersions(question)]
    .sort((a, b) => b.at - a.at)
    .slice(0, MOST_TRIED);
  const keptAccess: Counterfactual[] = [];
  for (const { inputs, policies, ...what } of candidates) {
    const session = question.fold(inputs, policies);
    if (session === undefined) continue;
    const { decision } = decide(session, question.rulesAt(session, policies), question.at);
    if (decision !== "deny") keptAccess.push({ ...what, decision });
  }
  return { keptAccess, tried: candidates.length };
}

/** Without them there is no session that could have access. */
const BEGINNINGS: ReadonlySet<string> = new Set(["account.signedIn", "enrollment.completed"]);

function* withoutOne({ inputs, needed, policies }: Question): Generator<Candidate> {
  for (const one of needed) {
    if (BEGINNINGS.has(one.event.type)) continue;
    const { at, event } = one;
    yield { kind: "without", at, event, policies, inputs: inputs.filter((input) => input !== one) };
  }
}

function* otherVersions({ inputs, policies }: Question): Generator<Candidate> {
  const { base, broadcasts } = policies;
  for (const [n, { version: insteadOf, at }] of broadcasts.entries()) {
    const version = broadcasts[n - 1]?.version ?? base;
    yield {
      kind: "version",
      at,
      version,
      insteadOf,
      inputs,
      policies: { ...policies, broadcasts: broadcasts.slice(0, n) },
    };
  }
}

/** What the app or the device could have told in time: just before access was taken away, and just before the last step down. */
function* otherEvents({ id, inputs, policies, told, session, rules }: Question): Generator<Candidate> {
  const down = told.filter(isLockout);
  const last = down.at(-1);
  const first = down.findLast(({ from }) => from !== undefined && !LOCKED_OUT.has(stateName(from)));
  for (const record of new Set([last, first])) {
    if (record === undefined) continue;
    const before = stateBefore(id, inputs, policies, record);
    if (before === undefined) continue;
    const at = Math.max(before.asOf, record.at - MOMENT_MS);
    for (const event of inTime(before, session, rules)) {
      const inserted: Input = { seq: record.seq - 0.5, event, at };
      const place = inputs.findIndex(({ seq }) => seq > inserted.seq);
      yield {
        kind: "with",
        at: record.at,
        event,
        policies,
        inputs: inputs.toSpliced(place === -1 ? inputs.length : place, 0, inserted),
      };
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
