/** Every way to access, not a sample of them: a search through all that a session can become by these events. */
import { describe, expect, test } from "vitest";
import { fromTransition } from "xstate";
import { getShortestPaths } from "xstate/graph";
import { advance, type Policies } from "../../../machines/advance.js";
import { newSession, step } from "../../../machines/fold.js";
import { pinViolations } from "../../../machines/policy/pin-rules.js";
import type { SessionEvent } from "../../../machines/events/catalogue.js";
import type { Rules } from "../../../machines/policy/rules.js";
import { earliestTimer, type Session } from "../../../machines/session/session.js";
import * as told from "../../../src/testing/index.js";

const ID = "contoso/phone-1/dana/azure-mobile";
const START_MS = Date.UTC(2025, 2, 10, 8);
const RULES = told.rules({ policy: { minimumRequiredOsVersion: "17" }, pin: { minLength: 6, maxAttempts: 2 } });

/** The events of the search; `deadline` lets the earliest one pass. */
const EVENTS: Readonly<Record<string, SessionEvent | told.SceneEvent | undefined>> = {
  signIn: told.signedIn(),
  signOut: told.signedOut(),
  enroll: told.enrolled(),
  goodDevice: told.posture(),
  badDevice: told.posture({ osVersion: "16" }),
  goodPin: told.pinSet({ length: 6 }),
  badPin: told.pinSet({ length: 4 }),
  pinEntered: told.pinVerified(),
  pinWrong: told.pinRejected(),
  credentials: told.authSucceeded(),
  tokenRevoked: told.tokenRevoked(),
  background: told.backgrounded(),
  remediated: told.remediationCompleted(),
  notRemediated: told.remediationCompleted("NOT_COMPLIANT"),
  mamBad: told.noncompliant(),
  mamGood: told.compliant(),
  deadline: undefined,
};

interface Walked {
  readonly session: Session;
  readonly now: number;
}

function walk({ session, now }: Walked, name: string, rules: Rules): Walked {
  const policies: Policies = { base: 1, broadcasts: [], rules: () => rules };
  const told = EVENTS[name];
  if (told === undefined) {
    const due = earliestTimer(session);
    return due === null ? { session, now } : { session: advance(session, due, policies, () => 1), now: due };
  }
  const event = typeof told === "function" ? told({ rules, session }) : told;
  const at = now + 1;
  return {
    session: step(
      advance(session, at, policies, () => 1),
      { event, at },
      rules,
    ).session as Session,
    now: at,
  };
}

/** What of a session can make a difference later; times are left out, so that the search ends. */
function essence({ session: { state, facts } }: Walked): string {
  const { pin, posture } = facts;
  return JSON.stringify([
    state,
    facts.enrollment,
    facts.pinProven,
    facts.authRequired,
    facts.pinReset,
    facts.failedAttempts,
    pin?.length,
    posture?.osVersion,
    facts.vouched,
    facts.mamNoncompliant,
    facts.offlineWipe,
    facts.backgroundedAt !== undefined,
  ]);
}

function everyPath(rules: Rules) {
  const start: Walked = { session: newSession(ID, "ios", () => rules, START_MS), now: START_MS };
  const logic = fromTransition((walked: Walked, { type }: { type: string }) => walk(walked, type, rules), start);
  return getShortestPaths(logic, {
    events: Object.keys(EVENTS).map((type) => ({ type })),
    serializeState: ({ context }) => essence(context),
    limit: 200_000,
  });
}

/** What an auditor would say of a path who never saw the chart: is a PIN proven, is the device in order? */
function audit(path: readonly { readonly event: string; readonly before: string }[]) {
  let [pinSet, pinProven, deviceGood, serviceGood] = [false, false, false, true];
  for (const { event, before } of path) {
    if (event === "goodPin" && before === "pinSetup") [pinSet, pinProven] = [true, true];
    if (event === "pinEntered" && before === "locked") pinProven = pinSet;
    if (event === "signIn") pinProven = false;
    if (event === "goodDevice") deviceGood = true;
    if (event === "badDevice") deviceGood = false;
    if (event === "mamBad") serviceGood = false;
    if (event === "mamGood") serviceGood = true;
    if (event === "remediated" && before === "remediating.attempt") [deviceGood, serviceGood] = [true, true];
  }
  return { pinProven, deviceGood, serviceGood };
}

describe("every path to access, over all that these events can make of a session", () => {
  const paths = everyPath(RULES);
  const active = paths.filter(({ state }) => state.context.session.state === "active");

  test("was walked: the search is wide, and finds access in more than one way", () => {
    expect(paths.length).toBeGreaterThan(300);
    expect(active.length).toBeGreaterThan(5);
  });

  test("passes a PIN that fits, and the entry of it after the last sign-in", () => {
    for (const { steps, state } of active) {
      const taken = steps.slice(1).map(({ event }, n) => ({
        event: event.type,
        before: steps[n]?.state.context.session.state ?? "",
      }));
      const last = steps.at(-1);
      expect({ path: taken.map(({ event }) => event), ...audit(taken) }).toMatchObject({
        pinProven: true,
        deviceGood: true,
        serviceGood: true,
      });
      expect(last).toBeDefined();
      const { pin } = state.context.session.facts;
      expect(pin && RULES.pin && pinViolations(RULES.pin, pin)).toEqual([]);
    }
  });

  test("no session is stuck: from every state some path leads on to access, or to a new sign-in", () => {
    const stuck = ({ state: { context } }: (typeof paths)[number]) =>
      Object.keys(EVENTS).every((name) => essence(walk(context, name, RULES)) === essence(context));
    const dead = paths.filter(stuck);
    expect(dead.map(({ state }) => essence(state.context))).toEqual([]);
  });
});
