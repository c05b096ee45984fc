/** The account: signing out and in again, switching, removal, and what the directory says of it. */
import { describe, expect, test } from "vitest";
import { SIGN_OUT_REASONS } from "../../../machines/effects/catalogue.js";
import { MESSAGES } from "../../../machines/effects/messages.js";
import {
  accountDisabled,
  accountEnabled,
  accountNotAllowed,
  accountRemoved,
  after,
  authSucceeded,
  checkedIn,
  effect,
  enrolled,
  foregrounded,
  givenSession,
  launched,
  licenseRevoked,
  noncompliant,
  pinRejected,
  pinSet,
  pinVerified,
  posture,
  rules,
  signedIn,
  signedOut,
  signOutForced,
  switchedAway,
  switchedHere,
} from "../../../src/testing/index.js";
import {
  activeSession,
  checkingSession,
  lockedSession,
  pinlessSession,
  PLAIN,
  remediatingSession,
  UNCOVERED,
} from "../../support/builders.js";

const SIGNED_IN = [
  ["checking", checkingSession],
  ["pinSetup", pinlessSession],
  ["locked", lockedSession],
  ["active", activeSession],
  ["remediating", remediatingSession],
] as const;

describe.each(SIGNED_IN)("from %s", (_state, session) => {
  test("a sign-out ends the session", () =>
    session()
      .when(signedOut())
      .leadsTo(
        "signedOut",
        "unregister",
        "blockAccess",
        effect("signOut", { reason: "userInitiated", messageKey: "signedOut" }),
      )
      .decides("deny", "signedOut.userInitiated"));

  test("so does the removal of the account", () =>
    session()
      .when(accountRemoved())
      .leadsTo("signedOut", effect("signOut", { reason: "accountRemoved" })));

  test("so does an administrator, without a wipe", () =>
    session()
      .when(signOutForced())
      .leadsTo("signedOut", effect("signOut", { reason: "adminForced", messageKey: "signedOutByOrganisation" }))
      .givesNo("wipe"));

  test("so does an account that is not allowed here", () =>
    session()
      .when(accountNotAllowed())
      .leadsTo("signedOut", effect("signOut", { reason: "accountNotAllowed" })));

  test("no deadline outlives the session", () => expect(session().when(signedOut()).session.timers).toEqual({}));
});

describe("a sign-out", () => {
  test("removes a managed account's data", () =>
    activeSession()
      .when(signedOut())
      .givesEffects(effect("wipe", { why: "signedOut" })));

  test("unless the tenant chose otherwise", () =>
    activeSession({ settings: { wipeOnSignOut: false } })
      .when(signedOut())
      .leadsTo("signedOut")
      .givesNo("wipe"));

  test("removes nothing of an unmanaged account", () =>
    activeSession(PLAIN, licenseRevoked()).when(signedOut()).leadsTo("signedOut").givesNo("wipe", "unregister"));

  test("removes nothing before the app was enrolled", () => checkingSession().when(signedOut()).givesNo("wipe"));
});

describe("signed out", () => {
  test("nothing but a sign-in leads out", () =>
    activeSession(PLAIN, signedOut())
      .when(
        enrolled(),
        pinSet(),
        pinVerified(),
        authSucceeded(),
        checkedIn(),
        launched(),
        foregrounded(),
        posture(),
        rules({ pin: null }),
        after({ days: 400 }),
      )
      .leadsTo("signedOut")
      // Its data was not reported as removed yet, so the check-in asks for that again.
      .givesExactly("wipe")
      .decides("deny"));

  test("a sign-in begins anew, with the PIN that is still there", () =>
    activeSession(PLAIN, signedOut())
      .when(signedIn())
      .leadsTo("unenrolled.checking")
      .givesExactly("blockAccess", "enroll", "checkIn")
      .because(undefined)
      .when(enrolled())
      .leadsTo("locked", "promptPin"));

  test("and with fresh counts", () =>
    lockedSession(PLAIN, pinRejected(), pinRejected(), signedOut(), signedIn())
      .when(enrolled())
      .givesEffects(effect("promptPin", { triesLeft: 5 })));

  test("facts are noted, and the next sign-in is judged by them", () =>
    activeSession(PLAIN, signedOut())
      .when(noncompliant())
      .leadsTo("signedOut")
      .is("applied")
      .when(signedIn(), enrolled())
      .leadsTo("remediating")
      .because("mamVerdict"));

  test("a switch to the account asks to sign in again", () =>
    activeSession(PLAIN, signedOut()).when(switchedHere()).leadsTo("signedOut").givesExactly("notify(signInRequired)"));

  test("a switch away means nothing", () => activeSession(PLAIN, signedOut()).when(switchedAway()).is("ignored"));
});

