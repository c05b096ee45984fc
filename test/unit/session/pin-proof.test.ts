/** Entering the PIN: what proves it, wrong entries, biometrics, and inactivity. */
import { describe, expect, test } from "vitest";
import {
  after,
  authFailed,
  authSucceeded,
  backgrounded,
  biometricsChanged,
  biometricVerified,
  effect,
  enrolled,
  foregrounded,
  launched,
  pinCancelled,
  pinRejected,
  pinSet,
  pinVerified,
  rebooted,
  registrationExpired,
  rules,
  signedIn,
  switchedAway,
  switchedHere,
  tokenRevoked,
  wipeCompleted,
} from "../../../src/testing/index.js";
import {
  activeSession,
  lockedSession,
  pinlessSession,
  PLAIN,
  PLAIN_ANDROID,
  revokedSession,
} from "../../support/builders.js";

describe("a sign-in", () => {
  test("drops the proof: the PIN is asked for at every one", () =>
    activeSession()
      .when(signedIn())
      .leadsTo("locked")
      .givesExactly("blockAccess", effect("promptPin", { biometricAllowed: true, triesLeft: 5 })));

  test("while locked asks again", () => lockedSession().when(signedIn()).leadsTo("locked", "promptPin"));

  test("starts the count of wrong entries anew", () =>
    lockedSession(PLAIN, pinRejected(), pinRejected())
      .when(signedIn())
      .givesEffects(effect("promptPin", { triesLeft: 5 })));

  test("asks for nothing where no PIN is required", () =>
    activeSession({ pin: null }).when(signedIn()).leadsTo("active"));
});

describe("the entry", () => {
  test("of the PIN opens", () => lockedSession().when(pinVerified()).leadsTo("active").givesExactly("grantAccess"));

  test("left, shows no managed account and gives no access", () =>
    lockedSession().when(pinCancelled()).leadsTo("locked").givesExactly("switchToUnmanaged").decides("challenge"));

  test("is not enough where credentials are due too", () =>
    lockedSession({ credentialsRequired: true })
      .when(pinVerified())
      .leadsTo("locked")
      .decides("challenge", "credentials.policy")
      .when(authSucceeded())
      .leadsTo("active"));
});

describe("wrong entries", () => {
  test("each tells how many tries are left", () => {
    const tries = lockedSession().when(pinRejected(), pinRejected());
    tries.leadsTo("locked").givesExactly("notify(pinWrong)", "notify(pinWrong)");
    expect(tries.effects.map(({ data }) => data)).toMatchObject([
      { data: { triesLeft: 4 } },
      { data: { triesLeft: 3 } },
    ]);
  });

  test("the last but one still leaves a try", () =>
    lockedSession({ pin: { maxAttempts: 3 } }, pinRejected())
      .when(pinRejected())
      .leadsTo("locked"));

  test("the one that spends the attempts asks for a sign-in and a new PIN", () =>
    lockedSession({ pin: { maxAttempts: 3 } }, pinRejected(), pinRejected())
      .when(pinRejected())
      .leadsTo("pinSetup")
      .givesExactly(
        "blockAccess",
        "notify(pinReset.attempts)",
        effect("promptCredentials", { why: "pinReset" }),
        effect("promptPinSetup", { why: "attempts" }),
      )
      .decides("challenge", "pin.setup.attempts", "credentials.pinReset")
      .when(pinSet())
      .leadsTo("pinSetup")
      .when(authSucceeded(), pinSet())
      .leadsTo("active"));

  test("or wipes, where the policy says so", () => {
    const wiped = lockedSession({ pin: { maxAttempts: 2, whenAttemptsSpent: "wipe" } }, pinRejected()).when(
      pinRejected(),
    );
    wiped
      .leadsTo("signedOut")
      .givesExactly(
        effect("wipe", { why: "pinAttempts" }),
        "blockAccess",
        effect("signOut", { reason: "pinAttempts", messageKey: "wiped" }),
        "notify(wiped)",
      );
    expect(wiped.session.facts.wipe?.status).toBe("pending");
    wiped.when(wipeCompleted(), signedIn()).leadsTo("unenrolled.checking");
  });

  test("a good entry starts the count anew", () =>
    lockedSession({ pin: { maxAttempts: 2 } }, pinRejected(), pinVerified(), backgrounded(), after({ minutes: 30 }))
      .leadsTo("locked")
      .when(pinRejected())
      .leadsTo("locked", "notify(pinWrong)"));

  test("the app's own count can only be higher than what was told here, never lower", () => {
    lockedSession()
      .when(pinRejected({ failedAttempts: 5 }))
      .leadsTo("pinSetup");
    lockedSession({ pin: { maxAttempts: 3 } }, pinRejected(), pinRejected())
      .when(pinRejected({ failedAttempts: 1 }))
      .leadsTo("pinSetup");
  });

  test("attempts that a new policy allows no more are spent by the next wrong entry", () =>
    lockedSession(PLAIN, pinRejected(), pinRejected(), rules({ pin: { maxAttempts: 2 } }))
      .leadsTo("locked")
      .when(pinRejected())
      .leadsTo("pinSetup"));
});

