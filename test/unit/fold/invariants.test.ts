/** What holds for every session, whatever happens to it: the invariants, over random histories. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../../machines/decision.js";
import { EFFECTS } from "../../../machines/effects/catalogue.js";
import { EVENTS } from "../../../machines/events/catalogue.js";
import { foldBatch } from "../../../machines/fold-batch.js";
import { storedPinViolations } from "../../../machines/policy/pin-rules.js";
import { step } from "../../../machines/fold.js";
import type { Rules } from "../../../machines/policy/rules.js";
import { STATES, stateName, type StatePath } from "../../../machines/session/context.js";
import { DEADLINES } from "../../../machines/session/deadlines.js";
import { contextAt, type Session } from "../../../machines/session/session.js";
import { rules as rulesFrom } from "../../../src/testing/index.js";
import { contentHash } from "../../../machines/policy/content-hash.js";
import { RULES, SESSION, TENANT, ANYTHING, histories, play, type History, type Played } from "./histories.js";

/** Asks something of every step of many histories. */
function always(ask: (step: Played, history: History) => void, numRuns = 150): void {
  fc.assert(
    fc.property(histories(), (history) => {
      for (const step of play(history).steps) ask(step, history);
    }),
    { numRuns },
  );
}

const decisionAt = (session: Session, rules: Rules, at: number) => decide(session, rules, at).decision;
const timeOf = ({ entry }: Played) => (entry.kind === "event" ? entry.occurrence.at : entry.at);

test("these histories are worth asking: they reach every state, and every outcome but quarantine", () => {
  const states = new Set<StatePath>();
  const outcomes = new Set<string>();
  for (const history of fc.sample(histories(), { numRuns: 500, seed: 20_250_310 })) {
    for (const { after, records } of play(history).steps) {
      if (after !== undefined) states.add(after.state);
      for (const { outcome } of records) outcomes.add(outcome);
    }
  }
  expect([...states].sort()).toEqual([...STATES].sort());
  expect([...outcomes].sort()).toEqual(["applied", "ignored", "stale"]);
});

