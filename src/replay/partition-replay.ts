/**
 * A partition's journal, folded again session by session: as it was recorded, and, if asked, also as it would have come out under other
 * policies. Nothing is written, and no effect goes out.
 */
import { decide } from "../../machines/decision.js";
import type { EffectType } from "../../machines/effects/catalogue.js";
import type { StepRecord } from "../../machines/step-record.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { Rules } from "../../machines/policy/rules.js";
import type { Beginning } from "./journal-source.js";
import { type Change, type Divergence, type NotReplayed, SessionReplay } from "../../machines/session-replay.js";
import { type StateName, type StatePath, stateName } from "../../machines/session/context.js";
import { type Session, type SessionId, sessionIdParts } from "../../machines/session/session.js";

export type RulesFor = (tenant: string, version: number, session: Session) => Rules;

/** Which sessions are folded again. */
export interface ReplayScope {
  readonly tenant?: string | undefined;
  readonly session?: SessionId | undefined;
  /** Only what was recorded in between is compared, epoch ms: what was before is folded, what came after is left alone. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** A change for one tenant. */
export interface TenantChange extends Change {
  readonly tenant: string;
}

/** What one record came to: enough to see where two accounts part. */
export interface Account {
  readonly event: string;
  readonly outcome: string;
  readonly from?: StatePath;
  readonly to?: StatePath;
  readonly effects: readonly EffectType[];
}

/** The first record of a session that came out otherwise. */
export interface DivergedSession {
  readonly session: SessionId;
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  readonly recorded: Account | null;
  readonly replayed: Account | null;
}

/** Where a session ends, and what it may do there. */
export interface End {
  readonly state: StatePath;
  readonly decision: "allow" | "challenge" | "deny";
  readonly reasons: readonly string[];
}

/** A session that would have fared otherwise. */
export interface OtherFate {
  readonly session: SessionId;
  readonly recorded: End;
  readonly imagined: End;
  /** When it would first have gone another way, epoch ms. */
  readonly since: number;
  /** Times that access would have been taken away, more than it was. */
  readonly lockouts: number;
  readonly wiped: boolean;
}

/** Of one partition, or of several together. */
export interface ReplayReport {
  readonly records: number;
  /** Records that were erased. */
  readonly tombstones: number;
  readonly sessions: number;
  readonly notReplayed: Readonly<Record<NotReplayed, number>>;
  readonly diverged: number;
  /** The first ones. */
  readonly divergences: readonly DivergedSession[];
  /** Sessions that ended in another state than recorded. */
  readonly elsewhere: number;
  /** By state, as recorded and as it came out: under other policies where there are some, else as replayed. */
  readonly recordedStates: Readonly<Partial<Record<StateName, number>>>;
  readonly states: Readonly<Partial<Record<StateName, number>>>;
  /** Sessions by `from>to`: the recorded end and the other one, where they differ. */
  readonly moves: Readonly<Record<string, number>>;
  /** Times that access was taken away, in all sessions: as recorded, and otherwise. */
  readonly recordedLockouts: number;
  readonly lockouts: number;
  /** Sessions that would have been locked out more often, and yet have ended where they did. */
  readonly lockedOutMeanwhile: number;
  readonly loseAccess: number;
  readonly gainAccess: number;
  /** Sessions that would have been wiped and were not. */
  readonly wiped: number;
  /** The first ones of each move. */
  readonly fates: readonly OtherFate[];
}

const MOST_DIVERGENCES = 20;
const EXAMPLES_PER_MOVE = 5;

export interface PartitionReplayOptions {
  readonly rules: RulesFor;
  readonly scope?: ReplayScope;
  readonly change?: TenantChange;
  /** The sessions as they were when the records begin; absent: they begin with the first. */
  readonly begin?: Beginning;
}

interface Life {
  readonly recorded: SessionReplay;
  readonly watch: Watch;
  readonly imagined?: { readonly replay: SessionReplay; readonly watch: Watch; readonly parting: Parting };
}

export class PartitionReplay {
  readonly #options: PartitionReplayOptions;
  readonly #lives = new Map<SessionId, Life>();
  #records = 0;
  #tombstones = 0;

