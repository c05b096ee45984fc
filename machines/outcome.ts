/**
 * What folding changes, gathered while it goes on: journal records in their order, effects with their ids, counters, and the
 * sessions to write. A batch of events and a chunk of the policy walk are gathered alike.
 */
import type { Stored } from "./fold-batch.js";
import type { Effect } from "./effects/catalogue.js";
import type { StepRecord } from "./step-record.js";
import { stateName } from "./session/context.js";
import { type Session, type SessionId, earliestTimer } from "./session/session.js";

/** A journal record: what happened, and where it stands in the partition's journal. */
export interface JournalRecord extends StepRecord {
  readonly seq: number;
}

export interface OutgoingEffect {
  /** `<seq>-<n>`. */
  readonly id: string;
  readonly session: SessionId;
  readonly revision: number;
  readonly at: number;
  readonly effect: Effect;
}

export interface Outcome {
  readonly sessions: ReadonlyMap<SessionId, Session>;
  /** Sessions that were retired, and that nobody began again. */
  readonly retired: ReadonlySet<SessionId>;
  /** Earliest deadline of the sessions where it is another than before, and of unreadable ones that were due: none. */
  readonly timers: ReadonlyMap<SessionId, number | null>;
  readonly records: readonly JournalRecord[];
  readonly effects: readonly OutgoingEffect[];
  /** Additions to the partition's counters: outcomes, effects, sessions by state, transitions by from and to. */
  readonly counters: Readonly<Record<string, number>>;
}

export class OutcomeBuilder {
  readonly sessions = new Map<SessionId, Session>();
  readonly retired = new Set<SessionId>();
  readonly timers = new Map<SessionId, number | null>();
  readonly records: JournalRecord[] = [];
  private readonly effects: OutgoingEffect[] = [];
  private readonly counters: Record<string, number> = {};

  /** @param seq number of the journal's last record */
  constructor(private readonly seq: number) {}

  count(name: string, by = 1): void {
    this.counters[name] = (this.counters[name] ?? 0) + by;
  }

  /** Takes the next record, and answers with its number. */
  readonly emit = (record: StepRecord): number => {
    const seq = this.seq + this.records.length + 1;
    this.records.push(numbered(seq, record));
    record.effects.forEach((effect, n) =>
      this.effects.push({
        id: `${seq}-${n}`,
        session: record.session,
        revision: record.revision,
        at: record.at,
        effect,
      }),
    );
    // An event counts once, by what became of it first.
    if (record.redrives !== undefined) this.count("redriven");
    else if (record.origin !== undefined) this.count(record.outcome);
    else this.count("own");
    if (record.effects.length > 0) this.count("effects", record.effects.length);
    if (record.outcome === "applied" && record.from !== undefined && record.to === undefined) {
      const from = stateName(record.from);
      this.count(`in.${from}`, -1);
      this.count(`moved.${from}.none`);
    } else if (record.from !== undefined && record.to !== undefined) {
      const from = stateName(record.from);
      const to = stateName(record.to);
      if (from !== to) {
        this.count(`in.${from}`, -1);
        this.count(`in.${to}`);
        this.count(`moved.${from}.${to}`);
      }
    }
    return seq;
  };

  /** @param stored the sessions as they were */
  finish(stored: ReadonlyMap<SessionId, Stored>): Outcome {
    for (const [id, session] of this.sessions) {
      const before = stored.get(id);
      const due = earliestTimer(session);
      if (before === undefined || "unreadable" in before || earliestTimer(before) !== due) this.timers.set(id, due);
    }
    for (const id of this.retired) this.timers.set(id, null);
    const { sessions, retired, timers, records, effects, counters } = this;
    return { sessions, retired, timers, records, effects, counters };
  }
}

/** Field by field, so that these, too, have one shape. */
function numbered(seq: number, record: StepRecord): JournalRecord {
  const { session, at, event, origin, userVersion, redrives, outcome, reason, from, to } = record;
  const { revision, rules, version, changed, effects, previous } = record;
  return {
    seq,
    session,
    at,
    event,
    origin,
    userVersion,
    redrives,
    outcome,
    reason,
    from,
    to,
    revision,
    rules,
    version,
    changed,
    effects,
    previous,
  } satisfies { [Field in keyof Required<JournalRecord>]: unknown };
}