describe("access", () => {
  test("is only ever granted for reasons that the facts bear out", () =>
    always((step) => {
      const { after, rules } = step;
      const now = timeOf(step);
      if (after === undefined || decisionAt(after, rules, now) !== "allow") return;
      const { facts, state } = after;
      expect(facts.conditionalAccess).toBeUndefined();
      expect(facts.accountNotAllowed).toBeUndefined();
      expect(facts.wrongUser).toBeUndefined();
      if (state === "unenrolled.unmanaged") {
        expect(rules.policies.length === 0 || facts.licensed === false || facts.released !== undefined).toBe(true);
        return;
      }
      expect(state).toBe("active");
      expect(facts.enrollment).toBe("enrolled");
      expect(facts.mamNoncompliant).toBeUndefined();
      expect(facts.deviceCompliant).not.toBe(false);
      expect(facts.authRequired).toBeUndefined();
      if (rules.credentialsRequired) expect(facts.credentialsProven).toBe(true);
      if (rules.disabledAccount === "block" || rules.disabledAccount === "wipe")
        expect(facts.accountDisabled).toBeUndefined();
      if (rules.pin !== null && !rules.pin.exemptWithDeviceLock) {
        expect(facts.pinProven).toBe(true);
        expect(facts.pinReset).toBeUndefined();
        expect(facts.pin && storedPinViolations(rules.pin, facts.pin)).toEqual([]);
        if (rules.pin.maxAgeMs !== null) expect(now - (facts.pin?.setAtMs ?? 0)).toBeLessThan(rules.pin.maxAgeMs);
      }
      if (rules.offline.blockAfterMs !== null) {
        expect(now - (facts.lastCheckinAt ?? 0)).toBeLessThan(rules.offline.blockAfterMs);
      }
      if (facts.backgroundedAt !== undefined && (rules.pin !== null || rules.credentialsRequired)) {
        expect(now - facts.backgroundedAt).toBeLessThan(rules.recheckAfterMs);
      }
      if (
        rules.platform === "ios" &&
        facts.vouched !== true &&
        rules.conditions.some(({ property }) => property === "minimumRequiredOsVersion")
      ) {
        expect(facts.posture?.osVersion).not.toBe("16");
        expect(facts.posture).toBeDefined();
      }
    }));

  test("ends at the latest when the decision says it does", () =>
    always((step) => {
      const { after, rules } = step;
      if (after === undefined) return;
      const { decision, validUntil } = decide(after, rules, timeOf(step));
      if (decision === "allow" && validUntil !== null) expect(decisionAt(after, rules, validUntil)).toBe("deny");
    }));

  test("is never given by an event that restricts", () =>
    fc.assert(
      fc.property(histories(), (history) => {
        const { steps, inbox } = play(history);
        const { after: session, rules } = steps.at(-1) as Played;
        const at = inbox.endsAt;
        if (session === undefined || decisionAt(session, rules, at) === "allow") return;
        for (const one of ANYTHING) {
          const event = typeof one === "function" ? one({ rules, session }) : one;
          if (EVENTS.get(event.type)?.bearing(event as never) !== "restricting") continue;
          const { session: after } = step(session, { event, at }, rules);
          if (decisionAt(after as Session, rules, at) === "allow") expect(event).toBe("an event that gives no access");
        }
      }),
      { numRuns: 300 },
    ));

  test("is never given by a stricter policy", () =>
    fc.assert(
      fc.property(histories(), (history) => {
        const { steps, inbox } = play(history);
        const { after, rules } = steps.at(-1) as Played;
        if (after === undefined || decisionAt(after, rules, inbox.endsAt) === "allow") return;
        for (const stricter of stricterThan(rules)) {
          const { sessions } = foldBatch(
            {
              policies: { [TENANT]: { base: 1, broadcasts: [] } },
              horizon: inbox.endsAt,
              entries: [{ kind: "publish", tenant: TENANT, version: 2, at: inbox.endsAt }],
              due: [SESSION],
              sessions: new Map([[SESSION, after]]),
              seq: 0,
            },
            (_tenant, version) => (version === 1 ? rules : stricter),
          );
          expect(decisionAt(sessions.get(SESSION) as Session, stricter, inbox.endsAt)).not.toBe("allow");
        }
      }),
      { numRuns: 150 },
    ));
});

/** The same rules with one more thing asked for. */
function stricterThan(rules: Rules): readonly Rules[] {
  if (rules.policies.length === 0) return [];
  const rehash = ({ hash: _, ...content }: Rules): Rules => ({ hash: contentHash(content), ...content });
  const { conditions } = rulesFrom({ platform: rules.platform, policy: { minimumRequiredOsVersion: "17.1" } });
  return [
    { ...rules, conditions: [...rules.conditions, ...conditions] },
    { ...rules, credentialsRequired: true },
    { ...rules, offline: { ...rules.offline, blockAfterMs: 60_000 } },
    ...(rules.pin === null ? [] : [{ ...rules, pin: { ...rules.pin, minLength: 16 } }]),
  ].map(rehash);
}

