/**
 * A PIN as the server knows it: by its descriptor. The PIN itself never leaves the device, so this says all
 * that rules can ask about and nothing from which the PIN could be found.
 */
import { z } from "zod";

export const PinDescriptor = z.strictObject({
  length: z.int().min(1).max(64).describe("characters"),
  kind: z.enum(["numeric", "passcode"]),
  simple: z.boolean().describe("contains a run or a repeat of three characters"),
  hasDigit: z.boolean(),
  hasLetter: z.boolean(),
  hasSymbol: z.boolean(),
  matchesHistory: z
    .int()
    .min(0)
    .max(24)
    .describe("how many PINs ago the same PIN was used: 1 is the one before, 0 is never"),
  setAt: z.iso.datetime({ offset: true }).describe("when, by the device's clock; information only").optional(),
});
export type PinDescriptor = z.infer<typeof PinDescriptor>;
