/** The spans of one append: for each event the time from here to the store's answer. What follows from the event goes on from it. */
import { type Span, SpanKind, SpanStatusCode, context } from "@opentelemetry/api";
import type { AcceptedEvent } from "../ingest/accept.js";
import { type TraceParent, contextOf, traceParentOf } from "./trace-parent.js";
import { isTracing, tracer } from "./tracer.js";

export class AcceptSpans {
  private readonly isTracing = isTracing();
  /** In the events' order; `undefined`: the event belongs to no trace. */
  private readonly spans: (Span | undefined)[] = [];

  constructor(private readonly partition: number) {}

  /** @returns what is to be stored with the event; `undefined`: it belongs to no trace */
  begin({ event, traceparent }: AcceptedEvent): TraceParent | undefined {
    if (traceparent === undefined && !this.isTracing) {
      this.spans.push(undefined);
      return undefined;
    }
    const span = tracer.startSpan(
      `accept ${event.type}`,
      {
        kind: SpanKind.CONSUMER,
        attributes: { "gatehouse.event.type": event.type, "gatehouse.partition": this.partition },
      },
      traceparent === undefined ? context.active() : contextOf(traceparent),
    );
    this.spans.push(span);
    return traceParentOf(span);
  }

  /** @param outcomes what became of the events, in their order */
  end(outcomes: readonly string[]): void {
    this.spans.forEach((span, n) => span?.setAttribute("gatehouse.outcome", outcomes[n] ?? "").end());
  }

  /** The store did not answer. */
  fail(error: Error): void {
    for (const span of this.spans) {
      span?.setAttribute("gatehouse.outcome", "unknown");
      span?.setStatus({ code: SpanStatusCode.ERROR, message: error.message }).end();
    }
  }
}
