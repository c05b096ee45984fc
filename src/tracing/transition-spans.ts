/** The spans of one batch: for each event that belongs to a trace the time from its fold to the commit. Its effects go on from it. */
import { type Span, SpanKind } from "@opentelemetry/api";
import type { JournalRecord } from "../../machines/outcome.js";
import { stateName } from "../../machines/session/context.js";
import type { EntryId } from "../store/partition-store.js";
import { type TraceParent, contextOf, traceParentOf } from "./trace-parent.js";
import { tracer } from "./tracer.js";

export class TransitionSpans {
  /** By the record's number. */
  private readonly spans = new Map<number, Span>();

  /**
   * @param traces by inbox entry
   * @param begunAt when the fold began, epoch ms
   */
  constructor(
    traces: ReadonlyMap<EntryId, TraceParent>,
    { partition, begunAt }: { readonly partition: number; readonly begunAt: number },
    records: readonly JournalRecord[],
  ) {
    if (traces.size === 0) return;
    for (const { seq, origin, event, outcome, from, to } of records) {
      const traceparent = origin && traces.get(origin.entry);
      if (traceparent === undefined) continue;
      const attributes = {
        "gatehouse.event.type": event.type,
        "gatehouse.partition": partition,
        "gatehouse.outcome": outcome,
        ...(from !== undefined && { "gatehouse.from": stateName(from) }),
        ...(to !== undefined && { "gatehouse.to": stateName(to) }),
      };
      const options = { kind: SpanKind.INTERNAL, startTime: begunAt, attributes };
      this.spans.set(seq, tracer.startSpan(`transition ${event.type}`, options, contextOf(traceparent)));
    }
  }

  /** Where an effect's trace goes on. @param id as in the outbox, `<seq>-<n>` */
  readonly ofEffect = (id: string): TraceParent | undefined => {
    if (this.spans.size === 0) return undefined;
    const span = this.spans.get(Number.parseInt(id, 10));
    return span && traceParentOf(span);
  };

  /** They are committed. Of a batch that another worker was faster with, nothing is told: what never ends is not exported. */
  end(): void {
    for (const span of this.spans.values()) span.end();
  }
}
