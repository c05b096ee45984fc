/** Working time, where the tenant reports it. */
import { z } from "zod";
import { defineEvent } from "./define-event.js";
import { ProducerTime } from "./fields.js";

export const shiftEnded = defineEvent({
  type: "shift.ended",
  meaning: "The user's shift ended. After a grace the policy warns or takes access away until the next shift.",
  emitters: ["service"],
  bearing: "restricting",
  data: z.strictObject({
    at: ProducerTime.optional(),
    graceMs: z.int().min(0).max(86_400_000).describe("instead of the policy's grace").optional(),
  }),
});

export const shiftStarted = defineEvent({
  type: "shift.started",
  meaning: "The user's shift began.",
  emitters: ["service"],
  bearing: "relaxing",
  data: z.strictObject({ at: ProducerTime.optional() }),
});
