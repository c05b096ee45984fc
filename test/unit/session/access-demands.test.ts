/** Conditional access as Gatehouse evaluates it itself: what the catalogue's policies demand, and what the session can show. */
import { describe, test } from "vitest";
import type { AccessDemand } from "../../../machines/policy/rules.js";
import {
  after,
  authSucceeded,
  compliant,
  conditionalAccessDenied,
  effect,
  enrolled,
  givenSession,
  launched,
  licenseRevoked,
  noncompliant,
  pinSet,
  posture,
  remediationCompleted,
  rules,
  signedIn,
  tokenRevoked,
} from "../../../src/testing/index.js";

const demand = (operator: "AND" | "OR", ...controls: readonly string[]): AccessDemand => ({
  policy: { id: `ca-${controls.join("-")}`, name: "Conditional access" },
  operator,
  controls,
});

/** A policy protects the account, and conditional access demands this as well. */
const protectedBut = (...demands: readonly AccessDemand[]) => rules({ conditionalAccess: demands });
/** Nothing protects the account, and conditional access demands this. */
const unprotectedBut = (...demands: readonly AccessDemand[]) =>
  rules({ policies: [], pin: null, offline: { blockAfterMs: null, wipeAfterMs: null }, conditionalAccess: demands });

const inUnder = (...demands: readonly AccessDemand[]) =>
  givenSession(protectedBut(...demands), signedIn(), posture(), enrolled(), pinSet());

describe("app protection demanded", () => {
  const DEMAND = demand("AND", "compliantApplication");

  test("is met by the policy that protects the account", () => {
    inUnder(DEMAND).leadsTo("active").decides("allow");
  });

  test("is waited for while the app enrolls, and nobody is in before", () => {
    givenSession(protectedBut(DEMAND), signedIn())
      .leadsTo("unenrolled.checking")
      .decides("deny", "enrollment.checking");
  });

  test("of an account that no policy protects takes access away: remediation is tried, and can't succeed", () => {
    givenSession(unprotectedBut(DEMAND), signedIn())
      .when(enrolled({ result: "NOT_TARGETED" }))
      .leadsTo("remediating", "remediate")
      .because("caProtectionPolicyRequired")
      .when(remediationCompleted("COMPLIANT"))
      .leadsTo("signedOut", effect("signOut", { reason: "remediationFailed" }));
  });

  test("takes access from whoever loses the license, though app protection itself never would", () => {
    inUnder(DEMAND).when(licenseRevoked()).leadsTo("remediating").because("caProtectionPolicyRequired");
    inUnder().when(licenseRevoked()).leadsTo("unenrolled.unmanaged").decides("allow");
  });
});

describe("a second factor demanded", () => {
  const DEMAND = demand("AND", "mfa");

  test("is asked for before anybody gets in, and a sign-in with one is enough", () => {
    inUnder(DEMAND)
      .leadsTo("locked", effect("promptCredentials", { why: "conditionalAccess" }))
      .decides("challenge", "credentials.conditionalAccess")
      .when(authSucceeded({ mfa: false }))
      .leadsTo("locked")
      .when(authSucceeded({ mfa: true }))
      .leadsTo("active", "grantAccess");
  });

  test("is remembered over launches, and asked for again when the token is taken back", () => {
    inUnder(DEMAND)
      .when(authSucceeded({ mfa: true }), after({ minutes: 1 }), launched())
      .leadsTo("active")
      .when(tokenRevoked(), authSucceeded({ mfa: false }))
      .decides("challenge", "credentials.conditionalAccess");
  });

  test("of an account that no policy protects holds it until the sign-in", () => {
    givenSession(unprotectedBut(DEMAND), signedIn())
      .when(enrolled({ result: "NOT_TARGETED" }))
      .leadsTo("unenrolled.held", effect("promptCredentials", { why: "conditionalAccess" }))
      .givesNo("allowUnmanaged")
      .decides("challenge", "credentials.conditionalAccess")
      .when(authSucceeded({ mfa: true }))
      .leadsTo("unenrolled.unmanaged", "allowUnmanaged")
      .decides("allow");
  });

  test("by the outside evaluation holds an unmanaged account likewise", () => {
    givenSession(unprotectedBut(), signedIn(), enrolled({ result: "NOT_TARGETED" }))
      .when(conditionalAccessDenied("mfa"))
      .leadsTo("unenrolled.held")
      .decides("challenge", "credentials.conditionalAccess")
      .when(tokenRevoked())
      .decides("challenge", "credentials.conditionalAccess")
      .when(authSucceeded({ mfa: true }))
      .decides("allow");
  });
});

describe("a compliant device demanded", () => {
  const DEMAND = demand("AND", "compliantDevice");

  test("waits for the service's verdict, which opens the way", () => {
    inUnder(DEMAND)
      .leadsTo("locked")
      .decides("deny", "deviceCompliance.unknown")
      .when(compliant({ scope: "device" }))
      .leadsTo("active");
  });

  test("is refused with a bad one, and tried to remediate", () => {
    inUnder(DEMAND)
      .when(noncompliant({ scope: "device" }))
      .leadsTo("remediating")
      .because("caDeviceNotCompliant")
      .when(remediationCompleted("COMPLIANT"))
      .decides("deny", "deviceCompliance.unknown")
      .when(compliant({ scope: "device" }))
      .leadsTo("active");
  });
});

describe("several demands", () => {
  test("are all to be met; of alternatives one is enough", () => {
    inUnder(demand("OR", "mfa", "compliantApplication")).leadsTo("active");
    inUnder(demand("OR", "mfa", "compliantApplication"), demand("AND", "mfa"))
      .leadsTo("locked")
      .decides("challenge", "credentials.conditionalAccess");
  });

  test("with an outright block among them sign the session out, also in the middle of a remediation", () => {
    inUnder(demand("AND", "block")).leadsTo("signedOut").because("caBlocked");
    givenSession(rules({ policy: { minimumRequiredOsVersion: "17.0" } }), signedIn(), enrolled())
      .when(posture({ osVersion: "16.0" }))
      .leadsTo("remediating")
      .when(protectedBut(demand("AND", "block")))
      .leadsTo("signedOut")
      .because("caBlocked");
  });

  test("a control that nobody here can satisfy blocks", () => {
    inUnder(demand("AND", "mfa", "somethingNew"))
      .leadsTo("signedOut")
      .because("caBlocked");
  });
});

describe("a user whose groups nobody told", () => {
  const UNTOLD = rules({ policies: [], pin: null, membershipUnknown: true });

  test("is held, because a policy may cover the account", () => {
    givenSession(UNTOLD, signedIn(), enrolled()).leadsTo("unenrolled.checking").decides("deny", "membership.unknown");
  });

  test("is let go as soon as it is known that none does, and protected as soon as one does", () => {
    givenSession(UNTOLD, signedIn(), enrolled(), posture())
      .when(unprotectedBut())
      .leadsTo("unenrolled.unmanaged")
      .decides("allow");
    givenSession(UNTOLD, signedIn(), enrolled(), posture()).when(protectedBut()).leadsTo("pinSetup");
  });

  test("is not held when the service says that no policy covers the account", () => {
    givenSession(UNTOLD, signedIn())
      .when(enrolled({ result: "NOT_TARGETED" }))
      .leadsTo("unenrolled.unmanaged");
  });
});
