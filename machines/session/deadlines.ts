/**
 * The deadlines that belong to the session and survive settling from state to state. Each is worked out from its
 * anchor, so a late, early or doubled arming can't move it. (An attempt's time limit belongs to one state; the chart says it with
 * `after`.)
 */
import type { SessionEvent } from "../events/catalogue.js";
import type { SessionContext } from "./context.js";
import { INTEGRITY_VERDICT_LIFETIME_MS, biometricCounts, isEnrolled, offShiftFrom, pinIsRequired } from "./ladder.js";

export interface Deadline {
  /** Named in snapshots; renaming one orphans what is stored. */
  readonly id: string;
  /** What the fold raises when it passes. */
  readonly event: SessionEvent;
  /** Whether access can end by it; a decision is valid until the earliest of these. */
  readonly endsAccess: boolean;
  /** Epoch ms by the facts and rules as they stand; `undefined`: there is none. May lie in the past. */
  readonly due: (context: SessionContext) => number | undefined;
}

export const DEADLINES: readonly Deadline[] = [
  {
    id: "recheck",
    event: { type: "access.recheckDue" },
    endsAccess: true,
    due: (context) =>
      context.backgroundedAt !== undefined &&
      (context.pinProven === true || context.credentialsProven === true) &&
      isEnrolled(context) &&
      (pinIsRequired(context) || context.step.rules.credentialsRequired)
        ? context.backgroundedAt + context.step.rules.recheckAfterMs
        : undefined,
  },
  {
    id: "biometric",
    event: { type: "biometric.timedOut" },
    endsAccess: false,
    due: (context) => {
      const timeoutMs = context.step.rules.pin?.biometricTimeoutMs ?? null;
      return context.backgroundedAt !== undefined &&
        timeoutMs !== null &&
        biometricCounts(context) &&
        isEnrolled(context)
        ? context.backgroundedAt + timeoutMs
        : undefined;
    },
  },
  {
    id: "pinExpiry",
    event: { type: "pin.expired" },
    endsAccess: true,
    due: (context) => {
      const maxAgeMs = context.step.rules.pin?.maxAgeMs ?? null;
      return context.pin !== undefined && maxAgeMs !== null && isEnrolled(context)
        ? context.pin.setAtMs + maxAgeMs
        : undefined;
    },
  },
  {
    id: "offlineGrace",
    event: { type: "offlineGrace.expired" },
    endsAccess: true,
    due: (context) => sinceCheckin(context, context.step.rules.offline.blockAfterMs),
  },
  {
    id: "offlineWipe",
    event: { type: "offlineWipe.due" },
    endsAccess: true,
    due: (context) =>
      context.offlineWipe === undefined ? sinceCheckin(context, context.step.rules.offline.wipeAfterMs) : undefined,
  },
  {
    id: "integrityGrace",
    event: { type: "integrityGrace.expired" },
    endsAccess: true,
    due: (context) =>
      context.posture?.integrity === "requestFailed" && context.integrity !== undefined && isEnrolled(context)
        ? context.integrity.at + INTEGRITY_VERDICT_LIFETIME_MS
        : undefined,
  },
  {
    id: "shiftGrace",
    event: { type: "shiftGrace.expired" },
    endsAccess: true,
    due: (context) => (isEnrolled(context) ? offShiftFrom(context) : undefined),
  },
  {
    id: "retry",
    event: { type: "checkin.retryDue" },
    endsAccess: false,
    due: (context) => context.retryAt,
  },
];

function sinceCheckin(context: SessionContext, limitMs: number | null): number | undefined {
  return limitMs !== null && context.lastCheckinAt !== undefined && isEnrolled(context)
    ? context.lastCheckinAt + limitMs
    : undefined;
}

/** Field by field: objects that are spread, or lose a field, have shapes of their own and are slow from then on. */
export function copyOf(timers: Readonly<Record<string, number>>, butOne?: string): Record<string, number> {
  const copy: Record<string, number> = {};
  for (const id in timers) if (id !== butOne) copy[id] = timers[id] as number;
  return copy;
}
