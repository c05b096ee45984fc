/** Choosing a PIN: when it is asked for, what fits, and when a new one is needed. */
import { describe, expect, test } from "vitest";
import {
  after,
  authFailed,
  authSucceeded,
  checkedIn,
  compliant,
  effect,
  enrolled,
  givenSession,
  noncompliant,
  pinCancelled,
  pinRejected,
  pinResetRequested,
  pinSet,
  pinSetRejected,
  pinVerified,
  posture,
  rules,
  signedIn,
} from "../../../src/testing/index.js";
import { activeSession, checkingSession, lockedSession, pinlessSession, PLAIN } from "../../support/builders.js";

const SIX_DIGITS = { pin: { minLength: 6, simpleBlocked: true, historyCount: 3 } };
const PASSCODE = { pin: { kind: "passcode", minLength: 8, simpleBlocked: true } } as const;

describe("at the first use under a policy", () => {
  test("a PIN is asked for under the policy's rules", () =>
    checkingSession(SIX_DIGITS, posture())
      .when(enrolled())
      .leadsTo(
        "pinSetup",
        "blockAccess",
        effect("promptPinSetup", {
          why: "missing",
          rules: { minLength: 6, kind: "numeric", simpleBlocked: true, historyCount: 3 },
        }),
      )
      .givesNo("notify(pinReset.rules)", "promptCredentials")
      .decides("challenge", "pin.setup.missing"));

  test("a PIN that fits opens the app, because choosing it proves it", () =>
    pinlessSession(SIX_DIGITS)
      .when(pinSet({ length: 6 }))
      .leadsTo("active", "grantAccess")
      .decides("allow"));

  test("leaving the prompt shows no managed account", () =>
    pinlessSession().when(pinCancelled()).leadsTo("pinSetup").givesExactly("switchToUnmanaged"));

  test("a PIN that the app itself refused is only recorded", () =>
    pinlessSession().when(pinSetRejected()).leadsTo("pinSetup").is("applied").givesExactly());

  test("a proof of a PIN that is not there counts for nothing", () =>
    pinlessSession().when(pinVerified()).leadsTo("pinSetup").is("ignored"));

  test("a PIN is chosen in pinSetup alone", () => lockedSession().when(pinSet()).leadsTo("locked").is("ignored"));

  test("a wait of any length asks nothing anew", () =>
    pinlessSession()
      .when(after({ hours: 1 }))
      .leadsTo("pinSetup")
      .givesExactly());

  test("out of contact for too long, the app is blocked first", () =>
    pinlessSession()
      .when(after({ hours: 24 }))
      .leadsTo("noncompliant")
      .because("offlineGrace"));
});

describe("what does not fit is refused, and the person is told why", () => {
  test.each([
    ["too short", SIX_DIGITS, { length: 5 }, "tooShort"],
    ["a passcode where digits are asked for", SIX_DIGITS, { kind: "passcode", hasLetter: true }, "wrongKind"],
    ["a run of digits", SIX_DIGITS, { simple: true }, "simple"],
    ["the last PIN but two", SIX_DIGITS, { matchesHistory: 3 }, "inHistory"],
    [
      "digits where a passcode is asked for",
      PASSCODE,
      { kind: "numeric", hasLetter: false, hasSymbol: false },
      "wrongKind",
    ],
    ["no symbol, where simple ones are blocked", PASSCODE, { hasSymbol: false }, "needsSymbol"],
    ["no digit, where simple ones are blocked", PASSCODE, { hasDigit: false }, "needsDigit"],
  ] as const)("%s", (_what, under, descriptor, violation) => {
    const refused = pinlessSession(under)
      .when(pinSet(descriptor))
      .leadsTo("pinSetup")
      .givesExactly("notify(pinInvalid)");
    expect(refused.effects[0]).toMatchObject({ data: { data: { codes: expect.stringContaining(violation) } } });
    expect(refused.session.facts.pin).toBeUndefined();
  });

  test("the PIN before the last three may come again", () =>
    pinlessSession(SIX_DIGITS)
      .when(pinSet({ matchesHistory: 4 }))
      .leadsTo("active"));
});

describe("an exemption", () => {
  const exempting = { policy: { disableAppPinIfDevicePinIsSet: true } };

  test("holds on an enrolled device with its own lock", () =>
    givenSession(rules(exempting), signedIn({ deviceMdmEnrolled: true }), posture())
      .when(enrolled())
      .leadsTo("active"));

  test("does not hold without a lock", () =>
    givenSession(rules(exempting), signedIn({ deviceMdmEnrolled: true }), posture({ deviceLock: "none" }))
      .when(enrolled())
      .leadsTo("pinSetup"));

  test("does not hold on a device that is not enrolled", () => pinlessSession(exempting).leadsTo("pinSetup"));

  test("ends when the lock is taken off", () =>
    givenSession(rules(exempting), signedIn({ deviceMdmEnrolled: true }), posture(), enrolled())
      .when(posture({ deviceLock: "none" }))
      .leadsTo("pinSetup", "promptPinSetup"));
});

