/** How a version reaches the sessions that nothing else touches, watched from the terminal. The work is the workers'. */
import { setTimeout as delay } from "node:timers/promises";
import { type WalkProgress, walkProgress } from "../../control/walk-progress.js";
import type { PartitionStore } from "../../store/partition-store.js";
import { count, duration, note } from "../terminal.js";
import { progressBar } from "../progress-bar.js";

const LOOK_EVERY_MS = 200;
/** Nothing moves for so long: no worker runs. */
const PATIENCE_MS = 5_000;

/**
 * Resolves when every session has the version, or nobody brings it.
 * @throws StoreUnavailableError
 */
export async function watchWalk(store: PartitionStore, tenant: string, version: number): Promise<void> {
  const startedAt = performance.now();
  let progress = await walkProgress(store, { tenant, version });
  let movedAt = startedAt;
  const bar = progressBar(progress.sessions, "sessions");
  try {
    while (progress.partitionsWalking > 0 && performance.now() - movedAt < PATIENCE_MS) {
      await delay(LOOK_EVERY_MS);
      const next = await walkProgress(store, { tenant, version });
      if (hasMoved(progress, next)) movedAt = performance.now();
      progress = next;
      bar.show(progress.seen);
    }
  } finally {
    bar.stop();
  }
  if (progress.sessions === 0) return;
  if (progress.partitionsWalking === 0) {
    note(
      `Every session has version ${version}: ${count(progress.sessions)} in ${duration(performance.now() - startedAt)}.`,
    );
  } else {
    note(
      `Decisions obey version ${version} already. No worker seems to run: idle sessions, and the effects that follow for them, wait for one.`,
    );
  }
}

const hasMoved = (before: WalkProgress, after: WalkProgress): boolean =>
  before.seen !== after.seen || before.partitionsWalking !== after.partitionsWalking;
