/**
 * One session's recorded past, folded again. Its inputs are taken from the records, in their order: what was accepted from outside, and
 * what was told of its user. Everything else must follow from them: deadlines that passed, rules that changed, states, effects. What
 * follows is compared with what was recorded, or, under other policies, takes its place.
 */
import { type Broadcast, type Policies, advance, versionInForce } from "./advance.js";
import { TIMER_EVENTS } from "./move.js";
import { setAside } from "./quarantine.js";
import type { StepRecord } from "./step-record.js";
import { isSame } from "./is-same.js";
import type { JournalRecord } from "./outcome.js";
import { receive } from "./receive.js";
import type { ChartRunner } from "./session/chart-runner.js";
import type { Session, SessionId } from "./session/session.js";

/** Something else than what was recorded, from a moment on. */
export interface Change {
  /** Epoch ms. */
  readonly at: number;
  /** One catalogue version, and none of those that were really published later. */
  readonly version?: number;
  /** Another chart, and how sessions come to it. */
  readonly machine?: { readonly chart: ChartRunner; readonly migrate: (session: Session) => Session };
}

/** The first record that came out otherwise. */
export interface Divergence {
  /** The record's number; of one that nobody recorded, the number of the last that was. */
  readonly seq: number;
  readonly recorded?: JournalRecord;
  readonly replayed?: StepRecord;
}

/** Why a session can't be folded again. */
export type NotReplayed =
  /** Records that it would have to begin with are gone. */
  | "historyMissing"
  /** Its snapshot could not be read when an event came. */
  | "unreadable"
  /** Somebody decided on its quarantine: what was set aside was taken in later than it was recorded. */
  | "setAside";

const TIMER_TYPES: ReadonlySet<string> = new Set([...TIMER_EVENTS.values()].map(({ type }) => type));
const LIFT_TYPES: ReadonlySet<string> = new Set(["policy.changed", "assignment.changed"]);

/** Whether a record tells of something that came from outside the fold. */
export function isInput({ origin, event }: Pick<StepRecord, "origin" | "event">): boolean {
  return origin !== undefined || !(TIMER_TYPES.has(event.type) || LIFT_TYPES.has(event.type));
}

/** Whether a record is the last of its session. */
const isRetirement = ({ event, outcome }: StepRecord): boolean =>
  event.type === "session.retired" && outcome === "applied";

export interface SessionReplayOptions {
  /** The rules that a catalogue version gives the session. */
  readonly rules: Policies["rules"];
  /** What-if. Then nothing is compared. */
  readonly change?: Change;
  /** Told of every record that the replay makes. */
  readonly onReplayed?: (record: StepRecord) => void;
  /** The session as it was when the records begin, and what it was under; absent: they begin with its first. */
  readonly begin?: { readonly session: Session } & Pick<Policies, "base" | "broadcasts">;
}

export class SessionReplay {
  session: Session | undefined;
  /** Set once, at the first. */
  divergence: Divergence | undefined;
  notReplayed: NotReplayed | undefined;
  /** The last record that was taken. */
  last: JournalRecord | undefined;

  readonly #options: SessionReplayOptions;
  /** Recorded, and not yet come out of the replay. */
  readonly #expected: JournalRecord[] = [];
  /** The other way round: what follows from an event at once comes out before its record is taken. */
  readonly #ahead: StepRecord[] = [];
  /** The change's version, as if it had been published. */
  readonly #imagined: Broadcast | undefined;
  #version: number | undefined;
  #policies: Policies;
  /** Number of the session's last record; 0: there is none, or the session was retired. */
  #lastRecord: number;

