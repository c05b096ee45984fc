/** How far the walk that brings published policies to idle sessions has come, over all partitions. */
import { neededWalk } from "../../machines/walk.js";
import type { PartitionStore } from "../store/partition-store.js";
import { readState } from "../store/partition-view.js";

export interface WalkProgress {
  /** Sessions stored. */
  readonly sessions: number;
  /** Sessions that are known to have the version; all of a partition whose walk is over. */
  readonly seen: number;
  /** Sessions that the walks under way gave other rules. */
  readonly lifted: number;
  /** Partitions whose walk is not over; 0: every session has the version. */
  readonly partitionsWalking: number;
}

/**
 * @param version of which the progress is asked; without it, of all that is published and known to the partitions
 * @throws StoreUnavailableError
 */
export async function walkProgress(
  store: PartitionStore,
  version?: { readonly tenant: string; readonly version: number },
): Promise<WalkProgress> {
  const partitions = Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);
  let [sessions, seen, lifted, partitionsWalking] = [0, 0, 0, 0];
  for (const survey of await store.survey(partitions)) {
    const { policies, walk } = readState(survey.state);
    const isOver =
      version === undefined
        ? neededWalk(policies) === undefined
        : (policies[version.tenant]?.base ?? 0) >= version.version;
    sessions += survey.sessions;
    if (isOver) seen += survey.sessions;
    else {
      partitionsWalking++;
      seen += Math.min(walk?.seen ?? 0, survey.sessions);
      lifted += walk?.lifted ?? 0;
    }
  }
  return { sessions, seen, lifted, partitionsWalking };
}
