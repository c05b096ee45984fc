/** What a phone in order reports, and a PIN that its user chose. */

export const POSTURE = {
  osVersion: "17.4.1",
  appVersion: "6.2.1",
  sdkVersion: "19.7.2",
  model: "iPhone15,2",
  manufacturer: "Apple",
  rooted: false,
  deviceLock: "high",
} as const;

export const PIN = {
  length: 6,
  kind: "numeric",
  simple: false,
  hasDigit: true,
  hasLetter: false,
  hasSymbol: false,
  matchesHistory: 0,
} as const;
