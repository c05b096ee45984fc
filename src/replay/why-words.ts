/** Why a session is where it is, in a sentence for whoever is on call. */
import { stateName } from "../../machines/session/context.js";
import { CAUSE_WORDS, eventWords } from "../sessions/plain-words.js";
import type { Counterfactual, Why } from "./why-session.js";

/** How moments and spans are written. */
export interface Clock {
  readonly time: (ms: number) => string;
  readonly span: (ms: number) => string;
}

/** `Signed out at 10:14 because remediation of the OS version failed three times; policy "Level 2" asks for 17.1 or newer, the device reported 16.7.` */
export function headline(why: Why, clock: Clock): string {
  const { state, since, decision } = why;
  const at = clock.time(since);
  switch (stateName(state)) {
    case "signedOut":
      return `Signed out at ${at} because ${signOutWords(why, clock)}${policyWords(why)}.`;
    case "noncompliant":
      return `Blocked since ${at} because of ${causeWords(why, clock)}${policyWords(why)}.`;
    case "remediating":
      return `Being remediated since ${at} because of ${causeWords(why, clock)}${policyWords(why)}.`;
    case "locked":
      return `Locked since ${at}: ${byWords(why)}; asked for: ${decision.reasons.join(", ")}.`;
    case "pinSetup":
      return `A PIN must be chosen since ${at}: ${byWords(why)} (${decision.reasons.join(", ")}).`;
    case "active":
      return `Has access since ${at}: ${byWords(why)}.`;
    case "unenrolled":
      return decision.decision === "allow"
        ? `Not managed since ${at}: ${byWords(why)}.`
        : `Waits for its policy since ${at}: ${byWords(why)} (${decision.reasons.join(", ")}).`;
  }
}

function byWords({ by }: Why): string {
  return by === undefined ? "nothing moved it since it began" : eventWords(by.event);
}

const causeName = ({ cause }: Why): string => (cause === undefined ? "its compliance" : CAUSE_WORDS[cause]);

function causeWords(why: Why, { time, span }: Clock): string {
  const { cause, lastCheckinAt, rules, by } = why;
  const limit = cause === "offlineWipeDue" ? rules.offline.wipeAfterMs : rules.offline.blockAfterMs;
  if ((cause === "offlineGrace" || cause === "offlineWipeDue") && lastCheckinAt !== undefined && limit !== null) {
    return `${CAUSE_WORDS[cause]}: the last check-in was at ${time(lastCheckinAt)}, and ${span(limit)} are allowed`;
  }
  return by === undefined ? causeName(why) : `${causeName(why)} (${eventWords(by.event)})`;
}

function signOutWords(why: Why, clock: Clock): string {
  const { by, failedAttempts, rules, lastCheckinAt } = why;
  switch (why.signOutReason) {
    case "userInitiated":
      return "the person signed out";
    case "accountRemoved":
      return "the account was removed from the app";
    case "wipeRequested":
      return "an administrator asked to remove the organisation's data";
    case "wiped":
      return `${causeName(why)} asks for the organisation's data to be removed`;
    case "pinAttempts":
      return by?.event.type === "pin.rejected"
        ? `a wrong PIN was entered ${times(by.event.failedAttempts)}`
        : "a wrong PIN was entered too often";
    case "offlineWipe":
      return lastCheckinAt === undefined || rules.offline.wipeAfterMs === null
        ? "the app did not check in for too long"
        : `the app last checked in at ${clock.time(lastCheckinAt)}, and ${clock.span(rules.offline.wipeAfterMs)} are allowed`;
    case "authFailed":
      return "signing in with the work credentials failed";
    case "remediationDisabled":
      return `${causeName(why)} is not as it must be, and remediation is off`;
    case "remediationFailed":
      return `remediation of ${causeName(why)} failed${failedAttempts === 0 ? "" : ` ${times(failedAttempts)}`}`;
    case "noncompliant":
      return `the account was out of compliance (${causeName(why)})`;
    case "caBlocked":
      return "conditional access blocks this account";
    case "accountDisabled":
      return "the directory disabled the account";
    case "accountNotAllowed":
      return "the organisation does not allow this account here";
    default:
      return by === undefined ? "it was ended" : eventWords(by.event);
  }
}

/** What the policy asks for and the device does not have. */
function policyWords({ failures, cause, rules }: Why): string {
  const failure = failures.find((one) => one.cause === cause && one.action !== "warn");
  if (failure === undefined) return "";
  const names = rules.policies.map(({ name }) => `"${name}"`);
  const asks = names.length === 1 ? `policy ${names[0]} asks` : `policies ${names.join(", ")} ask`;
  return `; ${asks} for ${failure.expected}, the device reported ${failure.actual}`;
}

const WORDS = ["never", "once", "twice", "three times", "four times", "five times"];
const times = (n: number): string => WORDS[n] ?? `${n} times`;

/** What would have kept access, as the end of "It would not have been kept out …". */
export function counterfactualWords(one: Counterfactual, { time }: Clock): string {
  const { kind, at, event, version, insteadOf } = one;
  const challenged = one.decision === "challenge" ? " (asked for a PIN or credentials)" : "";
  if (kind === "version") {
    const kept = version === 0 ? "no policy at all" : `policy version ${version}`;
    return `with ${kept}, had version ${insteadOf} not come into force at ${time(at)}${challenged}`;
  }
  if (event === undefined) return "";
  return kind === "without"
    ? `without this at ${time(at)}: ${eventWords(event)}${challenged}`
    : `with this before ${time(at)}: ${eventWords(event)}${challenged}`;
}
