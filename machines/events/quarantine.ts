/** What an operator decides about a session that was set aside: to go on with it, or to give it up. */
import { z } from "zod";
import { defineOwnEvent } from "./define-event.js";

const UpTo = z
  .int()
  .min(0)
  .describe("number of the session's last record that was looked at; if another came since, nothing happens");

export const quarantineLifted = defineOwnEvent({
  type: "quarantine.lifted",
  meaning:
    "An operator lets a quarantined session go on from where it stopped. The events that were set aside follow, in their order.",
  data: z.strictObject({ upTo: UpTo, events: z.int().min(0).describe("how many follow") }),
});

export const quarantineDropped = defineOwnEvent({
  type: "quarantine.dropped",
  meaning:
    "An operator gives a quarantined session up. It is signed out, and the next sign-in begins anew; what the organisation said of it in the meantime still counts.",
  data: z.strictObject({
    upTo: UpTo,
    events: z.int().min(0).describe("how many follow: those that the organisation's side reported"),
    last: z
      .strictObject({
        state: z.string(),
        revision: z.int().min(0),
        platform: z.enum(["ios", "android"]),
      })
      .describe("what its journal tells of a session whose snapshot can't be read")
      .optional(),
  }),
});
