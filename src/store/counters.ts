/** What the deployment has counted, over all partitions. */
import type { PartitionStore } from "./partition-store.js";

export type Counters = Readonly<Record<string, number>>;

export async function readCounters(store: PartitionStore): Promise<Counters> {
  const partitions = Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);
  return sumCounters(await Promise.all(partitions.map((partition) => store.counters(partition))));
}

export function sumCounters(several: readonly Counters[]): Counters {
  const sum: Record<string, number> = {};
  for (const counters of several) for (const name in counters) sum[name] = (sum[name] ?? 0) + (counters[name] ?? 0);
  return sum;
}
