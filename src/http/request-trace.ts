/** The trace that a request belongs to: events that it brings go on from there, unless they name their own. */
import { trace } from "@opentelemetry/api";
import type { Context } from "hono";
import { type TraceParent, isTraceParent, traceParentOf } from "../tracing/trace-parent.js";

/** The span around this request, where an SDK makes one, or else what the caller says in its header. */
export function requestTrace(context: Context): TraceParent | undefined {
  const span = trace.getActiveSpan();
  if (span !== undefined) return traceParentOf(span);
  const header = context.req.header("traceparent");
  return isTraceParent(header) ? header : undefined;
}

/** @param input an event as it came, which may be anything */
export function withTrace(input: unknown, traceparent: TraceParent | undefined): unknown {
  const isEvent = typeof input === "object" && input !== null && !Array.isArray(input);
  return traceparent === undefined || !isEvent || "traceparent" in input ? input : { ...input, traceparent };
}
