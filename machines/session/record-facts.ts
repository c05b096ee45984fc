/**
 * What an event says becomes the session's facts: the chart's `assign`, spoken in the protocol of XState's own actions as
 * `arm-deadlines.ts` does. It runs at nearly every step, and XState's copies facts one by one into an object of another shape, which
 * everything that reads them pays for. A test holds the result equal to XState's `assign`.
 */
import type { SessionEvent } from "../events/catalogue.js";
import { type SessionContext, inOneShape } from "./context.js";
import { factsOf } from "./facts.js";

interface Asked {
  readonly context: SessionContext;
  readonly event: SessionEvent;
}

export const recordFacts = Object.assign(() => {}, {
  resolve: (_scope: unknown, snapshot: { readonly context: SessionContext }, { context, event }: Asked) => {
    const changes = factsOf(context, event);
    const recorded = inOneShape(context, context.step);
    for (const fact in changes) (recorded as Record<string, unknown>)[fact] = changes[fact as keyof typeof changes];
    return [{ ...snapshot, context: recorded }, undefined, undefined];
  },
});
