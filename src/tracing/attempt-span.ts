/** The span of one attempt to deliver an effect: the last in the trace of the event that it follows from. */
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import type { AttemptOutcome } from "../effects/receiver.js";
import type { EffectMessage } from "../store/partition-view.js";
import { type TraceParent, contextOf, traceParentOf } from "./trace-parent.js";
import { tracer } from "./tracer.js";

/** @param attempt is told where the trace goes on; `undefined`: the effect belongs to none */
export async function tracedAttempt(
  { type, kind, traceparent }: EffectMessage,
  receiver: "remediator" | "webhook",
  attempt: (traceparent: TraceParent | undefined) => Promise<AttemptOutcome>,
): Promise<AttemptOutcome> {
  if (traceparent === undefined) return attempt(undefined);
  const before = contextOf(traceparent);
  const attributes = {
    "gatehouse.effect.type": type,
    "gatehouse.effect.kind": kind,
    "gatehouse.receiver": receiver,
  };
  const span = tracer.startSpan(`deliver ${type}`, { kind: SpanKind.CLIENT, attributes }, before);
  try {
    // What a remediator does is part of the trace, too.
    const result = await context.with(trace.setSpan(before, span), attempt, undefined, traceParentOf(span));
    const { status, why } = result.attempt;
    span.setAttribute("gatehouse.outcome", result.outcome);
    if (status !== undefined) span.setAttribute("http.response.status_code", status);
    if (why !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: why });
    return result;
  } finally {
    span.end();
  }
}
