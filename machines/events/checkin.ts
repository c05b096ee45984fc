/** Contact with the service: check-ins and connectivity. */
import { z } from "zod";
import { defineEvent } from "./define-event.js";
import { NoData, ProducerTime } from "./fields.js";

export const checkinSucceeded = defineEvent({
  type: "checkin.succeeded",
  meaning: "The app reached the service. The offline limits start anew; a wipe that waited is obeyed.",
  emitters: ["app", "service"],
  bearing: ({ wipePending }) => (wipePending === true ? "restricting" : "relaxing"),
  data: z.strictObject({
    syncedAt: ProducerTime.optional(),
    policy: z.enum(["new", "unchanged", "none"]).optional(),
    wipePending: z.boolean().optional(),
  }),
});

export const checkinFailed = defineEvent({
  type: "checkin.failed",
  meaning: "The app could not check in. Technical reasons are retried; an invalid user counts as a disabled account.",
  emitters: ["app"],
  bearing: ({ reason }) => (reason === "userInvalid" ? "restricting" : "neutral"),
  data: z.strictObject({
    reason: z.enum(["network", "service", "timeout", "tokenMissing", "userInvalid"]),
    attempt: z.int().min(1).max(1_000_000).describe("running number of this failure since the last success"),
  }),
});

export const connectivityLost = defineEvent({
  type: "connectivity.lost",
  meaning: "The device went offline. Recorded; the offline limits run from the last check-in.",
  emitters: ["app"],
  data: NoData,
});

export const connectivityRestored = defineEvent({
  type: "connectivity.restored",
  meaning: "The device is online again. Recorded.",
  emitters: ["app"],
  data: NoData,
});
