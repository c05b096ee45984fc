/** The deployment's counters as the demonstration tells them. */
import { STATE_NAMES, type StateName } from "../../../machines/session/context.js";
import type { Counters } from "../../store/counters.js";

export type ByState = Readonly<Record<StateName, number>>;

/** Sessions that are in each state. */
export function inStates(counters: Counters): ByState {
  return perState((state) => counters[`in.${state}`] ?? 0);
}

/** How often each state was entered. */
export function entriesInto(counters: Counters): ByState {
  return perState((state) =>
    Object.entries(counters)
      .filter(([name]) => name.startsWith("moved.") && name.endsWith(`.${state}`))
      .reduce((sum, [, n]) => sum + n, 0),
  );
}

const perState = (count: (state: StateName) => number): ByState =>
  Object.fromEntries(STATE_NAMES.map((state) => [state, count(state)])) as ByState;

export interface Outcomes {
  readonly applied: number;
  readonly ignored: number;
  readonly stale: number;
  readonly quarantined: number;
}

/** Events from outside, by what became of them. */
export function outcomes({ applied = 0, ignored = 0, stale = 0, quarantined = 0 }: Counters): Outcomes {
  return { applied, ignored, stale, quarantined };
}

export const processed = (counters: Counters): number =>
  Object.values(outcomes(counters)).reduce((sum, n) => sum + n, 0);
