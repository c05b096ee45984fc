/** What causes and PIN violations are called when a person is told of them. */
import type { Cause } from "../policy/causes.js";
import type { PinViolation } from "../policy/pin-rules.js";

/** Fits "… is 13, but must be 14 or newer" for versions, and "this device does not meet your organisation's rules (…)" for the rest. */
export const CAUSE_WORDS: { readonly [C in Cause]?: string } = {
  osVersion: "the operating system",
  appVersion: "this app",
  sdkVersion: "this app's protection",
  patchVersion: "the security patch",
  companyPortal: "Company Portal",
  rooted: "it is jailbroken or rooted",
  deviceModel: "its make or model is not allowed",
  deviceLock: "its screen lock is too weak",
  integrity: "its integrity is not confirmed",
  integrityStale: "its integrity was not confirmed for too long",
  threatScan: "the threat scan on apps is off",
  knox: "its Samsung Knox attestation failed",
  threatLevel: "its threat level is too high",
};

export const VIOLATION_WORDS: Readonly<Record<PinViolation, string>> = {
  tooShort: "it is too short",
  wrongKind: "it is of the wrong kind",
  simple: "it is too simple",
  needsDigit: "it needs a digit",
  needsLetter: "it needs a letter",
  needsSymbol: "it needs a symbol",
  needsLetterOrSymbol: "it needs a letter or a symbol",
  inHistory: "it was used before",
};
