/**
 * Deadlines that the chart says with `after`. XState names them by delay and state; snapshots and records know them by names of
 * our own, so that renaming a state orphans nothing that is stored.
 */
import type { SessionEvent } from "../events/catalogue.js";

interface AfterTimer {
  readonly id: string;
  readonly event: SessionEvent;
  /** XState's own id, which is also the type of the event that fires it. */
  readonly xstateId: string;
}

export const AFTER_TIMERS: readonly AfterTimer[] = [
  {
    id: "attempt",
    event: { type: "remediation.timedOut" },
    xstateId: "xstate.after.attemptTimeout.session.remediating.attempt",
  },
  {
    id: "backoff",
    event: { type: "remediation.retryDue" },
    xstateId: "xstate.after.attemptBackoff.session.remediating.backoff",
  },
];