describe("biometrics", () => {
  test("stand in for the PIN", () => lockedSession().when(biometricVerified()).leadsTo("active"));

  test("do not where the policy blocks them", () =>
    lockedSession({ pin: { biometricAllowed: false } })
      .when(biometricVerified())
      .leadsTo("locked")
      .givesExactly(effect("promptPin", { biometricAllowed: false })));

  test("do not after they changed on an iPhone, until the PIN is entered once", () =>
    activeSession(PLAIN, biometricsChanged())
      .leadsTo("active")
      .when(signedIn())
      .leadsTo("locked", effect("promptPin", { biometricAllowed: false }))
      .when(biometricVerified())
      .leadsTo("locked")
      .when(pinVerified(), signedIn(), biometricVerified())
      .leadsTo("active"));

  test("do after they changed on Android, unless the policy says otherwise", () => {
    activeSession(PLAIN_ANDROID, biometricsChanged(), signedIn()).when(biometricVerified()).leadsTo("active");
    activeSession(
      { platform: "android", policy: { requirePinAfterBiometricChange: true } },
      biometricsChanged(),
      signedIn(),
    )
      .when(biometricVerified())
      .leadsTo("locked");
  });

  const twoHours = { policy: { pinRequiredInsteadOfBiometricTimeout: "PT2H" } };

  test("time out with inactivity: then the PIN alone counts", () =>
    activeSession(twoHours, backgrounded())
      .arms("biometric", { hours: 2 })
      .when(after({ hours: 2 }), foregrounded(), biometricVerified())
      .leadsTo("locked", effect("promptPin", { biometricAllowed: false })));

  test("do not time out while the app is in use", () =>
    activeSession(twoHours, backgrounded(), after({ minutes: 10 }), foregrounded())
      .armsNo("biometric")
      .when(after({ hours: 3 }), signedIn(), biometricVerified())
      .leadsTo("active"));
});

