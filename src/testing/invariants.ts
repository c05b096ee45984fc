/**
 * What holds of every session, whatever happens to it: ready to be asked of a specification, or of many that were made by chance.
 */
import type { JournalRecord } from "../../machines/outcome.js";
import { stateName } from "../../machines/session/context.js";
import type { Scenario } from "./scenario.js";

/** One thing that always holds. */
export interface Invariant {
  readonly name: string;
  /** @returns what breaks it, as a sentence; nothing, where it holds */
  readonly brokenBy: (scenario: Scenario) => string | undefined;
}

/** What never follows in a wipe: whoever is merely out of contact or no longer managed keeps the data, until somebody asks for it. */
const NEVER_WIPES: ReadonlySet<string> = new Set([
  "license.revoked",
  "membership.changed",
  "assignment.changed",
  "policy.removed",
  "offlineGrace.expired",
  "offlineWipe.due",
  "connectivity.lost",
]);

/** Records that break it, told by their number and event. */
function first(
  records: readonly JournalRecord[],
  breaks: (record: JournalRecord) => string | false,
): string | undefined {
  for (const record of records) {
    const how = breaks(record);
    if (how !== false) return `record ${record.seq}, ${record.event.type}: ${how}`;
  }
  return undefined;
}

export const INVARIANTS: readonly Invariant[] = [
  {
    name: "corporate data is open in `active`, or to an account that no policy binds, and nowhere else",
    brokenBy: ({ decision: { decision, state } }) =>
      decision === "allow" && state !== "active" && state !== "unenrolled.unmanaged"
        ? `allowed in ${state}`
        : undefined,
  },
  {
    name: "a session that ended begins again by a sign-in alone",
    brokenBy: ({ history }) =>
      first(history, ({ from, to, event }) =>
        from === "signedOut" && to !== "signedOut" && event.type !== "account.signedIn"
          ? `left signedOut for ${to}`
          : false,
      ),
  },
  {
    name: "a missed check-in, a lost license and lost management never wipe",
    brokenBy: ({ history }) =>
      first(history, ({ event, effects }) =>
        NEVER_WIPES.has(event.type) && effects.some(({ type }) => type === "wipe") ? "wiped" : false,
      ),
  },
  {
    name: "whom no policy covers, or who has no license, is never asked for a PIN",
    brokenBy: (scenario) => {
      const { state } = scenario.decision;
      if (state !== "pinSetup" && state !== "locked") return undefined;
      const isFree = scenario.rules.policies.length === 0 || scenario.session.facts.licensed === false;
      return isFree ? `is in ${state}` : undefined;
    },
  },
  {
    name: "at most one remediation attempt runs, and an answer to another changes nothing",
    brokenBy: ({ history }) => {
      let current: string | undefined;
      return first(history, ({ event, effects, from, to }) => {
        const late = event.type === "remediation.completed" && event.attemptId !== current;
        const attempts = effects.flatMap((one) => (one.type === "remediate" ? [one.data.attemptId] : []));
        if (late && (from !== to || effects.length > 0)) return `an answer to ${event.attemptId} while ${current} ran`;
        if (attempts.length > 1) return `${attempts.length} attempts at once`;
        current = to === "remediating.attempt" ? (attempts[0] ?? current) : undefined;
        return false;
      });
    },
  },
  {
    name: "who is signed out is told why, with a message",
    brokenBy: ({ history }) =>
      first(history, ({ from, to, effects }) => {
        if (from === undefined || to !== "signedOut" || from === "signedOut") return false;
        return effects.some(
          (one) => one.type === "signOut" && one.data.reason !== undefined && one.data.messageKey !== undefined,
        )
          ? false
          : "signed out without a reason";
      }),
  },
  {
    name: "an event that was not applied moves nothing and has no effect, and its record says why",
    brokenBy: ({ history }) =>
      first(history, ({ outcome, reason, from, to, effects }) =>
        outcome !== "applied" && (from !== to || effects.length > 0 || reason === undefined)
          ? `${outcome}, and yet`
          : false,
      ),
  },
  {
    name: "access that is taken away is told: entering any state but `active` blocks, unless no policy binds the account",
    brokenBy: ({ history }) =>
      first(history, ({ from, to, effects }) =>
        from !== undefined &&
        to !== undefined &&
        stateName(from) === "active" &&
        stateName(to) !== "active" &&
        !effects.some(({ type }) => type === "blockAccess" || type === "allowUnmanaged")
          ? `left active for ${to} without blockAccess`
          : false,
      ),
  },
  {
    name: "time never goes back in a session's records",
    brokenBy: ({ history }) => {
      let last = 0;
      return first(history, ({ at }) => {
        if (at < last) return `${last - at} ms before the record before`;
        last = at;
        return false;
      });
    },
  },
];

/**
 * Invariants that a specification breaks, each with what breaks it: none, if all is well.
 *
 * @example
 * fc.assert(fc.property(sessionHistory(), (history) => {
 *   expect(brokenInvariants(givenSession(rules(), ...history))).toEqual([]);
 * }));
 */
export function brokenInvariants(scenario: Scenario): readonly string[] {
  return INVARIANTS.flatMap(({ name, brokenBy }) => {
    const how = brokenBy(scenario);
    return how === undefined ? [] : [`${name}: ${how}`];
  });
}