describe("a switch", () => {
  test("to the account gives the prompt of its state again", () => {
    lockedSession().when(switchedHere()).leadsTo("locked", "promptPin");
    pinlessSession().when(switchedHere()).leadsTo("pinSetup", "promptPinSetup");
    activeSession().when(switchedHere()).leadsTo("active", "grantAccess");
  });

  test("away and back within the recheck interval keeps the proof", () =>
    activeSession(PLAIN, switchedAway(), after({ minutes: 10 }))
      .when(switchedHere())
      .leadsTo("active")
      .armsNo("recheck"));

  test("to an unmanaged account asks for nothing", () =>
    givenSession(UNCOVERED, signedIn(), enrolled())
      .when(switchedHere())
      .leadsTo("unenrolled.unmanaged", "allowUnmanaged"));
});

describe("another account that is removed", () => {
  test("is none of this session's business", () =>
    activeSession()
      .when(accountRemoved({ accountId: "somebody-else" }))
      .leadsTo("active")
      .givesExactly());

  test("named by this session's own id, in whatever case, ends it", () =>
    activeSession()
      .when(accountRemoved({ accountId: "DANA" }))
      .leadsTo("signedOut"));
});

describe("a disabled account", () => {
  test.each([
    ["wipe", "signedOut", "wiped"],
    ["block", "signedOut", "accountDisabled"],
  ] as const)("with action %s is signed out", (action, state, reason) => {
    const ended = activeSession({ disabledAccount: action }).when(accountDisabled());
    ended.leadsTo(state, effect("signOut", { reason })).because("accountDisabled");
    if (action === "wipe") ended.givesEffects(effect("wipe", { why: "accountDisabled" }), "notify(wiped)");
    else ended.givesNo("wipe").givesEffects("notify(blocked.account)");
  });

  test("with action warn is warned", () =>
    activeSession({ disabledAccount: "warn" })
      .when(accountDisabled())
      .leadsTo("active")
      .givesExactly("notify(warn.account)"));

  test("without an action goes on", () => activeSession().when(accountDisabled()).leadsTo("active").givesExactly());

  test("stays out until it is enabled again", () => {
    const out = activeSession({ disabledAccount: "block" }, accountDisabled());
    out.when(signedIn(), enrolled()).leadsTo("signedOut").because("accountDisabled");
    out.when(accountEnabled(), signedIn(), enrolled()).leadsTo("locked");
  });

  test("is not wiped where nothing is managed", () =>
    checkingSession({ disabledAccount: "wipe" })
      .when(accountDisabled())
      .leadsTo("unenrolled.checking")
      .givesNo("wipe"));
});

test("every reason for signing out has a message for the person", () => {
  const ended = [signedOut(), accountRemoved(), signOutForced(), accountNotAllowed()].map((event) =>
    activeSession().when(event),
  );
  for (const { effects, decision } of ended) {
    const [signOut] = effects.flatMap((one) => (one.type === "signOut" ? [one.data] : []));
    expect(SIGN_OUT_REASONS).toContain(signOut?.reason);
    expect(Object.keys(MESSAGES)).toContain(signOut?.messageKey);
    expect(decision.message.text).not.toBe("");
  }
});
