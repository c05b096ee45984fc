/** What the device reports, what a threat product says of it, and the end of the working day. */
import { describe, expect, test } from "vitest";
import {
  after,
  checkedIn,
  effect,
  enrolled,
  givenSession,
  HEALTHY,
  launched,
  noncompliant,
  pinSet,
  pinVerified,
  posture,
  rebooted,
  remediationCompleted,
  rules,
  shiftEnded,
  shiftStarted,
  signedIn,
  threatLevel,
} from "../../../src/testing/index.js";
import {
  activeSession,
  checkingSession,
  lockedSession,
  MODERN_OS,
  PLAIN,
  samplePolicy,
} from "../../support/builders.js";

describe("a device that has not said anything of itself", () => {
  const silent = () => checkingSession(MODERN_OS, enrolled()).when(pinSet());

  test("waits in locked where the rules judge devices: doubt is deny", () =>
    silent()
      .leadsTo("locked", "blockAccess", "checkIn")
      .givesNo("promptPin")
      .decides("deny", "posture.unknown")
      .when(checkedIn(), launched(), pinVerified())
      .leadsTo("locked")
      .decides("deny", "posture.unknown"));

  test("goes on with its first report", () => silent().when(posture()).leadsTo("active", "grantAccess"));

  test("is judged by it", () =>
    silent()
      .when(posture({ osVersion: "16" }))
      .leadsTo("remediating")
      .because("osVersion"));

  test("may be vouched for instead", () =>
    silent().when(noncompliant(), remediationCompleted()).leadsTo("active").decides("allow"));

  test("is let in when the rules judge devices no more", () => silent().when(rules()).leadsTo("active"));

  test("is asked for nothing where the rules judge no device", () =>
    checkingSession(PLAIN, enrolled()).when(pinSet()).leadsTo("active"));

  test("a policy that only warns does not make it wait", () =>
    checkingSession({ policy: { minimumWarningOsVersion: "17" } }, enrolled())
      .when(pinSet())
      .leadsTo("active"));

  test("one that comes to judge devices makes it wait", () =>
    checkingSession(PLAIN, enrolled(), pinSet())
      .when(MODERN_OS)
      .leadsTo("locked", "checkIn")
      .decides("deny", "posture.unknown"));
});

describe("a report", () => {
  test("that breaks a rule takes access away from locked as from active", () => {
    for (const session of [lockedSession, activeSession]) {
      session(MODERN_OS)
        .when(posture({ osVersion: "16.7" }))
        .leadsTo("remediating", "notify(blocked.version)")
        .because("osVersion");
    }
  });

  test("replaces the one before, whole", () =>
    activeSession({ ...MODERN_OS, dispositions: { ...MODERN_OS.dispositions, osVersion: "wait" } })
      .when(posture({ osVersion: "16" }))
      .leadsTo("noncompliant")
      .when(posture())
      .leadsTo("active"));

  test("names the worst of several failures, and all of them in the decision", () =>
    activeSession({
      policy: { minimumRequiredOsVersion: "17", minimumRequiredAppVersion: "5" },
      settings: { dispositions: { osVersion: "wait", appVersion: "wait" } },
    })
      .when(posture({ osVersion: "16", appVersion: "4" }))
      .leadsTo("noncompliant")
      .because("appVersion")
      .decides("deny", "noncompliant.appVersion", "noncompliant.osVersion"));
});

describe("a warning", () => {
  const warning = { policy: { minimumWarningOsVersion: "18", minimumWarningAppVersion: "6" } };

  test("moves nothing, and is shown once a launch", () => {
    const warned = activeSession(PLAIN).when(rules(warning));
    warned.leadsTo("active").givesExactly("notify(warn.version)", "notify(warn.version)");
    warned
      .when(posture(), checkedIn())
      .givesExactly()
      .when(launched())
      .leadsTo("active")
      .givesExactly("notify(warn.version)", "notify(warn.version)");
  });

  test("is shown anew for another value", () =>
    activeSession(warning)
      .when(rules({ policy: { ...warning.policy, minimumWarningOsVersion: "19" } }))
      .givesExactly("notify(warn.version)"));

  test("is not shown where a block of the same kind is", () =>
    activeSession({ policy: { minimumRequiredOsVersion: "17", minimumWarningOsVersion: "18" } })
      .when(posture({ osVersion: "16" }))
      .givesNo("notify(warn.version)"));
});

