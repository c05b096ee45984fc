/** An operator's decision on a session that was set aside: it goes on, or it is given up and opens nothing. */
import type { Effect } from "./effects/catalogue.js";
import type { SessionEventOf } from "./events/catalogue.js";
import { move } from "./move.js";
import type { Rules } from "./policy/rules.js";
import type { ChartRunner } from "./session/chart-runner.js";
import { KEPT_WHEN_GIVEN_UP, type SessionFacts, inOneShape, newFacts } from "./session/context.js";
import { SIGN_OUT_MESSAGES } from "./session/effect-data.js";
import { type Session, contextAt, storedFacts } from "./session/session.js";
import { type InForce, type Occurrence, type Step, notApplied, recordOf } from "./step-record.js";

/** What was recorded of the session meanwhile is taken in afterwards, by the caller. */
export function decideQuarantine(
  session: Session,
  occurrence: Occurrence & { readonly event: SessionEventOf<"quarantine.lifted" | "quarantine.dropped"> },
  inForce: InForce,
  chart: ChartRunner,
): Step {
  const { event, at } = occurrence;
  if (session.quarantine === undefined) {
    return notApplied(session, occurrence, inForce, "ignored", "the session is not quarantined");
  }
  if (event.upTo !== session.lastRecord) {
    return notApplied(session, occurrence, inForce, "stale", "more was recorded since somebody looked");
  }
  const { quarantine, ...free } = session;
  const revision = session.revision + 1;
  const asOf = quarantine.since?.asOf ?? quarantine.at;
  const { rules } = inForce;
  if (event.type === "quarantine.lifted") {
    const made = { outcome: "applied", to: session.state, revision, effects: [] } as const;
    return { session: { ...free, revision, asOf }, record: recordOf(session, { event, at }, inForce, made) };
  }
  const { facts, effects } = givenUp({ ...free, asOf }, event, { rules, chart }, at);
  const { changed } = storedFacts(session.facts, facts);
  const made = { outcome: "applied", to: "signedOut", revision, changed, effects } as const;
  return {
    session: { ...free, state: "signedOut", facts, timers: {}, rulesHash: rules.hash, revision, asOf },
    record: recordOf(session, { event, at }, inForce, made),
  };
}

/** Of what the session knew only what stands against it is left, so that giving it up opens nothing. */
function givenUp(
  session: Session,
  event: SessionEventOf<"quarantine.dropped">,
  { rules, chart }: { readonly rules: Rules; readonly chart: ChartRunner },
  at: number,
): { readonly facts: Readonly<SessionFacts>; readonly effects: readonly Effect[] } {
  const kept = Object.fromEntries(KEPT_WHEN_GIVEN_UP.map((fact) => [fact, session.facts[fact]]));
  const facts = newFacts({ ...kept, platform: session.facts.platform, enrollment: "none" });
  try {
    const clean: Session = { ...session, state: "unenrolled.checking", facts, timers: {} };
    const { context, effects } = move(chart, clean.state, contextAt(clean, rules, at), event);
    return { facts: inOneShape(context, undefined), effects };
  } catch {
    // What set the session aside may be the chart or the rules themselves; they must not keep it.
    const data = { reason: "givenUp", messageKey: SIGN_OUT_MESSAGES.givenUp } as const;
    return { facts: { ...facts, signOutReason: "givenUp" }, effects: [{ type: "signOut", data }] };
  }
}
