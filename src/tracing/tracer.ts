/** Who makes the spans: the OpenTelemetry SDK that the operator registered, or, by default, nobody. */
import { ProxyTracerProvider, trace } from "@opentelemetry/api";

const NAME = "gatehouse";

/** Without an SDK a span is nothing but its parent's place in the trace. */
export const tracer = trace.getTracer(NAME);

/** Whether an SDK is registered. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(NAME) !== undefined;
}