describe("a wipe", () => {
  const HARMLESS = new Set([
    "license.granted",
    "license.revoked",
    "policy.removed",
    "connectivity.lost",
    "offlineGrace.expired",
    "offlineWipe.due",
    "access.recheckDue",
    "pin.expired",
    "biometric.timedOut",
    "integrityGrace.expired",
    "shiftGrace.expired",
    "checkin.retryDue",
    "shift.ended",
    "shift.started",
    "token.revoked",
    "session.signOutForced",
  ]);

  test("never follows from a warning, a missed check-in or the end of management", () =>
    always(({ records }) => {
      for (const { event, effects } of records) {
        if (!effects.some(({ type }) => type === "wipe")) continue;
        expect(HARMLESS.has(event.type)).toBe(false);
        if (event.type === "checkin.failed") expect(event.reason).toBe("userInvalid");
        if (event.type === "assignment.changed") expect(event.targeted).toBe(true);
      }
    }));

  test("that the rules ask for is asked for by these very rules", () =>
    always(({ before, records, rules }) => {
      for (const { effects, rules: hash } of records) {
        for (const effect of effects) {
          if (effect.type !== "wipe" || hash !== rules.hash) continue;
          const { why, requestId } = effect.data;
          // One that was asked for by earlier rules is repeated until it is done.
          if (before?.facts.wipe?.requestId === requestId) continue;
          if (["requested", "signedOut", "notCompliant", "offlineWipe"].includes(why)) continue;
          if (why === "pinAttempts") expect(rules.pin?.whenAttemptsSpent).toBe("wipe");
          else if (why === "accountDisabled") expect(rules.disabledAccount).toBe("wipe");
          else expect(rules.conditions.some(({ cause, action }) => cause === why && action === "wipe")).toBe(true);
        }
      }
    }));

  test("goes out for no session that was unmanaged, unless it was requested", () =>
    always(({ records }) => {
      for (const { from, effects } of records) {
        if (from === undefined || stateName(from) !== "unenrolled") continue;
        for (const effect of effects) {
          if (effect.type !== "wipe" || effect.data.why === "requested") continue;
          // Enrolling is what makes it managed; being wiped for the device's state may follow at once.
          expect(records.some(({ event }) => event.type === "enrollment.completed")).toBe(true);
        }
      }
    }));
});

describe("management", () => {
  test("blocks nobody whom no policy binds; only the service and the account itself may", () =>
    always((step) => {
      const { after, rules } = step;
      if (after === undefined) return;
      const { facts, state } = after;
      const free = rules.policies.length === 0 || facts.licensed === false || facts.released !== undefined;
      if (!free) return;
      expect(["pinSetup", "locked", "active"]).not.toContain(state);
      if (state === "noncompliant") {
        expect(
          facts.conditionalAccess !== undefined ||
            facts.wrongUser === true ||
            facts.portalRequired === true ||
            facts.accountDisabled === true ||
            facts.accountNotAllowed === true,
        ).toBe(true);
      }
    }));

  test("that has ended leaves no deadline of the policy behind", () =>
    always(({ after }) => {
      if (after?.state === "unenrolled.unmanaged")
        expect(Object.keys(after.timers).filter((id) => id !== "retry")).toEqual([]);
    }));
});

describe("a session that is signed out", () => {
  test("comes back by a sign-in alone", () =>
    always(({ records }) => {
      for (const { from, to, event } of records) {
        if (from === "signedOut" && to !== "signedOut") expect(event.type).toBe("account.signedIn");
      }
    }));

  test("was told why, in a message", () =>
    always(({ records }) => {
      for (const { from, to, effects } of records) {
        if (to !== "signedOut" || from === "signedOut") continue;
        expect(effects.filter(({ type }) => type === "signOut")).toHaveLength(1);
      }
    }));

  test("has no deadline", () =>
    always(({ after }) => {
      if (after?.state === "signedOut") expect(after.timers).toEqual({});
    }));
});

describe("remediation", () => {
  test("runs one attempt at a time", () =>
    always(({ records }) => {
      for (const { from, event, effects } of records) {
        const begun = effects.filter(({ type }) => type === "remediate").length;
        expect(begun).toBeLessThanOrEqual(1);
        if (begun === 1 && from === "remediating.attempt") expect(event.type).toBe("remediation.completed");
      }
    }));

  test("hears no answer but the one to the attempt that runs", () =>
    always(({ brought, after, entry, records }) => {
      if (entry.kind !== "event" || brought === undefined) return;
      const { event } = entry.occurrence;
      if (event.type !== "remediation.completed" || event.attemptId === brought.facts.remediation?.attemptId) return;
      expect(after?.state).toBe(brought.state);
      expect(records.at(-1)?.outcome).not.toBe("applied");
    }));

  test("has an attempt open exactly while it runs", () =>
    always(({ after }) => {
      if (after === undefined) return;
      const open = after.facts.remediation?.attemptId !== undefined;
      expect(open).toBe(after.state === "remediating.attempt");
      expect(after.timers["attempt"] !== undefined).toBe(after.state === "remediating.attempt");
      expect(after.timers["backoff"] !== undefined).toBe(after.state === "remediating.backoff");
    }));
});