  constructor(
    readonly id: SessionId,
    options: SessionReplayOptions,
  ) {
    this.#options = options;
    const { session, base = 0, broadcasts = [] } = options.begin ?? {};
    this.session = session;
    this.#lastRecord = session?.lastRecord ?? 0;
    const { at = 0, version } = options.change ?? {};
    this.#imagined = version === undefined ? undefined : { version, at };
    const earlier = this.#imagined === undefined ? broadcasts : broadcasts.filter((one) => one.at < at);
    this.#policies = {
      base,
      broadcasts: this.#imagined ? [...earlier, this.#imagined] : earlier,
      rules: options.rules,
    };
    if (options.begin !== undefined) this.#version = broadcasts.at(-1)?.version ?? base;
  }

  /** @param record the next one, in the order of the journal */
  take(record: JournalRecord): void {
    this.last = record;
    if (this.notReplayed !== undefined) return;
    const { event, at, origin, userVersion, outcome } = record;
    const isOfSession = record.from !== undefined;
    if (!isOfSession && outcome === "quarantined") {
      this.notReplayed = "unreadable";
      return;
    }
    if (event.type === "quarantine.lifted" || event.type === "quarantine.dropped") {
      this.notReplayed = "setAside";
      return;
    }
    if (isOfSession && (record.previous ?? 0) !== this.#lastRecord) {
      this.notReplayed = "historyMissing";
      return;
    }
    if (isOfSession) this.#lastRecord = isRetirement(record) ? 0 : record.seq;
    this.#learnVersion(record);
    if (this.#options.change === undefined) {
      const ahead = this.#ahead.shift();
      if (ahead === undefined) this.#expected.push(record);
      else {
        this.#compare(record, ahead);
        if (this.session !== undefined) this.session = { ...this.session, lastRecord: record.seq };
      }
    }
    if (!isInput(record)) return;
    this.#changeMachine(at);
    this.session = receive(this.session, this.id, { event, at, origin, userVersion }, this.#policies, this.#emit);
  }

  /** Brings the session up to `until` (epoch ms). What was recorded and has not come out by then is a divergence. */
  end(until: number): void {
    if (this.notReplayed !== undefined) return;
    this.#changeMachine(until);
    if (this.session !== undefined) this.session = advance(this.session, until, this.#policies, this.#emit);
    const [missing] = this.#expected;
    const [unrecorded] = this.#ahead;
    if (missing !== undefined) this.divergence ??= { seq: missing.seq, recorded: missing };
    else if (unrecorded !== undefined) this.divergence ??= { seq: this.last?.seq ?? 0, replayed: unrecorded };
  }

  /** The policies that the session was under, as far as its records tell. */
  get policies(): Policies {
    return this.#policies;
  }

  /** The catalogue version in force for the session at a time (epoch ms). */
  version(at: number): number {
    return versionInForce(this.#policies, at);
  }

  /**
   * Records name the version that their rules come from. When exactly it was published shows where it changed the session's rules, in a record
   * of its own; where it did not, any moment before the first record that names it will do.
   */
  #learnVersion({ version, event, at }: JournalRecord): void {
    if (version === undefined || version === this.#version) return;
    const isFirst = this.#version === undefined;
    this.#version = version;
    const { rules } = this.#options;
    const imagined = this.#imagined;
    const { broadcasts } = this.#policies;
    if (isFirst) {
      this.#policies = { ...this.#policies, base: version, rules };
      return;
    }
    // A deadline that passes at the moment of a change passes before it.
    const from = TIMER_TYPES.has(event.type) ? at - 1 : at;
    if (imagined !== undefined && from >= imagined.at) return;
    const earlier = broadcasts.filter((broadcast) => broadcast !== imagined && broadcast.at !== from);
    this.#policies = {
      ...this.#policies,
      broadcasts: [...earlier, { version, at: from }, ...(imagined ? [imagined] : [])],
    };
  }

  /** From the change's moment on the session goes by the other chart; one that does not land there is set aside. */
  #changeMachine(at: number): void {
    const { change } = this.#options;
    const { machine } = change ?? {};
    if (change === undefined || machine === undefined || at < change.at || this.#policies.chart !== undefined) return;
    if (this.session !== undefined) {
      const session = advance(this.session, change.at, this.#policies, this.#emit);
      try {
        this.session = machine.migrate(session);
      } catch (error) {
        this.session = setAside(session, error instanceof Error ? error.message : String(error), change.at);
      }
    }
    this.#policies = { ...this.#policies, chart: machine.chart };
  }

  readonly #emit = (record: StepRecord): number => {
    this.#options.onReplayed?.(record);
    const next = this.#expected.shift();
    if (next !== undefined) {
      this.#compare(next, record);
      return next.seq;
    }
    if (this.#options.change === undefined) this.#ahead.push(record);
    return this.last?.seq ?? this.session?.lastRecord ?? 0;
  };

  #compare(recorded: JournalRecord, replayed: StepRecord): void {
    if (this.divergence === undefined && !saysWhat(recorded, replayed)) {
      this.divergence = { seq: recorded.seq, recorded, replayed };
    }
  }
}

/** Whether a record says what came out again: in every field, and no more. */
function saysWhat(recorded: JournalRecord, replayed: StepRecord): boolean {
  for (const field in recorded) {
    // Of its number the replay knows nothing.
    if (!(field in replayed) && field !== "seq" && recorded[field as keyof JournalRecord] !== undefined) return false;
  }
  for (const field in replayed) {
    if (!isSame(recorded[field as keyof StepRecord], replayed[field as keyof StepRecord])) return false;
  }
  return true;
}
