/** Selective wipe: obeyed at once, repeated until it is done, and never asked for by anything harmless. */
import { describe, expect, test } from "vitest";
import {
  after,
  checkedIn,
  effect,
  enrolled,
  givenSession,
  launched,
  licenseRevoked,
  noPolicy,
  pinSet,
  posture,
  rules,
  signedIn,
  threatLevel,
  wipeCancelled,
  wipeCompleted,
  wipeFailed,
  wipeRequested,
  type Scenario,
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

const status = ({ session }: Scenario) => session.facts.wipe?.status;
const FOR_GOOD = wipeRequested({ scope: "user", requestId: "user-wipe" });

describe("a request", () => {
  test.each([
    ["checking", checkingSession],
    ["pinSetup", pinlessSession],
    ["locked", lockedSession],
    ["active", activeSession],
    ["remediating", remediatingSession],
  ] as const)("is obeyed at once from %s", (_state, session) => {
    const wiped = session().when(wipeRequested());
    wiped
      .leadsTo("signedOut")
      .givesExactly(
        effect("wipe", { requestId: "wipe-1", why: "requested" }),
        "blockAccess",
        effect("signOut", { reason: "wipeRequested" }),
        "notify(signedOutByOrganisation)",
      )
      .decides("deny", "signedOut.wipeRequested");
    expect(status(wiped)).toBe("pending");
  });

  test("reaches an unmanaged session too", () =>
    givenSession(UNCOVERED, signedIn(), enrolled()).when(wipeRequested()).leadsTo("signedOut", "wipe"));

  test("reaches a session that is signed out", () => {
    const wiped = activeSession(PLAIN, wipeRequested(), wipeCompleted()).when(wipeRequested({ requestId: "wipe-2" }));
    wiped.leadsTo("signedOut").givesExactly(effect("wipe", { requestId: "wipe-2" }));
    expect(status(wiped)).toBe("pending");
  });
});

describe("while it is pending", () => {
  const pending = () => activeSession(PLAIN, wipeRequested());

  test("a sign-in does not get in, and is told to wipe again", () =>
    pending()
      .when(signedIn())
      .leadsTo("signedOut")
      .givesExactly(effect("wipe", { requestId: "wipe-1" }), "notify(wiped)"));

  test("so is a check-in", () => pending().when(checkedIn()).leadsTo("signedOut").givesExactly("wipe"));

  test("one that failed is tried at the next contact", () => {
    const failed = pending().when(wipeFailed());
    failed.leadsTo("signedOut").givesExactly();
    expect(status(failed)).toBe("failed");
    expect(status(failed.when(checkedIn()).givesExactly(effect("wipe", { requestId: "wipe-1" })))).toBe("pending");
    failed.when(signedIn()).leadsTo("signedOut", "wipe");
  });

  test("its completion is told, and opens the way for a sign-in that sets a new PIN", () => {
    const done = pending().when(wipeCompleted());
    done.leadsTo("signedOut").givesExactly("notify(wiped)");
    expect(status(done)).toBe("completed");
    done.when(signedIn(), enrolled()).leadsTo("pinSetup", "notify(intro)");
  });

  test("it can be called off; the session stays signed out until somebody signs in", () => {
    const cancelled = pending().when(wipeCancelled());
    expect(status(cancelled.leadsTo("signedOut").givesExactly())).toBe("cancelled");
    cancelled.when(checkedIn()).givesNo("wipe");
    cancelled.when(signedIn()).leadsTo("unenrolled.checking");
  });

  test("what is said of another request means nothing", () => {
    for (const event of [wipeCompleted, wipeFailed, wipeCancelled]) {
      expect(
        status(
          pending()
            .when(event({ requestId: "another" }))
            .is("ignored"),
        ),
      ).toBe("pending");
    }
  });
});

describe("a wipe of the user", () => {
  const listed = () => activeSession(PLAIN, FOR_GOOD, wipeCompleted());

  test("is repeated at every contact although it was done", () => {
    listed()
      .when(signedIn())
      .leadsTo("signedOut", effect("wipe", { requestId: "user-wipe" }), "notify(wiped)");
    listed()
      .when(checkedIn())
      .leadsTo("signedOut", effect("wipe", { requestId: "user-wipe" }));
    listed()
      .when(checkedIn({ wipePending: true }))
      .leadsTo("signedOut", effect("wipe", { requestId: "user-wipe" }));
  });

  test("ends when it is cancelled", () => listed().when(wipeCancelled(), signedIn()).leadsTo("unenrolled.checking"));

  test("is not forgotten over a wipe of the app", () =>
    listed()
      .when(wipeRequested({ requestId: "app-wipe" }))
      .leadsTo("signedOut", "wipe")
      .when(wipeCompleted(), signedIn())
      .leadsTo("signedOut"));
});

describe("the rules", () => {
  test("wipe for a failing condition whose action is wipe", () =>
    activeSession({ policy: { deviceComplianceRequired: true, appActionIfDeviceComplianceRequired: "wipe" } })
      .when(posture({ rooted: true }))
      .leadsTo("signedOut", effect("wipe", { why: "rooted" }), effect("signOut", { reason: "wiped" }), "notify(wiped)")
      .because("rooted"));

  test("wipe at once when they are changed to", () =>
    activeSession(PLAIN, posture({ osVersion: "16" }))
      .when(rules({ policy: { minimumWipeOsVersion: "17" } }))
      .leadsTo("signedOut", effect("wipe", { why: "osVersion" })));

  test("only block for what a device did not say", () =>
    pinlessSession({ policy: { maximumAllowedDeviceThreatLevel: "low", mobileThreatDefenseRemediationAction: "wipe" } })
      .leadsTo("remediating")
      .givesNo("wipe")
      .when(threatLevel("high"), after({ minutes: 1 }))
      .leadsTo("remediating"));

  test("do not bind who signs in anew until the app is enrolled", () =>
    checkingSession({ policy: { minimumWipeOsVersion: "17" } }, posture({ osVersion: "16" }), checkedIn(), launched())
      .leadsTo("unenrolled.checking")
      .givesNo("wipe"));
});

describe("never follows", () => {
  test("from a warning", () =>
    activeSession({ policy: { minimumWarningOsVersion: "18" } })
      .when(launched())
      .leadsTo("active", "notify(warn.version)")
      .givesNo("wipe"));

  test("from silence, however long", () =>
    activeSession()
      .when(after({ days: 3_000 }))
      .leadsTo("noncompliant")
      .givesNo("wipe"));

  test("from losing license or policy", () => {
    activeSession().when(licenseRevoked()).givesNo("wipe");
    activeSession().when(noPolicy()).givesNo("wipe");
  });

  test("twice: a new PIN after a completed wipe is like the first", () =>
    activeSession(PLAIN, wipeRequested(), wipeCompleted(), signedIn(), enrolled())
      .when(pinSet(), checkedIn())
      .leadsTo("active")
      .givesNo("wipe"));
});
