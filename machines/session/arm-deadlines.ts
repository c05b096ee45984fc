/**
 * Arming deadlines, as one action of the chart: of the `raise` and `cancel` actions below it picks those that the facts and rules
 * call for. XState's `enqueueActions` picks in the same way, but builds a dozen functions a call, and this runs at nearly
 * every step: it took a sixth of the fold's time and most of its garbage. So this speaks the protocol of XState's own actions
 * (`resolve` answers with the actions to go on with); a test holds the result equal to XState's `transition()`.
 */
import { cancel, raise } from "xstate";
import type { SessionEvent } from "../events/catalogue.js";
import type { SessionContext } from "./context.js";
import { DEADLINES } from "./deadlines.js";

const TIMERS = DEADLINES.map(({ id, event, due }) => ({
  id,
  due,
  arm: raise<SessionContext, SessionEvent, SessionEvent, undefined, never, never>(event, {
    id,
    delay: ({ context }) => (due(context) ?? context.step.now) - context.step.now,
  }),
  callOff: cancel<SessionContext, SessionEvent, undefined, SessionEvent>(id),
}));

type Picked = (typeof TIMERS)[number]["arm" | "callOff"];

/** What is armed rightly stays as it is. A deadline that has passed was judged by the ladder just now, and is not armed. */
function wanted(context: SessionContext): readonly Picked[] | undefined {
  const { armed, now } = context.step;
  let picked: Picked[] | undefined;
  for (const { id, due, arm, callOff } of TIMERS) {
    const dueAt = due(context);
    const wantedAt = dueAt !== undefined && dueAt > now ? dueAt : undefined;
    if (wantedAt !== armed[id]) (picked ??= []).push(wantedAt === undefined ? callOff : arm);
  }
  return picked;
}

/** An action that goes on with those that `pick` names. */
function picking(pick: (context: SessionContext) => readonly Picked[] | undefined) {
  return Object.assign(() => {}, {
    resolve: (_scope: unknown, snapshot: unknown, { context }: { readonly context: SessionContext }) => [
      snapshot,
      undefined,
      pick(context),
    ],
  });
}

export const armDeadlines = picking(wanted);

const ALL_OFF: readonly Picked[] = TIMERS.map(({ callOff }) => callOff);

export const disarmDeadlines = picking(() => ALL_OFF);
