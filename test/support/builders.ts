/** Sessions that have come as far as a specification needs them, and policies to play them under. */
import { readFileSync } from "node:fs";
import {
  enrolled,
  givenSession,
  noncompliant,
  noPolicy,
  pinSet,
  posture,
  rules,
  signedIn,
  tokenRevoked,
  type Happening,
  type RulesSpec,
  type Scenario,
} from "../../src/testing/index.js";
import type { Rules } from "../../machines/policy/rules.js";

/** A policy that asks for a PIN and judges no device. */
export const PLAIN = rules();
export const PLAIN_ANDROID = rules({ platform: "android" });
/** A policy that judges the device: iOS 17 at least. */
export const MODERN_OS = rules({ policy: { minimumRequiredOsVersion: "17.0" } });
export const UNCOVERED = noPolicy();

/** A Graph document from the samples that ship with Gatehouse. */
export function samplePolicy(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`../../samples/policies/${name}.json`, import.meta.url), "utf8")) as Record<
    string,
    unknown
  >;
}

const built = (under: Rules | RulesSpec): Rules => ("hash" in under ? under : rules(under));

/** Signed in; the app is enrolling. */
export const checkingSession = (under: Rules | RulesSpec = PLAIN, ...further: readonly Happening[]): Scenario =>
  givenSession(built(under), signedIn(), ...further);

/** Enrolled, the device reported in good order; a PIN is due. */
export const pinlessSession = (under: Rules | RulesSpec = PLAIN, ...further: readonly Happening[]): Scenario =>
  checkingSession(under, posture(), enrolled(), ...further);

/** Everything passed. */
export const activeSession = (under: Rules | RulesSpec = PLAIN, ...further: readonly Happening[]): Scenario =>
  pinlessSession(under, pinSet(), ...further);

/** A PIN is there and has to be entered. */
export const lockedSession = (under: Rules | RulesSpec = PLAIN, ...further: readonly Happening[]): Scenario =>
  activeSession(under, signedIn(), ...further);

/** Work credentials are due after the service refused a token. */
export const revokedSession = (under: Rules | RulesSpec = PLAIN, ...further: readonly Happening[]): Scenario =>
  activeSession(under, tokenRevoked(), ...further);

/** The first attempt to remediate the service's verdict runs. */
export const remediatingSession = (under: Rules | RulesSpec = PLAIN, ...further: readonly Happening[]): Scenario =>
  activeSession(under, noncompliant(), ...further);
