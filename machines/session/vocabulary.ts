/**
 * The words the chart is written in: its guards, delays and actions. Actions either record facts or name an effect; effects are
 * data that the fold reads off the step, so nothing runs here.
 */
import { assign, setup } from "xstate";
import { EFFECTS, type EffectType, type SignOutReason } from "../effects/catalogue.js";
import type { SessionEvent } from "../events/catalogue.js";
import type { Platform } from "../policy/rules.js";
import { armDeadlines, disarmDeadlines } from "./arm-deadlines.js";
import { type PartingWipe, type SessionContext, type StepInput, isParting } from "./context.js";
import { type EffectParams, ownWipeId, shownWarnings } from "./effect-data.js";
import { guards } from "./guards.js";
import { isEnrolled, offlineWipeIsDue, proofLapsed, rulingCause, wipeCause } from "./ladder.js";
import { recordFacts } from "./record-facts.js";
import { backoffMs } from "./retry.js";

const effectActions = Object.fromEntries(
  Object.keys(EFFECTS).map((type) => [type, (_: unknown, _params: EffectParams | undefined) => {}]),
) as { [Type in EffectType]: (_: unknown, params: EffectParams | undefined) => void };

export const vocabulary = setup({
  types: {
    context: {} as SessionContext,
    events: {} as SessionEvent,
    input: {} as { platform: Platform; step: StepInput },
  },
  guards: guards as never as { [Name in keyof typeof guards]: () => boolean },
  delays: {
    attemptTimeout: ({ context }) => context.step.rules.remediation.attemptTimeoutMs,
    attemptBackoff: ({ context }) =>
      backoffMs(context.remediation?.attempts ?? 1, `${context.step.user}/${context.step.now}`),
  },
  actions: {
    ...effectActions,
    recordFacts,
    nameCause: assign(({ context }) => ({ cause: rulingCause(context) })),
    forgetCause: assign({ cause: undefined }),
    /** Unless `why` says otherwise, a condition of the rules asks for it. */
    requestWipe: assign(({ context }, { why }: { why: string | undefined }) => ({
      wipe:
        context.wipe?.status === "pending" && !isParting(context.wipe)
          ? context.wipe
          : {
              requestId: ownWipeId(context),
              scope: "app" as const,
              status: "pending" as const,
              why: why ?? wipeCause(context) ?? "requested",
            },
    })),
    /** Data that was never put there, because no policy bound the account, is not the organisation's to remove. */
    removeData: assign(({ context }, { why }: { why: PartingWipe }) =>
      context.wipe?.status === "pending" ||
      !isEnrolled(context) ||
      (why === "signedOut" && !context.step.rules.wipeOnSignOut)
        ? {}
        : { wipe: { requestId: ownWipeId(context), scope: "app" as const, status: "pending" as const, why } },
    ),
    repeatWipe: assign(({ context }) => ({ wipe: context.wipe && { ...context.wipe, status: "pending" as const } })),
    endSession: assign(({ context }, { reason }: { reason: SignOutReason }) => ({
      signOutReason: reason,
      cause: wipeCause(context) ?? rulingCause(context),
    })),
    /** The session ends because of the cause that rules. */
    endForCause: assign(({ context }) => {
      const cause = rulingCause(context);
      const named = cause === "caBlocked" || cause === "accountDisabled" || cause === "accountNotAllowed";
      return { cause, signOutReason: named ? cause : ("noncompliant" as const) };
    }),
    resetPin: assign(({ context }) => ({
      pinReset: "attempts" as const,
      authRequired: "pinReset" as const,
      pinProven: undefined,
      failedAttempts: context.failedAttempts,
    })),
    forgetManagement: assign({
      enrollment: "none",
      held: undefined,
      pinProven: undefined,
      credentialsProven: undefined,
      authRequired: undefined,
      lastCheckinAt: undefined,
      offlineWipe: undefined,
    }),
    dropProof: assign({
      pinProven: undefined,
      credentialsProven: undefined,
      authRequired: undefined,
      remediation: undefined,
    }),
    startAttempt: assign(({ context }) => {
      const attempts = (context.remediation?.attempts ?? 0) + 1;
      return {
        remediation: {
          attempts,
          attemptId: `${context.step.now.toString(36)}-${attempts}`,
          silent: context.remediation?.silent ?? true,
          clientErrors: context.remediation?.clientErrors ?? 0,
        },
      };
    }),
    recordLapses: assign(({ context }) => ({
      ...(proofLapsed(context) && { pinProven: undefined, credentialsProven: undefined }),
      ...(offlineWipeIsDue(context) && { offlineWipe: "signIn" as const }),
    })),
    endAttempt: assign(({ context }) => ({
      remediation: context.remediation && { ...context.remediation, attemptId: undefined },
    })),
    endRemediation: assign({ remediation: undefined }),
    markWarned: assign(({ context }) => ({ warned: shownWarnings(context) })),
    armDeadlines,
    disarmDeadlines,
  },
});
