/**
 * A session's recorded history as a specification: played again, event by event, under the rules of its time, and redacted. It is
 * played twice. As it was recorded, to know that this release still comes to the same and when each deadline was due; and redacted, to
 * know that nothing that matters was taken out.
 */
import type { Effect } from "../../machines/effects/catalogue.js";
import type { SessionEvent } from "../../machines/events/catalogue.js";
import { TIMER_EVENTS } from "../../machines/move.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { Rules } from "../../machines/policy/rules.js";
import type { Session, SessionId } from "../../machines/session/session.js";
import { effectText } from "./effect-expectation.js";
import { type Happening, type ToldEvent, after, asUserVersion, dueIn, late } from "./happening.js";
import { HistoryCutError, HistoryDiffersError } from "./history-errors.js";
import { type CompleteRules, Redaction } from "./redaction.js";
import { rules as rulesFrom } from "./rules.js";
import { type Scenario, sessionFrom } from "./scenario.js";
import { specificationSource } from "./specification-source.js";
import { START_MS } from "./moment.js";

/** A session's past, as `gatehouse history --json` tells it, and the rules that its records name. */
export interface RecordedHistory {
  readonly session: SessionId;
  /** From the session's first record on, oldest first. */
  readonly records: readonly JournalRecord[];
  /** Records that were erased. */
  readonly erased?: number;
  /** Why it does not go back to the session's first record. */
  readonly cut?: "limit" | "trimmed" | "erased";
  /** Every set of rules that a record names by its hash. */
  readonly rules: readonly Rules[];
}

/** One thing that happens in a specification made from a history, and what it came to. */
export interface RecordedStep {
  /** Time that goes by before it, ms. */
  readonly afterMs: number;
  /** Absent: a deadline passes at the end of that time. */
  readonly event?: ToldEvent;
  /** Answers the attempt or the wipe that stands then, whatever its id. */
  readonly answersOwn?: boolean;
  /** Rules that are published, by number. */
  readonly rules?: number;
  /** Deadlines that are spread by chance, as they were: name → in how many ms from then. */
  readonly deadlines: Readonly<Record<string, number>>;
  readonly outcome: JournalRecord["outcome"];
  readonly leadsTo: Session["state"];
  readonly effects: readonly Effect[];
}

export interface RecordedSpecification {
  /** What happened, redacted: a specification that can go on. */
  readonly scenario: Scenario;
  readonly steps: readonly RecordedStep[];
  /** Redacted, the first in force from the beginning. */
  readonly rules: readonly CompleteRules[];
  /** How many ids, names and texts were replaced. */
  readonly replaced: number;
  /** The file: a test for vitest that runs by itself. */
  readonly source: string;
}

/** The redacted session's name. */
export const REDACTED_ID: SessionId = "tenant-1/device-1/user-1/app-1";

/**
 * Makes a specification of what a session was recorded to go through.
 *
 * @example
 * fromHistory({ session, records, rules }).scenario.when(after("1 d")).leadsTo("noncompliant");
 * @throws HistoryCutError if records are missing
 * @throws HistoryDiffersError if this release comes to something else
 */
export function fromHistory(history: RecordedHistory): RecordedSpecification {
  const { session, records, cut, erased } = history;
  if (cut !== undefined) throw new HistoryCutError(cut, erased);
  if (erased !== undefined && erased > 0) throw new HistoryCutError("erased", erased);
  const [first] = records;
  if (first === undefined || first.previous !== undefined) throw new HistoryCutError("limit");
  return new Playback(session, records, first, history.rules).run();
}

class Playback {
  private readonly redaction: Redaction;
  private readonly byHash: ReadonlyMap<string, Rules>;
  private readonly numbers = new Map<string, number>();
  private readonly redactedRules: Rules[] = [];
  private readonly specs: CompleteRules[] = [];
  private readonly steps: RecordedStep[] = [];
  /** Deadlines to move before the next step. */
  private moved: readonly Happening[] = [];
  private original: Scenario;
  private redacted: Scenario;

  constructor(
    id: SessionId,
    private readonly records: readonly JournalRecord[],
    first: JournalRecord,
    rules: readonly Rules[],
  ) {
    this.redaction = new Redaction(id);
    this.byHash = new Map(rules.map((one) => [one.hash, one]));
    this.original = sessionFrom(first.at, [{ sessionId: id }, this.rulesOf(first, first.rules)]);
    const number = this.numberOf(first, first.rules);
    this.redacted = sessionFrom(START_MS, [{ sessionId: REDACTED_ID }, this.redactedRules[number] as Rules]);
  }

  run(): RecordedSpecification {
    for (let done = 0; done < this.records.length;) {
      const record = this.records[done] as JournalRecord;
      const played = this.play(record);
      this.compare(done, played);
      done += played;
    }
    const { steps, specs: rules } = this;
    const scenario = this.moved.length === 0 ? this.redacted : this.redacted.when(...this.moved);
    const { replaced } = this.redaction;
    return { scenario, steps, rules, replaced, source: specificationSource({ scenario, steps, rules }) };
  }