describe("inactivity", () => {
  test("for the recheck interval locks", () =>
    activeSession(PLAIN, backgrounded())
      .arms("recheck", { minutes: 30 })
      .when(after({ minutes: 29, seconds: 59, ms: 999 }))
      .leadsTo("active")
      .when(after({ ms: 1 }))
      .leadsTo("locked", "promptPin"));

  test("shorter than that does not", () =>
    activeSession(PLAIN, backgrounded(), after({ minutes: 29 }))
      .when(foregrounded())
      .leadsTo("active")
      .armsNo("recheck")
      .when(after({ hours: 2 }))
      .leadsTo("active"));

  test("begins anew each time the app is left", () =>
    activeSession(PLAIN, backgrounded(), after({ minutes: 20 }), foregrounded(), after({ minutes: 20 }), backgrounded())
      .arms("recheck", { minutes: 30 })
      .when(after({ minutes: 29 }))
      .leadsTo("active"));

  test("ends with a launch likewise", () =>
    activeSession(PLAIN, backgrounded(), after({ minutes: 5 }))
      .when(launched())
      .leadsTo("active")
      .armsNo("recheck"));

  test("counts while another account is shown", () =>
    activeSession()
      .when(switchedAway())
      .leadsTo("active")
      .arms("recheck", { minutes: 30 })
      .when(after({ minutes: 30 }), switchedHere())
      .leadsTo("locked", "promptPin"));

  test("counts by the interval of the rules as they are now", () =>
    activeSession(PLAIN, backgrounded(), after({ minutes: 10 }))
      .when(rules({ recheckAfterMs: 15 * 60_000 }))
      .arms("recheck", { minutes: 5 }));

  test("that is too long for new rules locks at once", () =>
    activeSession(PLAIN, backgrounded(), after({ minutes: 20 }))
      .when(rules({ recheckAfterMs: 10 * 60_000 }))
      .leadsTo("locked", "promptPin"));

  test("counts while the app is not enrolled, too", () =>
    activeSession(PLAIN, backgrounded(), registrationExpired(), after({ hours: 3 }))
      .leadsTo("unenrolled.checking")
      .when(enrolled())
      .leadsTo("locked", effect("promptPin", { biometricAllowed: false })));

  test("ends with a sign-in, but not with a token that was got silently", () => {
    const idle = activeSession(
      { pin: null, credentialsRequired: true },
      authSucceeded(),
      backgrounded(),
      after({ minutes: 30 }),
    );
    idle.leadsTo("locked").when(authSucceeded()).leadsTo("active").armsNo("recheck");
    idle.when(authSucceeded({ method: "silent" })).leadsTo("locked");
  });

  test("asks nothing of a session from which nothing is required", () =>
    activeSession({ pin: null }, backgrounded())
      .armsNo("recheck")
      .when(after({ hours: 5 }))
      .leadsTo("active"));

  test("asks for credentials where they are required", () =>
    activeSession({ credentialsRequired: true }, authSucceeded(), backgrounded())
      .leadsTo("active")
      .when(after({ minutes: 30 }))
      .leadsTo("locked", "promptPin", "promptCredentials"));
});

describe("a reboot", () => {
  test("locks on Android", () => activeSession(PLAIN_ANDROID).when(rebooted()).leadsTo("locked", "promptPin"));

  test("not on iOS", () => activeSession(PLAIN).when(rebooted()).leadsTo("active").is("ignored"));

  test("not where nothing is required", () =>
    activeSession({ platform: "android", pin: null }).when(rebooted()).leadsTo("active"));
});

describe("a revoked token", () => {
  test("locks and asks for work credentials; the PIN is not enough", () =>
    activeSession()
      .when(tokenRevoked({ reason: "risk" }))
      .leadsTo("locked")
      .givesExactly("blockAccess", effect("promptCredentials", { why: "tokenRevoked" }))
      .decides("challenge", "credentials.tokenRevoked")
      .when(pinVerified())
      .leadsTo("locked"));

  test("is met by signing in", () => revokedSession().when(authSucceeded()).leadsTo("active"));

  test("ends the session when the sign-in fails", () =>
    revokedSession()
      .when(authFailed())
      .leadsTo("signedOut", effect("signOut", { reason: "authFailed", messageKey: "signInRequired" }))
      .givesNo("wipe"));

  test("a sign-in that fails otherwise ends nothing", () =>
    lockedSession().when(authFailed()).leadsTo("locked").is("ignored"));

  test("means nothing where nothing is managed", () =>
    pinlessSession(PLAIN).when(tokenRevoked(), pinSet()).leadsTo("pinSetup", "promptCredentials"));
});
