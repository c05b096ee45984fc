/** How far the walk that brings published policies to idle sessions has come, over all partitions. */
import { neededWalk } from "../../machines/walk.js";
import type { PartitionStore } from "../store/partition-store.js";
import { readState } from "../store/partition-view.js";

export interface WalkProgress {
  /** Sessions stored. */
  readonly sessions: number;
  /** Sessions that the walk has visited, or needs not visit: those of partitions where none is due count as seen. */
  readonly seen: number;
  /** Sessions that the walks under way gave other rules. */
  readonly lifted: number;
  /** Partitions whose walk is not over, those that have yet to take in the broadcast among them; 0: every session has every version. */
  readonly partitionsWalking: number;
}

/** @throws StoreUnavailableError */
export async function walkProgress(store: PartitionStore): Promise<WalkProgress> {
  const partitions = Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);
  let [sessions, seen, lifted, partitionsWalking] = [0, 0, 0, 0];
  for (const survey of await store.survey(partitions)) {
    const { policies, walk = neededWalk(policies) } = readState(survey.state);
    sessions += survey.sessions;
    if (walk === undefined && !survey.behind) seen += survey.sessions;
    else {
      partitionsWalking++;
      seen += Math.min(walk?.seen ?? 0, survey.sessions);
      lifted += walk?.lifted ?? 0;
    }
  }
  return { sessions, seen, lifted, partitionsWalking };
}
