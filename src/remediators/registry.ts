/** Which code remediates which cause. Modules that the worker loads at its start register it. */
import { CAUSES, type Cause } from "../../machines/policy/causes.js";
import { REMEDIATION_STATUSES } from "../../machines/events/remediation.js";
import { z } from "zod";

export { CAUSES, type Cause };

/** What an attempt is about. */
export interface RemediationRequest {
  readonly tenant: string;
  readonly device: string;
  readonly user: string;
  readonly app: string;
  readonly cause: Cause;
  /** Names the session's attempt. */
  readonly attemptId: string;
  /** The person must not notice. */
  readonly silent: boolean;
  /** Which run of the handler this is, from 1. */
  readonly run: number;
  /** Fires when the time is over or the worker ends: what the handler waits for should end then. */
  readonly signal: AbortSignal;
}

export const RemediationResult = z.strictObject({
  status: z.enum(REMEDIATION_STATUSES),
  restarted: z.boolean().optional(),
});
/** What was found: as the data of `remediation.completed`, without the attempt. */
export type RemediationResult = z.infer<typeof RemediationResult>;

export type RemediationHandler = (request: RemediationRequest) => Promise<RemediationResult> | RemediationResult;

export interface RemediatorOptions {
  /** How long one run may take, ms, up to 10 minutes. Default 30 s. */
  readonly timeoutMs?: number;
  /** Runs until the attempt counts as failed, 1–10. Default 3. */
  readonly attempts?: number;
}

export interface Remediator {
  readonly handler: RemediationHandler;
  readonly timeoutMs: number;
  readonly attempts: number;
}

export const LONGEST_TIMEOUT_MS = 600_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const MOST_ATTEMPTS = 10;
const DEFAULT_ATTEMPTS = 3;

export class RemediatorRegistry {
  readonly #byCause = new Map<Cause, Remediator>();

  get isEmpty(): boolean {
    return this.#byCause.size === 0;
  }

  get causes(): readonly Cause[] {
    return [...this.#byCause.keys()];
  }

  find(cause: Cause): Remediator | undefined {
    return this.#byCause.get(cause);
  }

  /** @throws RangeError as {@link registerRemediator} */
  register(
    cause: Cause,
    handler: RemediationHandler,
    { timeoutMs = DEFAULT_TIMEOUT_MS, attempts = DEFAULT_ATTEMPTS }: RemediatorOptions = {},
  ): void {
    if (!CAUSES.includes(cause)) throw new RangeError(`${JSON.stringify(cause)} is no cause: ${CAUSES.join(", ")}`);
    if (this.#byCause.has(cause)) throw new RangeError(`a remediator for ${cause} is registered already`);
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > LONGEST_TIMEOUT_MS)
      throw new RangeError(`timeoutMs must be a whole number from 1 to ${LONGEST_TIMEOUT_MS}, not ${timeoutMs}`);
    if (!Number.isInteger(attempts) || attempts < 1 || attempts > MOST_ATTEMPTS)
      throw new RangeError(`attempts must be a whole number from 1 to ${MOST_ATTEMPTS}, not ${attempts}`);
    this.#byCause.set(cause, { handler, timeoutMs, attempts });
  }
}
