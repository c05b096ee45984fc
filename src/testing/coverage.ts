/**
 * Which of the chart's transitions a test suite exercised, and which it never did. Collected from every specification, live session and
 * generated history that is played while it collects.
 */
import { newSession } from "../../machines/fold.js";
import type { Rules } from "../../machines/policy/rules.js";
import type { SessionFacts } from "../../machines/session/context.js";
import { contextAt, type Session } from "../../machines/session/session.js";
import { CHART_TRANSITIONS, type ChartTransition, takenTransition, transitionName } from "./chart-transitions.js";
import { type Folded, onFold } from "./moment.js";

/** A transition, how often it was taken, and where it came to rest. */
export interface CoveredTransition extends ChartTransition {
  /** 0: never. */
  readonly times: number;
  /** How often it came to rest in each state. */
  readonly reached: Readonly<Record<string, number>>;
}

export interface CoverageReport {
  /** Transitions that the chart has. */
  readonly total: number;
  /** Those taken at least once. */
  readonly taken: number;
  readonly transitions: readonly CoveredTransition[];
}

/** Narrows a report, to states or events by name: `{ states: ["locked", "unenrolled"], events: ["pin.rejected"] }`. */
export interface CoverageScope {
  /** The state's name, or its path. */
  readonly states?: readonly string[];
  readonly events?: readonly string[];
}

/**
 * Collects from now on, in this process.
 *
 * @example
 * const coverage = collectCoverage();
 * afterAll(() => {
 *   console.log(coverage.table());
 *   coverage.requireAtLeast(0.6);
 * });
 */
export function collectCoverage(): TransitionCoverage {
  return new TransitionCoverage();
}

export class TransitionCoverage {
  /** By transition: where it came to rest, and how often. */
  private readonly reached = new Map<string, Map<string, number>>();
  private readonly end: () => void;

  constructor() {
    this.end = onFold((folded) => this.collect(folded));
  }

  /** Collects no more; what was collected stays. */
  stop(): void {
    this.end();
  }

  /** Adds what another process collected: its report, as JSON brought it here. Transitions that this release has not are left out. */
  add({ transitions }: Pick<CoverageReport, "transitions">): void {
    for (const { times: _, reached, ...transition } of transitions) {
      for (const [to, times] of Object.entries(reached)) this.count(transitionName(transition), to, times);
    }
  }

  report({ states, events }: CoverageScope = {}): CoverageReport {
    const transitions = [...CHART_TRANSITIONS].flatMap(([name, transition]): CoveredTransition[] => {
      const { state, event } = transition;
      if (states?.some((one) => state === one || state.startsWith(`${one}.`)) === false) return [];
      if (events?.includes(event) === false) return [];
      const reached = Object.fromEntries(this.reached.get(name) ?? []);
      return [{ ...transition, times: Object.values(reached).reduce((sum, times) => sum + times, 0), reached }];
    });
    return { total: transitions.length, taken: transitions.filter(({ times }) => times > 0).length, transitions };
  }

  /** For `JSON.stringify`: the whole report. */
  toJSON(): CoverageReport {
    return this.report();
  }

  /**
   * The report as text: how many of how many, then a line for each transition.
   * @param show `never` (the default): those never taken; `all`: with how often each was taken, and where it came to rest
   */
  table({ show = "never", ...scope }: CoverageScope & { readonly show?: "never" | "all" } = {}): string {
    const { total, taken, transitions } = this.report(scope);
    const shown = transitions.filter(({ times }) => show === "all" || times === 0);
    const rows = [
      ["state", "event", "when", "leads to", ...(show === "all" ? ["times", "came to rest in"] : [])],
      ...shown.map(({ state, event, when = "", leads, times, reached }) => [
        state,
        event,
        when,
        leads,
        ...(show === "all"
          ? [
              String(times),
              Object.entries(reached)
                .map(([to, n]) => `${to} (${n})`)
                .join(", "),
            ]
          : []),
      ]),
    ];
    const said = `${taken} of ${total} transitions were taken (${percent(taken, total)})`;
    if (shown.length === 0) return said;
    return [`${said}${show === "never" ? "; never:" : ""}`, "", ...aligned(rows)].join("\n");
  }

  /**
   * @param share from 0 to 1, of the transitions in the scope
   * @throws Error if fewer were taken, naming those that never were
   */
  requireAtLeast(share: number, scope: CoverageScope = {}): void {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`a share of ${share}: give one from 0 to 1`);
    const { total, taken } = this.report(scope);
    if (taken < share * total) {
      throw new Error(
        `fewer than ${percent(share, 1)} of the transitions were taken: specify some of these, or lower the share\n${this.table(scope)}`,
      );
    }
  }

  private collect({ before, records, rulesByHash }: Folded): void {
    let session: Session | undefined = before;
    for (const { session: id, event, at, outcome, from, to, rules: hash, changed } of records) {
      const rules = rulesByHash.get(hash) as Rules;
      if (from === undefined || to === undefined) continue;
      session ??= newSession(id, event.type === "account.signedIn" ? event.platform : rules.platform, () => rules, at);
      if (outcome === "applied") {
        const name = takenTransition(from, contextAt({ ...session, state: from }, rules, at), event);
        if (name !== undefined) this.count(name, to, 1);
      }
      session = { ...session, state: to, facts: withChanges(session.facts, changed) };
    }
  }

  private count(name: string, to: string, times: number): void {
    const reached = this.reached.get(name) ?? new Map<string, number>();
    reached.set(to, (reached.get(to) ?? 0) + times);
    this.reached.set(name, reached);
  }
}

function withChanges(facts: Readonly<SessionFacts>, changed: Readonly<Record<string, unknown>> = {}): SessionFacts {
  const changes = Object.entries(changed).map(([fact, value]) => [fact, value ?? undefined]);
  return { ...facts, ...(Object.fromEntries(changes) as Partial<SessionFacts>) };
}

const percent = (part: number, whole: number): string => `${whole === 0 ? 100 : Math.floor((100 * part) / whole)} %`;

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, n) => cell.padEnd(widths[n] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
