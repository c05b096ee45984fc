/**
 * Where a trace goes on, as W3C Trace Context writes it. It travels with an event through the inbox and with what follows from it to the
 * receiver, whether or not this process traces anything itself.
 */
import { type Context, ROOT_CONTEXT, type Span, isSpanContextValid, trace } from "@opentelemetry/api";

/** `00-<trace>-<span>-<flags>`. */
export type TraceParent = string;

const PATTERN = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** What is of another form is no reason to refuse an event: it is traced no further. */
export const isTraceParent = (text: string | undefined): text is TraceParent =>
  text !== undefined && PATTERN.test(text);

export function contextOf(traceparent: TraceParent): Context {
  const [, traceId = "", spanId = "", flags = ""] = PATTERN.exec(traceparent) ?? [];
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
  });
}

/** `undefined`: nobody traces. */
export function traceParentOf(span: Span): TraceParent | undefined {
  const place = span.spanContext();
  if (!isSpanContextValid(place)) return undefined;
  return `00-${place.traceId}-${place.spanId}-${place.traceFlags.toString(16).padStart(2, "0")}`;
}
