/** What the chaos run's devices are under, and what they send: the same for the run and for whoever checks the oracle without one. */
import { readFileSync } from "node:fs";
import type { CatalogueContent } from "../../src/control/catalogue-document.js";
import type { ChaosEvent, ChaosState } from "./oracle.js";

const policy = JSON.parse(
  readFileSync(new URL("../../samples/policies/contoso-ios-level2.json", import.meta.url), "utf8"),
) as object;

/** An old system waits for its update; what would be remediated is signed out, because remediation is off. */
export const CONTENT = {
  policies: [policy],
  conditionalAccess: [],
  settings: { remediation: { enabled: false }, dispositions: { osVersion: "wait" } },
} as unknown as CatalogueContent;

const POSTURE = {
  appVersion: "6.2.1",
  sdkVersion: "19.7.2",
  model: "iPhone15,2",
  manufacturer: "Apple",
  rooted: false,
  deviceLock: "high",
};
const PIN = {
  length: 6,
  kind: "numeric",
  simple: false,
  hasDigit: true,
  hasLetter: false,
  hasSymbol: false,
  matchesHistory: 0,
};

/** The event as it is sent, beside its envelope. */
export function dataOf(event: ChaosEvent): object {
  switch (event.type) {
    case "account.signedIn":
      return { platform: "ios", interactive: true };
    case "account.signedOut":
      return { initiator: "user" };
    case "enrollment.completed":
      return { result: "ENROLLMENT_SUCCEEDED" };
    case "posture.reported":
      return { ...POSTURE, osVersion: event.systemIsOld ? "16.7" : "17.4.1" };
    case "compliance.evaluated":
      return { verdict: event.compliant ? "compliant" : "noncompliant", scope: "mam" };
    case "pin.set":
      return { descriptor: PIN };
    case "pin.verified":
      return { method: "pin" };
    case "pin.rejected":
      return { failedAttempts: event.failedAttempts };
    case "auth.succeeded":
      return { method: "credentials" };
    case "token.revoked":
      return { reason: "revoked" };
    case "checkin.succeeded":
      return { policy: "unchanged" };
    case "wipe.requested":
      return { requestId: event.requestId, scope: "app" };
    case "wipe.completed":
      return { requestId: event.requestId };
    default:
      return {};
  }
}

/** Events that can only take access away: from their acceptance on nobody is let in. */
export function restricts(event: ChaosEvent): boolean {
  switch (event.type) {
    case "account.signedOut":
    case "session.signOutForced":
    case "token.revoked":
    case "wipe.requested":
    case "pin.resetRequested":
      return true;
    case "posture.reported":
      return event.systemIsOld;
    case "compliance.evaluated":
      return !event.compliant;
    default:
      return false;
  }
}

type Chance = () => number;

/** What a device sends next, mostly what gets its user in, now and then what throws them out. */
export function nextEvent(state: ChaosState, chance: Chance, id: () => string, wipe: string | undefined): ChaosEvent {
  const pick = <One>(...all: readonly One[]): One => all[Math.floor(chance() * all.length)] as One;
  if (chance() < 0.25) {
    return pick<ChaosEvent>(
      { type: "app.backgrounded" },
      { type: "app.foregrounded" },
      { type: "checkin.succeeded" },
      { type: "connectivity.lost" },
    );
  }
  if (chance() < 0.06) {
    return pick<ChaosEvent>(
      { type: "account.signedOut" },
      { type: "session.signOutForced" },
      { type: "compliance.evaluated", compliant: false },
      { type: "wipe.requested", requestId: id() },
      { type: "account.signedIn" },
      { type: "posture.reported", systemIsOld: chance() < 0.5 },
      { type: "pin.set" },
      { type: "pin.verified" },
    );
  }
  switch (state) {
    case "none":
      return { type: "account.signedIn" };
    case "unenrolled":
      return { type: "enrollment.completed" };
    case "pinSetup":
      return pick<ChaosEvent>({ type: "pin.set" }, { type: "auth.succeeded" });
    case "noncompliant":
      return { type: "posture.reported", systemIsOld: chance() < 0.3 };
    case "locked":
      return pick<ChaosEvent>(
        { type: "pin.verified" },
        { type: "auth.succeeded" },
        { type: "posture.reported", systemIsOld: false },
        { type: "pin.rejected", failedAttempts: 1 },
      );
    case "active":
      return pick<ChaosEvent>(
        { type: "account.signedIn" },
        { type: "token.revoked" },
        { type: "pin.resetRequested" },
        { type: "posture.reported", systemIsOld: chance() < 0.5 },
        { type: "compliance.evaluated", compliant: chance() < 0.7 },
      );
    case "signedOut":
      if (wipe !== undefined && chance() < 0.5) return { type: "wipe.completed", requestId: wipe };
      return pick<ChaosEvent>(
        { type: "account.signedIn" },
        { type: "compliance.evaluated", compliant: true },
        { type: "posture.reported", systemIsOld: false },
      );
  }
}