describe("integrity", () => {
  const attested = {
    platform: "android",
    policy: {
      requiredAndroidSafetyNetDeviceAttestationType: "basicIntegrity",
      periodOfflineBeforeAccessCheck: "P90D",
    },
    settings: { dispositions: { integrity: "wait" } },
  } as const;
  const failing = posture({ integrity: "requestFailed" });
  const { integrity: _, ...unattested } = HEALTHY.android;

  test("no verdict yet: allowed, it may still be on its way", () =>
    givenSession(rules(attested), signedIn(), enrolled(), pinSet())
      .when({ type: "posture.reported", ...unattested })
      .leadsTo("active"));

  test("a request that failed leaves the last verdict in force for 24 hours", () =>
    activeSession(attested)
      .when(after({ hours: 1 }), failing)
      .leadsTo("active")
      .arms("integrityGrace", { hours: 23 })
      .when(after({ hours: 23 }))
      .leadsTo("noncompliant", "blockAccess")
      .because("integrityStale"));

  test("or until a reboot", () =>
    activeSession(attested, failing).when(rebooted()).leadsTo("noncompliant").because("integrityStale"));

  test("the last verdict counts for what it was", () =>
    activeSession(attested, posture({ integrity: "none" }))
      .leadsTo("noncompliant")
      .when(failing)
      .leadsTo("noncompliant")
      .because("integrity"));

  test("a fresh verdict lifts it; a check-in alone does not bring one", () =>
    activeSession(attested, failing, after({ hours: 24 }))
      .when(checkedIn())
      .leadsTo("noncompliant")
      .when(posture())
      .leadsTo("active")
      .armsNo("integrityGrace"));

  test("without Google Play Services there is no access, even where the policy only warns", () =>
    activeSession({
      ...attested,
      policy: { ...attested.policy, appActionIfAndroidSafetyNetDeviceAttestationFailed: "warn" },
    })
      .when(posture({ integrity: "unavailable" }))
      .leadsTo("noncompliant")
      .because("integrity"));
});

describe("a threat level", () => {
  const limited = {
    policy: { maximumAllowedDeviceThreatLevel: "low" },
    settings: { dispositions: { threatLevel: "wait" } },
  } as const;

  test("above the limit takes access away, below it gives it back", () =>
    activeSession(limited, threatLevel("low"), pinSet())
      .leadsTo("active")
      .when(threatLevel("medium"))
      .leadsTo("noncompliant")
      .because("threatLevel")
      .when(threatLevel("secured"))
      .leadsTo("active"));

  test("that gets worse ends what a remediation vouched for", () =>
    activeSession({ policy: { maximumAllowedDeviceThreatLevel: "low" } }, remediationCompleted(), pinSet())
      .leadsTo("active")
      .when(threatLevel("high"))
      .leadsTo("remediating")
      .because("threatLevel"));
});

describe("off shift", () => {
  const blocking = {
    policy: { appActionIfAccountIsClockedOut: "block", gracePeriodToBlockAppsDuringOffClockHours: "PT10M" },
  };
  const warning = { policy: { appActionIfAccountIsClockedOut: "warn" } };

  test("access ends after the grace, and resumes with the next shift", () =>
    activeSession(blocking)
      .when(shiftEnded())
      .leadsTo("active")
      .arms("shiftGrace", { minutes: 10 })
      .when(after({ minutes: 10 }))
      .leadsTo("noncompliant", "notify(blocked.offShift)")
      .because("offShift")
      .givesNo("signOut")
      .when(shiftStarted())
      .leadsTo("active", "grantAccess"));

  test("the event's own grace counts before the policy's", () =>
    activeSession(blocking)
      .when(shiftEnded({ graceMs: 60_000 }))
      .arms("shiftGrace", { minutes: 1 }));

  test("told twice, it has no second grace", () =>
    activeSession(blocking, shiftEnded(), after({ minutes: 10 }))
      .leadsTo("noncompliant")
      .when(shiftEnded())
      .leadsTo("noncompliant"));

  test("a shift that begins within the grace changes nothing", () =>
    activeSession(blocking, shiftEnded(), after({ minutes: 9 }), shiftStarted())
      .armsNo("shiftGrace")
      .when(after({ minutes: 30 }))
      .leadsTo("active"));

  test.each([
    ["at once, without a grace", 0],
    ["after the grace", 600_000],
  ])(
    "a policy that warns does so once, %s",
    (_when, graceMs) =>
      void activeSession(warning)
        .when(shiftEnded({ graceMs }), after({ ms: graceMs }), after({ hours: 1 }))
        .leadsTo("active")
        .givesExactly("notify(warn.offShift)"),
  );

  test("means nothing without such a policy", () =>
    activeSession()
      .when(shiftEnded(), after({ hours: 1 }))
      .leadsTo("active")
      .givesExactly()
      .armsNo("shiftGrace"));
});

describe("a whole policy as it is exported", () => {
  const ios = rules({ policy: samplePolicy("contoso-ios-level2") });

  test("lets a device in good order in, and asks for six digits", () =>
    givenSession(ios, signedIn(), posture(), enrolled())
      .leadsTo("pinSetup")
      .when(pinSet({ length: 6 }))
      .leadsTo("active"));

  test("warns below 17.1, blocks below 17, wipes below 15", () => {
    activeSession(ios)
      .when(posture({ osVersion: "17.0.3" }))
      .leadsTo("active", "notify(warn.version)");
    activeSession(ios)
      .when(posture({ osVersion: "16.7" }))
      .leadsTo("remediating")
      .because("osVersion");
    activeSession(ios)
      .when(posture({ osVersion: "14.8" }))
      .leadsTo("signedOut", effect("wipe", { why: "osVersion" }));
  });

  test("the noon's policy takes effect at once", () => {
    const noon = activeSession(ios).when(rules({ policy: samplePolicy("contoso-ios-level2-noon") }));
    expect(noon.records).toHaveLength(1);
    expect(noon.records[0]?.event.type).toBe("policy.changed");
  });
});
