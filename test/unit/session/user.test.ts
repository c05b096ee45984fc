/** What is known of the user, and how a session comes up to it. */
import { describe, expect, test } from "vitest";
import { foldBatch } from "../../../machines/fold-batch.js";
import type { Occurrence } from "../../../machines/step-record.js";
import { decodeSession, encodeSession } from "../../../machines/session/snapshot.js";
import {
  type Scenario,
  accountDisabled,
  accountNotAllowed,
  after,
  effect,
  enrolled,
  licenseGranted,
  membershipChanged,
  posture,
  rules,
  signedIn,
  signedOut,
  userChanged,
} from "../../../src/testing/index.js";
import {
  activeSession,
  checkingSession,
  lockedSession,
  pinlessSession,
  remediatingSession,
} from "../../support/builders.js";

const BLOCKING = { policy: { appActionIfUnableToAuthenticateUser: "block" } };
const WIPING = { policy: { appActionIfUnableToAuthenticateUser: "wipe" } };
const WARNING = { policy: { appActionIfUnableToAuthenticateUser: "warn" } };

const SOMEWHERE = [
  ["checking", checkingSession],
  ["pinSetup", pinlessSession],
  ["locked", lockedSession],
  ["active", activeSession],
  ["remediating", remediatingSession],
] as const;

describe.each(SOMEWHERE)("told the user's record in %s", (_state, session) => {
  test("a disabled account ends the session where the policy blocks it", () =>
    session(BLOCKING)
      .when(userChanged({ account: "disabled" }))
      .leadsTo("signedOut", effect("signOut", { reason: "accountDisabled" })));

  test("it remembers which version of the record it knows", () =>
    expect(session().when(userChanged({ version: 4 })).session.facts.userVersion).toBe(4));

  test("it takes all facts from it", () =>
    expect(
      session().when(userChanged({ version: 4, licensed: true, groups: ["b", "a"], account: "disabled" })).session
        .facts,
    ).toMatchObject({ licensed: true, groups: ["a", "b"], accountDisabled: true }));

  test("and keeps those that it does not speak of", () => {
    const before = session().when(membershipChanged({ groups: ["sales"] }), accountDisabled());
    expect(before.when(userChanged({ version: 2 })).session.facts).toMatchObject({
      groups: ["sales"],
      accountDisabled: true,
    });
  });
});

describe("told the user's record", () => {
  test("a session whose user has no license is released, without a wipe or a sign-out", () =>
    activeSession()
      .when(userChanged({ licensed: false }))
      .leadsTo("unenrolled.unmanaged", "removeManagement", "allowUnmanaged")
      .givesNo("wipe", "signOut"));

  test("a session that was released for want of a license enrolls again", () =>
    activeSession()
      .when(userChanged({ version: 1, licensed: false }), userChanged({ version: 2, licensed: true }))
      .leadsTo("unenrolled.checking", "enroll"));

  test("a session that knows the license already goes on as it was", () =>
    activeSession()
      .when(userChanged({ licensed: true }))
      .leadsTo("active")
      .givesExactly());

  test("a disabled account is wiped where the policy says so", () =>
    activeSession(WIPING)
      .when(userChanged({ account: "disabled" }))
      .leadsTo("signedOut", effect("wipe", { why: "accountDisabled" })));

  test("a person is warned of a disabled account once", () => {
    const warned = activeSession(WARNING)
      .when(userChanged({ account: "disabled" }))
      .leadsTo("active", effect("notify", { key: "warn.account" }));
    warned.when(userChanged({ account: "disabled" })).givesExactly();
  });

  test("an account that was enabled again is let in again, once it signs in", () =>
    activeSession(BLOCKING)
      .when(userChanged({ version: 1, account: "disabled" }), userChanged({ version: 2, account: "enabled" }))
      .leadsTo("signedOut")
      .when(signedIn(), posture(), enrolled())
      .leadsTo("locked"));

  test("an account that may not be in this app stays out, enabled or not", () =>
    activeSession()
      .when(accountNotAllowed(), userChanged({ account: "enabled" }), signedIn(), enrolled())
      .leadsTo("signedOut")
      .because("accountNotAllowed"));

  test("a signed-out session takes note, and stays", () => {
    const out = activeSession(undefined, signedOut()).when(userChanged({ version: 3, licensed: false }));
    out.leadsTo("signedOut").givesExactly();
    expect(out.session.facts).toMatchObject({ userVersion: 3, licensed: false });
  });

  test("a remediation goes on", () =>
    remediatingSession()
      .when(userChanged({ version: 3, groups: ["sales"] }))
      .leadsTo("remediating.attempt")
      .givesExactly());

  test("other groups can mean other rules: the session is judged by them at once", () => {
    const before = activeSession(rules({ pin: { minLength: 4 } }));
    before.when(userChanged({ groups: ["strict"] }), rules({ pin: { minLength: 8 } })).leadsTo("pinSetup");
  });
});