describe("age", () => {
  const monthly = { policy: { periodBeforePinReset: "P30D", periodOfflineBeforeAccessCheck: "P3650D" } };

  test("a PIN is replaced when it reaches its greatest age, not a moment earlier", () =>
    activeSession(monthly)
      .arms("pinExpiry", { days: 30 })
      .when(after({ days: 29, hours: 23, minutes: 59, seconds: 59, ms: 999 }))
      .leadsTo("active")
      .when(after({ ms: 1 }))
      .leadsTo("pinSetup", "notify(pinReset.expired)", effect("promptPinSetup", { why: "expired" }))
      .givesNo("promptCredentials")
      .decides("challenge", "pin.setup.expired"));

  test("a locked session is asked likewise", () =>
    lockedSession(monthly)
      .when(after({ days: 30 }))
      .leadsTo("pinSetup", "notify(pinReset.expired)"));

  test("a new PIN begins a new age", () =>
    activeSession(monthly, after({ days: 30 }), pinSet())
      .leadsTo("active")
      .arms("pinExpiry", { days: 30 }));

  test("no age, no deadline", () => activeSession().armsNo("pinExpiry"));
});

describe("a reset on request", () => {
  test.each([
    ["active", activeSession],
    ["locked", lockedSession],
  ] as const)("from %s asks for work credentials and a new PIN", (_from, session) => {
    session()
      .when(pinResetRequested())
      .leadsTo("pinSetup", "notify(pinReset.requested)", effect("promptCredentials", { why: "pinReset" }))
      .decides("challenge", "pin.setup.requested", "credentials.pinReset");
  });

  const reset = () => activeSession(PLAIN, pinResetRequested());

  test("a new PIN without the sign-in is not taken", () =>
    reset().when(pinSet()).leadsTo("pinSetup").givesExactly("promptCredentials"));

  test("after the sign-in it is", () =>
    reset().when(authSucceeded()).leadsTo("pinSetup").givesExactly("promptPinSetup").when(pinSet()).leadsTo("active"));

  test("a sign-in that fails leaves things as they are", () =>
    reset().when(authFailed()).leadsTo("pinSetup").givesExactly("notify(tryLater)"));

  test("without a sign-in that was asked for, one that fails means nothing", () =>
    pinlessSession().when(authFailed()).is("ignored"));

  test("the old PIN is no way back in", () => reset().when(pinVerified()).leadsTo("pinSetup").is("ignored"));
});

describe("a policy that changes", () => {
  test.each([
    ["longer", { minLength: 8 }],
    ["of another kind", { kind: "passcode" }],
  ] as const)("to a PIN that is %s: a new one is asked for at once", (_what, pin) => {
    activeSession()
      .when(rules({ pin }))
      .leadsTo("pinSetup", "notify(pinReset.rules)", effect("promptPinSetup", { why: "rules" }))
      .decides("challenge", "pin.setup.rules");
  });

  test("to refuse simple PINs: who has one chooses another", () =>
    pinlessSession(PLAIN, pinSet({ simple: true }))
      .leadsTo("active")
      .when(rules(SIX_DIGITS))
      .leadsTo("pinSetup"));

  test("to a longer history: the PIN that is there is not new, and stays", () =>
    activeSession()
      .when(rules({ pin: { historyCount: 24 } }))
      .leadsTo("active"));

  test("to any other: a PIN that was no new one when it was set is not refused for it now", () =>
    pinlessSession(PLAIN, pinSet({ matchesHistory: 2 }))
      .leadsTo("active")
      .when(rules({ pin: { historyCount: 3 } }))
      .leadsTo("active"));

  test("to something looser: the PIN stays, and so does its proof", () =>
    activeSession(SIX_DIGITS).when(rules()).leadsTo("active").givesExactly());

  test("to no PIN at all: nothing is asked any more", () =>
    pinlessSession()
      .when(rules({ pin: null }))
      .leadsTo("active", "grantAccess"));

  test("and back: the PIN that was kept is judged again", () =>
    activeSession(SIX_DIGITS, rules())
      .when(rules({ pin: { minLength: 7 } }))
      .leadsTo("pinSetup"));
});

describe("other things that happen meanwhile", () => {
  test("a verdict blocks, and the PIN is asked for when it is gone", () =>
    pinlessSession({ settings: { dispositions: { mamVerdict: "wait" } } })
      .when(noncompliant())
      .leadsTo("noncompliant")
      .when(compliant())
      .leadsTo("pinSetup", "promptPinSetup"));

  test("check-ins change nothing", () => pinlessSession().when(checkedIn()).leadsTo("pinSetup").givesExactly());

  test("a spent PIN stays spent across a verdict", () =>
    lockedSession({ pin: { maxAttempts: 1 }, settings: { dispositions: { mamVerdict: "wait" } } }, pinRejected())
      .when(noncompliant())
      .leadsTo("noncompliant")
      .when(compliant())
      .leadsTo("pinSetup", effect("promptPinSetup", { why: "attempts" })));
});
