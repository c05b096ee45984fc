/** The app PIN and the biometrics that may stand in for it. No event ever carries a PIN. */
import { z } from "zod";
import { PinDescriptor } from "../policy/pin-descriptor.js";
import { defineEvent } from "./define-event.js";
import { NoData, ProducerTime, ShortText } from "./fields.js";

export const pinSet = defineEvent({
  type: "pin.set",
  meaning: "The person chose a PIN, told by its descriptor. If it fits the rules it also counts as proof.",
  emitters: ["app"],
  bearing: "relaxing",
  data: z.strictObject({ descriptor: PinDescriptor }),
});

export const pinSetRejected = defineEvent({
  type: "pin.setRejected",
  meaning: "The app itself refused a new PIN and told the person why.",
  emitters: ["app"],
  data: z.strictObject({ violations: z.array(ShortText).max(16) }),
});

export const pinVerified = defineEvent({
  type: "pin.verified",
  meaning: "The PIN, or a biometric in its place, was entered correctly.",
  emitters: ["app"],
  bearing: "relaxing",
  data: z.strictObject({ method: z.enum(["pin", "biometric"]), at: ProducerTime.optional() }),
});

export const pinRejected = defineEvent({
  type: "pin.rejected",
  meaning: "A wrong PIN was entered. When the attempts are spent the PIN is reset or the data wiped.",
  emitters: ["app"],
  bearing: "restricting",
  data: z.strictObject({
    failedAttempts: z.int().min(1).max(65_535).describe("running count since the last good entry"),
  }),
});

export const pinCancelled = defineEvent({
  type: "pin.cancelled",
  meaning: "The person left the PIN prompt. No access; the app falls back to no managed account.",
  emitters: ["app"],
  bearing: "restricting",
  data: NoData,
});

export const pinResetRequested = defineEvent({
  type: "pin.resetRequested",
  meaning: "The person or an administrator asked for a new PIN. Needs a fresh sign-in.",
  emitters: ["app", "admin"],
  bearing: "restricting",
  data: NoData,
});

export const biometricsChanged = defineEvent({
  type: "biometrics.changed",
  meaning:
    "The biometrics enrolled on the device changed. The next prompt takes the PIN alone, where the rules say so.",
  emitters: ["app"],
  bearing: "restricting",
  data: NoData,
});