/** One event about the user, stamped with the version of the record that it made. */
function told(scenario: Scenario, occurrence: Omit<Occurrence, "at">) {
  const { session, now, rules: inForce } = scenario;
  const outcome = foldBatch(
    {
      policies: {},
      horizon: now,
      entries: [{ kind: "event", session: session.id, occurrence: { ...occurrence, at: now } }],
      due: [],
      sessions: new Map([[session.id, session]]),
      seq: session.lastRecord,
    },
    () => inForce,
  );
  const [record] = outcome.records;
  return { record, session: outcome.sessions.get(session.id) };
}

const origin = { source: "directory", id: "1", time: 0, entry: "1-0" };
const disabled = { type: "account.disabled" } as const;

describe("an event about the user carries the version of the record that it made", () => {
  const session = activeSession().when(userChanged({ version: 5, account: "enabled" }));

  test("the next one brings the session up to it", () => {
    const { record, session: next } = told(session, { event: disabled, origin, userVersion: 6 });
    expect(record).toMatchObject({ outcome: "applied", userVersion: 6, changed: { userVersion: 6 } });
    expect(next?.facts).toMatchObject({ userVersion: 6, accountDisabled: true });
  });

  test("the first one of all as well", () => {
    const { session: next } = told(activeSession(), { event: disabled, origin, userVersion: 1 });
    expect(next?.facts.userVersion).toBe(1);
  });

  test("one that is older than what the session knows is stale, and changes nothing", () => {
    const { record, session: next } = told(session, { event: disabled, origin, userVersion: 4 });
    expect(record).toMatchObject({ outcome: "stale", reason: expect.stringContaining("older than what the session") });
    expect(next?.facts).toEqual(session.session.facts);
  });

  test("one that leaves a gap counts, but the session goes on saying that it missed something", () => {
    const { record, session: next } = told(session, { event: disabled, origin, userVersion: 8 });
    expect(record?.outcome).toBe("applied");
    expect(next?.facts).toMatchObject({ userVersion: 5, accountDisabled: true });
  });

  test("one that came too late for the record is stale in a session that was told of no record yet, too", () => {
    for (const one of [session, activeSession()]) {
      const { record } = told(one, { event: { type: "account.enabled" }, origin, userVersion: 0 });
      expect(record).toMatchObject({ outcome: "stale", reason: expect.stringContaining("restricted the user") });
    }
  });

  test("one that relaxes counts though the device restricted the session later: the record says which came last", () => {
    const restricted = activeSession().when(userChanged({ version: 1, licensed: false }), signedOut());
    const { record } = told(restricted, { event: { type: "license.granted" }, origin, userVersion: 2 });
    expect(record?.outcome).toBe("applied");
  });
});

describe("a record that is told", () => {
  const session = activeSession().when(userChanged({ version: 5, groups: ["a"] }));

  test("again, is applied again and leads nowhere else", () => {
    const again = session
      .when(userChanged({ version: 5, groups: ["a"] }))
      .leadsTo("active")
      .givesExactly();
    expect(again.records[0]).toMatchObject({ outcome: "applied" });
  });

  test("after a newer one is stale", () => {
    const older = session.when(userChanged({ version: 4, groups: ["b"] })).leadsTo("active");
    expect(older.records[0]).toMatchObject({ outcome: "stale" });
    expect(older.session.facts).toMatchObject({ userVersion: 5, groups: ["a"] });
  });

  test("fills every gap", () => {
    const { session: behind } = told(session, { event: disabled, origin, userVersion: 8 });
    expect(behind?.facts.userVersion).toBe(5);
    expect(session.when(userChanged({ version: 8, account: "disabled" })).session.facts.userVersion).toBe(8);
  });
});

test("the version stands in the snapshot under a short name, and one that is no number is refused", () => {
  const { session } = activeSession().when(userChanged({ version: 12 }), licenseGranted(), after({ minutes: 1 }));
  const text = encodeSession(session);
  expect(text).toContain('"uv":12');
  expect(decodeSession(text).facts.userVersion).toBe(12);
  expect(() => decodeSession(text.replace('"uv":12', '"uv":"x"'))).toThrow("userVersion");
});
