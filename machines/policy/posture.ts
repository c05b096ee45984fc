/** What a device says of itself. Conditional launch judges it; the newest report replaces the one before. */
import { z } from "zod";
import { DEVICE_LOCKS } from "./rules.js";

/**
 * Play Integrity's answer as the app passes it on. `basic`, `device` and `strong` include the weaker ones; `none`: the
 * device fails even the basic check; `requestFailed`: no answer this time, the last verdict still counts for up to 24 h;
 * `unavailable`: Google Play Services are missing or too old.
 */
export const INTEGRITY_VERDICTS = ["none", "basic", "device", "strong", "requestFailed", "unavailable"] as const;
export type IntegrityVerdict = (typeof INTEGRITY_VERDICTS)[number];

const text = (what: string) => z.string().min(1).max(128).describe(what);

export const Posture = z.strictObject({
  osVersion: text("operating system version, e.g. `17.4.1`"),
  appVersion: text("version of the protected app"),
  sdkVersion: text("version of the Intune SDK in the app (iOS)").optional(),
  patchVersion: text("Android security patch date, `YYYY-MM-DD`").optional(),
  model: text("device model, e.g. `iPhone15,2`"),
  manufacturer: text("device manufacturer"),
  rooted: z.boolean().describe("jailbroken or rooted"),
  deviceLock: z.enum(DEVICE_LOCKS).describe("screen lock, by complexity"),
  portalVersion: text("version of Company Portal (Android)").optional(),
  portalAgeDays: z
    .int()
    .min(0)
    .max(36_500)
    .describe("days that Company Portal is behind its newest version")
    .optional(),
  integrity: z.enum(INTEGRITY_VERDICTS).describe("Play Integrity verdict (Android)").optional(),
  knox: z.enum(["passed", "failed", "unsupported"]).describe("Samsung Knox attestation").optional(),
  appScan: z.boolean().describe("Google's threat scan on apps is on (Android)").optional(),
});
export type Posture = z.infer<typeof Posture>;