  constructor(options: PartitionReplayOptions) {
    this.#options = options;
    for (const id of options.begin?.sessions.keys() ?? []) {
      if (this.#isMeant(id)) this.#lives.set(id, this.#begin(id));
    }
  }

  take(record: JournalRecord): void {
    this.#records++;
    const { session: id } = record;
    if (!this.#isMeant(id) || record.at > (this.#options.scope?.until ?? Infinity)) return;
    let life = this.#lives.get(id);
    if (life === undefined) this.#lives.set(id, (life = this.#begin(id)));
    life.recorded.take(record);
    life.imagined?.replay.take(record);
  }

  /** A record that was erased. */
  skip(): void {
    this.#records++;
    this.#tombstones++;
  }

  /** The sessions as they were recorded, for whoever compares them with what is stored. */
  recorded(id: SessionId): SessionReplay | undefined {
    return this.#lives.get(id)?.recorded;
  }

  get sessions(): Iterable<SessionReplay> {
    return [...this.#lives.values()].map(({ recorded }) => recorded);
  }

  /** @param until epoch ms: the clock up to which the journal goes */
  report(until: number): ReplayReport {
    const report = emptyReport();
    const { rules, change } = this.#options;
    for (const [id, { recorded, watch, imagined }] of this.#lives) {
      // Deadlines that passed after its last record may wait to be committed: that they have none is no divergence.
      recorded.end(recorded.last?.at ?? recorded.session?.asOf ?? until);
      report.sessions++;
      if (recorded.notReplayed !== undefined) {
        report.notReplayed[recorded.notReplayed]++;
        continue;
      }
      const { last } = recorded;
      const divergence = this.#isInTime(recorded.divergence) ? recorded.divergence : undefined;
      let { session } = recorded;
      if (divergence !== undefined) {
        report.diverged++;
        if (report.divergences.length < MOST_DIVERGENCES) {
          const { seq } = divergence;
          report.divergences.push({
            session: id,
            seq,
            at: divergence.recorded?.at ?? divergence.replayed?.at ?? 0,
            recorded: account(divergence.recorded),
            replayed: account(divergence.replayed),
          });
        }
      }
      if (session === undefined) continue;
      const wasState = last?.to === undefined ? session.state : last.to;
      add(report.recordedStates, stateName(wasState));
      report.recordedLockouts += watch.lockouts;
      if (imagined === undefined) {
        add(report.states, stateName(session.state));
        if (session.state !== wasState) {
          report.elsewhere++;
          add(report.moves, `${wasState}>${session.state}`);
        }
        continue;
      }
      recorded.end(until);
      imagined.replay.end(until);
      session = recorded.session ?? session;
      const other = imagined.replay.session ?? session;
      add(report.states, stateName(other.state));
      report.lockouts += imagined.watch.lockouts;
      const { tenant } = sessionIdParts(id);
      const version = (of: SessionReplay) => of.version(until);
      const was = endOf(session, rules(tenant, version(recorded), session), until);
      const would = endOf(other, rules(tenant, version(imagined.replay), other), until);
      const isWiped = imagined.watch.wipes > watch.wipes;
      if (isWiped) report.wiped++;
      if (was.decision !== "deny" && would.decision === "deny") report.loseAccess++;
      if (was.decision === "deny" && would.decision !== "deny") report.gainAccess++;
      const lockouts = imagined.watch.lockouts - watch.lockouts;
      if (was.state !== would.state) {
        report.elsewhere++;
        add(report.moves, `${was.state}>${would.state}`);
      }
      if (was.state === would.state && lockouts <= 0 && !isWiped) continue;
      if (was.state === would.state && lockouts > 0) report.lockedOutMeanwhile++;
      const since = imagined.parting.at ?? change?.at ?? until;
      report.fates.push({ session: id, recorded: was, imagined: would, since, lockouts, wiped: isWiped });
    }
    return { ...report, fates: examples(report.fates), records: this.#records, tombstones: this.#tombstones };
  }

  #isInTime(divergence: Divergence | undefined): boolean {
    const at = divergence?.recorded?.at ?? divergence?.replayed?.at;
    return at !== undefined && at >= (this.#options.scope?.since ?? 0);
  }

  #isMeant(id: SessionId): boolean {
    const { tenant, session } = this.#options.scope ?? {};
    return (session === undefined || id === session) && (tenant === undefined || id.startsWith(`${tenant}/`));
  }

  #begin(id: SessionId): Life {
    const { rules, change, begin } = this.#options;
    const { tenant } = sessionIdParts(id);
    const known = begin?.sessions.get(id);
    const policies = begin?.policies[tenant];
    const make = (watch: Watch, other?: Change) =>
      new SessionReplay(id, {
        rules: (version, session) => rules(tenant, version, session),
        onReplayed: watch.note,
        ...(known && { begin: { session: known, ...(policies ?? { base: 0, broadcasts: [] }) } }),
        ...(other && { change: { ...other, at: Math.max(other.at, known?.asOf ?? 0) } }),
      });
    if (change === undefined || change.tenant !== tenant) {
      const watch = new Watch(change);
      return { recorded: make(watch), watch };
    }
    const parting = new Parting();
    const watch = new Watch(change, (move) => parting.move("recorded", move));
    const other = new Watch(change, (move) => parting.move("imagined", move));
    return { recorded: make(watch), watch, imagined: { replay: make(other, change), watch: other, parting } };
  }
}

const LOCKED_OUT: ReadonlySet<StateName> = new Set(["noncompliant", "remediating", "signedOut"]);

/** What a session went through, from the moment of a change on. */
class Watch {
  lockouts = 0;
  wipes = 0;

  constructor(
    private readonly change: Change | undefined,
    private readonly onMove: (move: Move) => void = () => undefined,
  ) {}

  readonly note = ({ at, from, to, effects }: StepRecord): void => {
    if (this.change !== undefined && at < this.change.at) return;
    if (effects.some(({ type }) => type === "wipe")) this.wipes++;
    if (from === undefined || to === undefined || from === to) return;
    if (!LOCKED_OUT.has(stateName(from)) && LOCKED_OUT.has(stateName(to))) this.lockouts++;
    this.onMove({ at, to });
  };
}

interface Move {
  readonly at: number;
  readonly to: StatePath;
}

/** Two lives of one session, side by side: no more is kept of them than what one has moved ahead of the other. */
class Parting {
  readonly #ahead: Record<"recorded" | "imagined", Move[]> = { recorded: [], imagined: [] };
  #at: number | undefined;

  move(whose: "recorded" | "imagined", move: Move): void {
    if (this.#at !== undefined) return;
    const other = this.#ahead[whose === "recorded" ? "imagined" : "recorded"];
    const same = other.shift();
    if (same === undefined) this.#ahead[whose].push(move);
    else if (same.at !== move.at || same.to !== move.to) this.#at = Math.min(same.at, move.at);
  }

  /** When one moved otherwise than the other for the first time, epoch ms; `undefined`: never. */
  get at(): number | undefined {
    return this.#at ?? this.#ahead.recorded[0]?.at ?? this.#ahead.imagined[0]?.at;
  }
}

function endOf(session: Session, rules: Rules, until: number): End {
  const { decision, reasons } = decide(session, rules, until);
  return { state: session.state, decision, reasons };
}

function account(record: StepRecord | undefined): Account | null {
  if (record === undefined) return null;
  const { event, outcome, from, to, effects } = record;
  return {
    event: event.type,
    outcome,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    effects: effects.map(({ type }) => type),
  };
}

function examples(fates: readonly OtherFate[]): OtherFate[] {
  const kept = new Map<string, number>();
  return fates.filter(({ recorded, imagined }) => {
    const move = `${recorded.state}>${imagined.state}`;
    const number = (kept.get(move) ?? 0) + 1;
    kept.set(move, number);
    return number <= EXAMPLES_PER_MOVE;
  });
}

type Writable<Type> = {
  -readonly [Name in keyof Type]: Type[Name] extends readonly (infer Item)[]
    ? Item[]
    : Type[Name] extends Readonly<Record<string, number>>
      ? Record<string, number>
      : Type[Name];
};

function add(counts: Record<string, number>, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}

function emptyReport(): Writable<ReplayReport> & { notReplayed: Record<NotReplayed, number> } {
  return {
    records: 0,
    tombstones: 0,
    sessions: 0,
    notReplayed: { historyMissing: 0, unreadable: 0, setAside: 0 },
    diverged: 0,
    divergences: [],
    elsewhere: 0,
    recordedStates: {},
    states: {},
    moves: {},
    recordedLockouts: 0,
    lockouts: 0,
    lockedOutMeanwhile: 0,
    loseAccess: 0,
    gainAccess: 0,
    wiped: 0,
    fates: [],
  };
}

/** Several partitions' reports as one. */
export function mergeReports(reports: readonly ReplayReport[]): ReplayReport {
  const sum = emptyReport();
  for (const report of reports) {
    for (const name of ["records", "tombstones", "sessions", "diverged", "elsewhere"] as const)
      sum[name] += report[name];
    for (const name of [
      "recordedLockouts",
      "lockouts",
      "lockedOutMeanwhile",
      "loseAccess",
      "gainAccess",
      "wiped",
    ] as const)
      sum[name] += report[name];
    for (const name of ["notReplayed", "recordedStates", "states", "moves"] as const) {
      for (const [key, n] of Object.entries(report[name])) add(sum[name], key, n);
    }
    sum.divergences.push(...report.divergences);
    sum.fates.push(...report.fates);
  }
  sum.divergences.splice(MOST_DIVERGENCES);
  return { ...sum, fates: examples(sum.fates) };
}
