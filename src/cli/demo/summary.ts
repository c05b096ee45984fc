/** The day in numbers, which must add up. */
import { STATE_NAMES, stateName } from "../../../machines/session/context.js";
import { columns, count, paintOut } from "../terminal.js";
import type { FinalStates } from "./final-states.js";
import type { Played } from "./play.js";
import { type ByState, type Outcomes, entriesInto, inStates, outcomes } from "./tally.js";

export interface Summary extends Outcomes {
  readonly sent: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly conflict: number;
  readonly refused: number;
  readonly sessions: number;
  /** Sessions in each state at the end of the day. */
  readonly states: ByState;
  /** How often each state was entered. */
  readonly visited: ByState;
  /** Events processed for each second from the first one sent to the last one processed. */
  readonly eventsPerSecond: number;
  readonly seconds: number;
}

export function summarise({ totals, seconds }: Played, { sessions, counters }: FinalStates): Summary {
  const { sent, accepted, duplicate, conflict, refused } = totals;
  const states = Object.fromEntries(STATE_NAMES.map((state) => [state, 0])) as Record<keyof ByState, number>;
  for (const session of sessions) states[stateName(session.state)]++;
  return {
    sent,
    accepted,
    duplicate,
    conflict,
    refused,
    ...outcomes(counters),
    sessions: sessions.length,
    states,
    visited: entriesInto(counters),
    eventsPerSecond: Math.round(accepted / seconds),
    seconds: Math.round(seconds * 100) / 100,
  };
}

/** Sums that do not come out, each in a sentence; none if all is well. */
export function mistakes(summary: Summary, { counters }: FinalStates): string[] {
  const { sent, accepted, duplicate, conflict, refused, applied, ignored, stale, quarantined, sessions } = summary;
  const found: string[] = [];
  const check = (what: string, whole: number, parts: number) => {
    if (whole !== parts) found.push(`${what}: ${count(whole)} is not ${count(parts)}`);
  };
  check("sent = accepted + duplicate + conflict + refused", sent, accepted + duplicate + conflict + refused);
  check("accepted = applied + ignored + stale + quarantined", accepted, applied + ignored + stale + quarantined);
  const states = inStates(counters);
  for (const state of STATE_NAMES) check(`sessions counted in ${state}`, states[state], summary.states[state]);
  check(
    "sessions",
    sessions,
    Object.values(summary.states).reduce((sum, n) => sum + n, 0),
  );
  return found;
}

export function summaryLines(summary: Summary): string[] {
  const { sent, accepted, duplicate, conflict, refused, applied, ignored, stale, quarantined } = summary;
  return [
    ...equation("sent", sent, { accepted, duplicate, conflict, refused }),
    ...equation("accepted", accepted, { applied, ignored, stale, quarantined }),
    "",
    ...columns([
      ["", paintOut("dim", "at the end"), paintOut("dim", "entered"), ""],
      ...STATE_NAMES.map((state) => [
        `  ${state}`,
        count(summary.states[state]).padStart("at the end".length),
        count(summary.visited[state]).padStart("entered".length),
        "",
      ]),
      ["  sessions", count(summary.sessions).padStart("at the end".length), ""],
    ]),
    "",
    `${paintOut("bold", `${count(summary.eventsPerSecond)} events/s`)} from sending to processed and on disk, in ${summary.seconds} s`,
  ];
}

function equation(whole: string, n: number, parts: Readonly<Record<string, number>>): string[] {
  const terms = Object.entries(parts).map(([part, m]) => `${count(m)} ${part}`);
  return [`${paintOut("bold", `${count(n)} ${whole}`)} = ${terms.join(" + ")}`];
}
