/** Stands where an operator's OpenTelemetry SDK would: keeps the spans that have ended. */
import {
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  ROOT_CONTEXT,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { randomBytes } from "node:crypto";

export interface RecordedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Absent: it begins a trace. */
  readonly parentId: string | undefined;
  readonly attributes: Attributes;
  readonly status: SpanStatusCode;
}

export class SpanRecorder {
  readonly ended: RecordedSpan[] = [];

  /** For the whole process. */
  register(): void {
    trace.setGlobalTracerProvider({
      getTracer: () => ({
        startSpan: (name, options, context) => this.#start(name, options, context),
        startActiveSpan: () => {
          throw new Error("nobody calls it");
        },
      }),
    });
  }

  unregister(): void {
    trace.disable();
  }

  find(name: string): RecordedSpan | undefined {
    return this.ended.find((span) => span.name === name);
  }

  #start(name: string, { attributes = {} }: SpanOptions = {}, context: Context = ROOT_CONTEXT): Span {
    const parent = trace.getSpanContext(context);
    const own: SpanContext = {
      traceId: parent?.traceId ?? randomBytes(16).toString("hex"),
      spanId: randomBytes(8).toString("hex"),
      traceFlags: TraceFlags.SAMPLED,
    };
    const told: Attributes = { ...attributes };
    let status: SpanStatus = { code: SpanStatusCode.UNSET };
    const span: Span = {
      spanContext: () => own,
      setAttribute: (key, value) => {
        told[key] = value;
        return span;
      },
      setAttributes: (more) => {
        Object.assign(told, more);
        return span;
      },
      setStatus: (given) => {
        status = given;
        return span;
      },
      addEvent: () => span,
      addLink: () => span,
      addLinks: () => span,
      updateName: () => span,
      recordException: () => undefined,
      isRecording: () => true,
      end: () => {
        const { traceId, spanId } = own;
        this.ended.push({ name, traceId, spanId, parentId: parent?.spanId, attributes: told, status: status.code });
      },
    };
    return span;
  }
}