describe("deadlines", () => {
  test("armed are exactly those that facts and rules call for: none is forgotten, none is left over", () =>
    always(({ after, rules }) => {
      if (after === undefined || after.state === "signedOut" || after.rulesHash !== rules.hash) return;
      const context = contextAt(after, rules, after.asOf);
      const wanted: Record<string, number> = {};
      for (const { id, due } of DEADLINES) {
        const dueAt = due(context);
        if (dueAt !== undefined && dueAt > after.asOf) wanted[id] = dueAt;
      }
      const { attempt: _, backoff: __, ...armed } = after.timers;
      expect(armed).toEqual(wanted);
    }, 300));

  test("are moments to come, never nothing, not a number or for ever", () =>
    always((step) => {
      for (const due of Object.values(step.after?.timers ?? {})) {
        expect(Number.isSafeInteger(due)).toBe(true);
        expect(due).toBeGreaterThan(timeOf(step));
      }
    }));
});

describe("records", () => {
  test("of an event that was not applied have no effect and move nothing", () =>
    always(({ records }) => {
      for (const { outcome, from, to, effects, changed, reason } of records) {
        if (outcome === "applied") continue;
        expect({ effects, changed, moved: from !== to }).toEqual({ effects: [], changed: undefined, moved: false });
        expect(reason).toBeTruthy();
      }
    }));

  test("carry effects as the catalogue describes them, and no effect with nothing to say twice", () =>
    always(({ records }) => {
      for (const { effects } of records) {
        for (const { type, data } of effects) expect(EFFECTS[type].data.safeParse(data).error).toBeUndefined();
        const commands = effects
          .filter(({ type }) => EFFECTS[type].kind === "command")
          .map((one) => JSON.stringify(one));
        expect(commands).toEqual([...new Set(commands)]);
      }
    }));

  test("are numbered without a gap, and each points to the one before", () =>
    always(({ before, records }) => {
      let previous = before?.lastRecord ?? 0;
      for (const record of records) {
        if (record.from === undefined) continue;
        expect(record.previous ?? 0).toBe(previous);
        previous = record.seq;
      }
    }));
});

describe("rules", () => {
  test("that are in force are those a session was judged by", () =>
    always(({ after, rules }) => {
      if (after !== undefined) expect(after.rulesHash).toBe(rules.hash);
    }));

  test("of an older version never replace newer ones", () =>
    fc.assert(
      fc.property(histories(), fc.integer({ min: 0, max: 3 }), (history, older) => {
        const { inbox, steps } = play(history);
        const { after } = steps.at(-1) as Played;
        if (after === undefined) return;
        const { policies, sessions, records } = foldBatch(
          {
            policies: { [TENANT]: { base: 3, broadcasts: [] } },
            horizon: inbox.endsAt,
            entries: [{ kind: "publish", tenant: TENANT, version: older, at: inbox.endsAt }],
            due: [SESSION],
            sessions: new Map([[SESSION, after]]),
            seq: 0,
          },
          (_tenant, version) => (version === 3 ? (steps.at(-1) as Played).rules : (RULES.ios[1] as Rules)),
        );
        expect(policies).toEqual({ [TENANT]: { base: 3, broadcasts: [] } });
        expect(sessions.get(SESSION)?.state).toBe(after.state);
        expect(records).toEqual([]);
      }),
      { numRuns: 50 },
    ));
});
