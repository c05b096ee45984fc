/**
 * The remediators of this process as a receiver of `remediate` effects. What a handler finds is told like any other event, under an
 * id that follows from the effect: told twice, it counts once.
 */
import type { RedisConnection } from "../redis/connection.js";
import { sessionIdParts } from "../../machines/session/session.js";
import { DeliveryQueue } from "../effects/delivery-queue.js";
import type { Delivery } from "../effects/delivery.js";
import type { AttemptOutcome, Receiver } from "../effects/receiver.js";
import { type IngestTarget, ingest } from "../ingest/ingest.js";
import type { Logger } from "../log.js";
import { type LookTarget, look } from "../sessions/look.js";
import type { EffectMessage } from "../store/partition-view.js";
import { tracedAttempt } from "../tracing/attempt-span.js";
import type { TraceParent } from "../tracing/trace-parent.js";
import {
  LONGEST_TIMEOUT_MS,
  type RemediationRequest,
  RemediationResult,
  type Remediator,
  type RemediatorRegistry,
} from "./registry.js";

/** Of the queue, beside those of webhook endpoints. */
export const REMEDIATORS = "remediators";
export const REMEDIATION_SOURCE = "/gatehouse/remediators";

const CONCURRENCY = { first: 8, most: 8 };
/** Between two runs of a handler, ms. */
const RUN_PAUSES_MS = [1_000, 5_000, 15_000, 30_000];
/** Before what was found is told again, ms. */
const TELL_PAUSE_MS = 2_000;
/** Where the worker ends in the middle of a run. */
const STOPPED = "the worker ended";

export interface RemediationOptions {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly registry: RemediatorRegistry;
  readonly target: IngestTarget & LookTarget;
  readonly log: Logger;
  /** Before the next run of a handler, ms, by the runs so far; by default 1 s, 5 s, 15 s, then 30 s. */
  readonly runPauseMs?: (runs: number) => number;
}

/** Whether a remediator may have something to do. */
export const isForRemediators = ({ type }: EffectMessage): boolean => type === "remediate";

export function remediationReceiver(options: RemediationOptions): Receiver {
  return {
    queue: new DeliveryQueue(options.redis, options.prefix, REMEDIATORS),
    // Each cause has a handler of its own: that one fails says nothing of the others.
    breaker: { openAfter: Number.MAX_SAFE_INTEGER, pauseMs: 0, longestPauseMs: 0 },
    concurrency: CONCURRENCY,
    visibleAfterMs: 2 * LONGEST_TIMEOUT_MS,
    isReady: async () => !options.registry.isEmpty,
    attempt: async (delivery, stopping) =>
      tracedAttempt(delivery.effect, "remediator", async (traceparent) =>
        remediate(options, delivery, stopping, traceparent),
      ),
  };
}

async function remediate(
  options: RemediationOptions,
  delivery: Delivery,
  stopping: AbortSignal,
  traceparent: TraceParent | undefined,
): Promise<AttemptOutcome> {
  const { effect } = delivery;
  const at = Date.now();
  const begun = performance.now();
  const end = (outcome: AttemptOutcome["outcome"], why?: string, againInMs?: number): AttemptOutcome => ({
    attempt: { at, durationMs: Math.round(performance.now() - begun), ...(why !== undefined && { why }) },
    outcome,
    ...(againInMs !== undefined && { againInMs }),
  });
  try {
    const { attemptId, silent } = effect.data as { attemptId: string; silent: boolean };
    const seen = await look(options.target, effect.session);
    const facts = seen.session === undefined || "unreadable" in seen.session ? undefined : seen.session.facts;
    const { cause } = facts ?? {};
    // An answer to an attempt that is over would change nothing.
    if (cause === undefined || facts?.remediation?.attemptId !== attemptId) return end("delivered");
    const remediator = options.registry.find(cause);
    if (remediator === undefined) return end("delivered");

    const run = delivery.tried + 1;
    const found = await runOnce(
      remediator,
      { ...sessionIdParts(effect.session), cause, attemptId, silent, run },
      stopping,
    );
    if ("why" in found && found.why === STOPPED) return end("later", found.why, 0);
    if ("why" in found && run < remediator.attempts) {
      const pauseMs = options.runPauseMs?.(run) ?? RUN_PAUSES_MS[run - 1] ?? RUN_PAUSES_MS.at(-1);
      return end("retry", found.why, pauseMs);
    }
    const result: RemediationResult = "why" in found ? { status: "SERVICE_FAILURE" } : found.result;
    const isEventClock = options.target.store.deployment.clock === "event";
    const time = isEventClock ? seen.now : Date.now();
    const told = await tell(options.target, effect, attemptId, result, { time, traceparent });
    if (!told) return end("later", "what was found could not be told yet", TELL_PAUSE_MS);
    return "why" in found ? end("spent", found.why) : end("delivered");
  } catch (error) {
    options.log.warn({ err: error, session: effect.session }, "a remediation could not be begun or told; trying again");
    return end("later", "the store did not answer", TELL_PAUSE_MS);
  }
}

type Asked = Omit<RemediationRequest, "signal">;

/** What the handler found, or why that is nothing. Its own words stay out: they may hold anything. */
async function runOnce(
  { handler, timeoutMs }: Remediator,
  asked: Asked,
  stopping: AbortSignal,
): Promise<{ readonly result: RemediationResult } | { readonly why: string }> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([timeout, stopping]);
  const over = new Promise<{ why: string }>((resolve) => {
    signal.addEventListener("abort", () =>
      resolve({ why: stopping.aborted ? STOPPED : `no result within ${timeoutMs} ms` }),
    );
  });
  const handled = (async () => handler({ ...asked, signal }))().then(
    (answer: unknown) => {
      const result = RemediationResult.safeParse(answer);
      return result.success ? { result: result.data } : { why: "what the handler returned is no result" };
    },
    (error: unknown) => ({ why: `the handler failed (${error instanceof Error ? error.name : typeof error})` }),
  );
  return Promise.race([handled, over]);
}

/** @returns whether it is in the inbox, from now or from before */
async function tell(
  target: IngestTarget,
  { id, session }: EffectMessage,
  attemptId: string,
  { status, restarted }: RemediationResult,
  { time, traceparent }: { readonly time: number; readonly traceparent: TraceParent | undefined },
): Promise<boolean> {
  const { tenant, device, user, app } = sessionIdParts(session);
  const { results } = await ingest(target, tenant, [
    {
      specversion: "1.0",
      id,
      source: REMEDIATION_SOURCE,
      type: "remediation.completed",
      subject: `${device}/${user}/${app}`,
      time: new Date(time).toISOString(),
      data: { status, attemptId, ...(restarted !== undefined && { restarted }) },
      ...(traceparent !== undefined && { traceparent }),
    },
  ]);
  const answer = results[0]?.status;
  // In conflict with it stands what an earlier run told of the same attempt.
  return answer === "accepted" || answer === "duplicate" || answer === "conflict";
}
