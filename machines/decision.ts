/**
 * The answer to the one question: may this user, on this device, open corporate data now, and if not, why not and what should
 * the person do? Whatever is not known to be allowed is denied.
 */
import { type MessageData, type MessageKey, type MessageTexts, messageText } from "./effects/messages.js";
import type { Rules } from "./policy/rules.js";
import { type SessionContext, type StatePath, stateName } from "./session/context.js";
import { DEADLINES } from "./session/deadlines.js";
import { SIGN_OUT_MESSAGES, blockedNotice } from "./session/effect-data.js";
import {
  accessIsHeld,
  credentialsReason,
  deviceVerdictIsAwaited,
  pinProofIsMissing,
  pinSetupReason,
  postureIsUnknown,
  standingCauses,
} from "./session/ladder.js";
import { type Session, type SessionId, contextAt } from "./session/session.js";

export interface Decision {
  readonly session: SessionId;
  /** `challenge`: a PIN, a new PIN or work credentials are due, and will open the way. */
  readonly decision: "allow" | "challenge" | "deny";
  /** Absent: there is no such session, or it can't be read. */
  readonly state?: StatePath;
  /** Stable codes, the ruling one first; documented in docs/decisions.md. */
  readonly reasons: readonly string[];
  /** What to tell the person. */
  readonly message: { readonly key: MessageKey; readonly text: string };
  /** The session's revision that this follows from; 0 without a session. */
  readonly revision: number;
  /** The decision was made as of this time, epoch ms. */
  readonly asOf: number;
  /** The earliest deadline that could end this access by itself, epoch ms; `null`: none is armed. Nothing outlives it. */
  readonly validUntil: number | null;
}

/**
 * Decides for a session that was advanced to `now` under `rules`.
 * @param texts the tenant's own, in the language of the person
 */
export function decide(session: Session, rules: Rules, now: number, texts: MessageTexts = {}): Decision {
  const answer = (
    decision: Decision["decision"],
    reasons: readonly string[],
    key: MessageKey,
    data?: MessageData,
  ): Decision => ({
    session: session.id,
    decision,
    state: session.state,
    reasons,
    message: { key, text: messageText(key, data, texts) },
    revision: session.revision,
    asOf: now,
    validUntil: decision === "allow" ? validUntil(session) : null,
  });

  if (session.quarantine !== undefined) return answer("deny", ["session.quarantined"], "quarantined");
  const context = contextAt(session, rules, now);
  switch (stateName(session.state)) {
    case "active": {
      const until = validUntil(session);
      return until !== null && now >= until
        ? answer("deny", ["access.expired"], "tryLater")
        : answer("allow", ["access.granted"], "accessGranted");
    }
    case "unenrolled":
      if (session.state === "unenrolled.unmanaged") return answer("allow", ["unmanaged"], "unmanaged");
      if (accessIsHeld(context)) {
        return deviceVerdictIsAwaited(context)
          ? answer("deny", ["deviceCompliance.unknown"], "deviceUnknown")
          : answer("challenge", credentialsReasons(context), "credentialsEnter");
      }
      if (rules.membershipUnknown) return answer("deny", ["membership.unknown"], "membershipUnknown");
      return session.state === "unenrolled.held"
        ? answer("deny", ["enrollment.held"], context.held === "authorization" ? "signInToManage" : "tryLater")
        : answer("deny", ["enrollment.checking"], "checking");
    case "pinSetup": {
      const why = pinSetupReason(context) ?? "missing";
      const reasons = [`pin.setup.${why}`, ...credentialsReasons(context)];
      return why === "missing"
        ? answer("challenge", reasons, "pinSetup", { rules: pinRulesText(rules) })
        : answer("challenge", reasons, `pinReset.${why}`);
    }
    case "locked": {
      if (postureIsUnknown(context)) return answer("deny", ["posture.unknown"], "deviceUnknown");
      if (deviceVerdictIsAwaited(context)) return answer("deny", ["deviceCompliance.unknown"], "deviceUnknown");
      const pinIsDue = pinProofIsMissing(context);
      return answer(
        "challenge",
        [...(pinIsDue ? ["pin.required"] : []), ...credentialsReasons(context)],
        pinIsDue ? "pinEnter" : "credentialsEnter",
      );
    }
    case "noncompliant": {
      const { key, data } = blockedNotice(context);
      const others = standingCauses(context).filter((cause) => cause !== context.cause);
      return answer(
        "deny",
        [context.cause, ...others].map((cause) => `noncompliant.${cause}`),
        key,
        data,
      );
    }
    case "remediating":
      return answer(
        "deny",
        ["remediating", ...(context.cause ? [`noncompliant.${context.cause}`] : [])],
        "remediating",
      );
    case "signedOut": {
      const reason = context.signOutReason ?? "adminForced";
      return answer("deny", [`signedOut.${reason}`], SIGN_OUT_MESSAGES[reason]);
    }
  }
}

/** The decision when there is nothing to decide on. Never `allow`. */
export function denyWithout(
  session: SessionId,
  reason: "session.unknown" | "snapshot.unreadable" | "store.unavailable" | "session.quarantined" | "events.lost",
  now: number,
): Decision {
  const key: MessageKey = reason === "session.unknown" ? "signInToManage" : "tryLater";
  return {
    session,
    decision: "deny",
    reasons: [reason],
    message: { key, text: messageText(key) },
    revision: 0,
    asOf: now,
    validUntil: null,
  };
}

function validUntil({ timers }: Session): number | null {
  let until: number | null = null;
  for (const { id, endsAccess } of DEADLINES) {
    const due = timers[id];
    if (endsAccess && due !== undefined && (until === null || due < until)) until = due;
  }
  return until;
}

function credentialsReasons(context: SessionContext): readonly string[] {
  const why = credentialsReason(context);
  return why === undefined ? [] : [`credentials.${why}`];
}

/** The rules for a PIN, in words. */
export function pinRulesText({ pin }: Rules): string {
  if (pin === null) return "any";
  const kind = pin.kind === "numeric" ? "digits only" : "with a letter or a symbol";
  return [
    `at least ${pin.minLength} characters`,
    kind,
    ...(pin.simpleBlocked ? ["no runs or repeats"] : []),
    ...(pin.historyCount > 0 ? [`not one of your last ${pin.historyCount}`] : []),
  ].join(", ");
}