  /** @returns how many records it came to */
  private play(record: JournalRecord): number {
    const { event, at } = record;
    const pause = after({ ms: Math.max(0, at - this.original.now) });
    const isLift = event.type === "policy.changed" || event.type === "assignment.changed";
    let whats: { original: Happening[]; redacted: Happening[]; step: Partial<RecordedStep> };
    if (isLift) {
      const number = this.numberOf(record, event.rules);
      whats = {
        original: [this.rulesOf(record, event.rules)],
        redacted: [this.redactedRules[number] as Rules],
        step: { rules: number },
      };
    } else if (OWN_EVENTS.has(event.type)) {
      whats = { original: [], redacted: [], step: {} };
    } else {
      const { told, answersOwn } = this.redactedEvent(record);
      whats = {
        original: [asTold(record, event)],
        redacted: [answersOwn ? { ...told, event: ownAnswer(told.event as SessionEvent) } : told],
        step: { event: told, ...(answersOwn && { answersOwn }) },
      };
    }
    this.original = this.original.when(pause, ...whats.original);
    this.redacted = this.redacted.when(...this.moved, pause, ...whats.redacted);
    const { records, effects } = this.redacted;
    // What it came to is taken from the redacted session, so it can't name anybody.
    this.steps.push({
      ...whats.step,
      afterMs: pause.pauseMs,
      deadlines: this.setDeadlines(),
      outcome: (records.find(({ origin }) => origin !== undefined) ?? records.at(-1) ?? record).outcome,
      leadsTo: this.redacted.session.state,
      effects,
    });
    return this.original.records.length;
  }

  private redactedEvent(record: JournalRecord): { told: ToldEvent; answersOwn: boolean } {
    const { event } = record;
    const { remediation, wipe } = this.original.history.length === 0 ? {} : this.original.session.facts;
    const answersOwn =
      (event.type === "remediation.completed" && event.attemptId === remediation?.attemptId) ||
      (isWipeAnswer(event) && event.requestId === wipe?.requestId && wipe.requestId.startsWith("own-"));
    return { told: asTold(record, this.redaction.event(event)), answersOwn };
  }

  /** Pauses before a retry depend on who and when the session is; these are set to what they were. */
  private setDeadlines(): Readonly<Record<string, number>> {
    const set: Record<string, number> = {};
    for (const [name, dueAt] of Object.entries(this.original.session.timers)) {
      const dueInMs = dueAt - this.original.now;
      const redactedDue = this.redacted.session.timers[name];
      if (redactedDue === undefined || redactedDue - this.redacted.now === dueInMs) continue;
      set[name] = dueInMs;
    }
    this.moved = Object.entries(set).map(([name, ms]) => dueIn(name, { ms }));
    return set;
  }

  private compare(done: number, played: number): void {
    const recorded = this.records.slice(done, done + Math.max(1, played));
    const where = `record ${recorded[0]?.seq}`;
    const asRecorded = recorded.map(whole).join("; ");
    const asPlayed = this.original.records.map(whole).join("; ");
    if (asRecorded !== asPlayed) throw new HistoryDiffersError(where, asRecorded, asPlayed || "nothing");
    const inShort = recorded.map(inBrief).join("; ");
    const redacted = this.redacted.records.map(inBrief).join("; ");
    if (inShort !== redacted) throw new HistoryDiffersError(`${where}, redacted`, inShort, redacted || "nothing");
  }

  private rulesOf({ seq }: JournalRecord, hash: string): Rules {
    const rules = this.byHash.get(hash);
    if (rules === undefined) {
      throw new HistoryDiffersError(
        `record ${seq}`,
        `under rules ${hash}`,
        "without them: they are not among those given",
      );
    }
    return rules;
  }

  private numberOf(record: JournalRecord, hash: string): number {
    let number = this.numbers.get(hash);
    if (number === undefined) {
      const spec = this.redaction.rules(this.rulesOf(record, hash));
      number = this.specs.push(spec) - 1;
      this.redactedRules.push(rulesFrom(spec));
      this.numbers.set(hash, number);
    }
    return number;
  }
}

/** Events that deadlines raise. */
const OWN_EVENTS: ReadonlySet<string> = new Set([...TIMER_EVENTS.values()].map(({ type }) => type));

function isWipeAnswer(event: SessionEvent): event is Extract<SessionEvent, { requestId: string }> {
  return event.type === "wipe.completed" || event.type === "wipe.failed" || event.type === "wipe.cancelled";
}

/** The same event with the id that stands when it happens. */
function ownAnswer(event: SessionEvent): ToldEvent["event"] {
  return ({ session }) =>
    event.type === "remediation.completed"
      ? { ...event, attemptId: session?.facts.remediation?.attemptId ?? event.attemptId }
      : isWipeAnswer(event)
        ? { ...event, requestId: session?.facts.wipe?.requestId ?? event.requestId }
        : event;
}

function asTold({ at, origin, userVersion }: JournalRecord, event: SessionEvent): ToldEvent {
  const lateMs = origin === undefined ? 0 : Math.max(0, at - origin.time);
  const told = lateMs === 0 ? { event } : late(event, { ms: lateMs });
  return userVersion === undefined ? told : asUserVersion(told, userVersion);
}

/** Everything that playing it again must come to. */
function whole({ at, event, outcome, from, to, effects }: JournalRecord): string {
  const time = new Date(at).toISOString();
  return `${time} ${event.type} ${outcome} ${from} → ${to} [${effects.map(effectText).join(", ")}]`;
}

/** What of it no name and no time can change. */
function inBrief({ event, outcome, from, to, effects }: JournalRecord): string {
  const told = effects.map((one) => (one.type === "notify" ? `notify(${one.data.key})` : one.type));
  return `${event.type} ${outcome} ${from} → ${to} [${told.join(", ")}]`;
}
