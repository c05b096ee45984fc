/** What the deployment has counted, over all partitions. */
import { STATE_NAMES, type StateName } from "../../../machines/session/context.js";
import type { PartitionStore } from "../../store/partition-store.js";

export type Counters = Readonly<Record<string, number>>;
export type ByState = Readonly<Record<StateName, number>>;

export async function readCounters(store: PartitionStore): Promise<Counters> {
  const partitions = Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);
  return sumCounters(await Promise.all(partitions.map((partition) => store.counters(partition))));
}

export function sumCounters(several: readonly Counters[]): Counters {
  const sum: Record<string, number> = {};
  for (const counters of several) for (const name in counters) sum[name] = (sum[name] ?? 0) + (counters[name] ?? 0);
  return sum;
}

/** `in`: sessions that are in each state. `entered`: how often each was entered. */
export function byState(counters: Counters, what: "in" | "entered"): ByState {
  return Object.fromEntries(STATE_NAMES.map((state) => [state, counters[`${what}.${state}`] ?? 0])) as ByState;
}

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
