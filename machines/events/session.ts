/** The session as such. */
import { z } from "zod";
import { defineEvent, defineOwnEvent } from "./define-event.js";
import { ShortText } from "./fields.js";

export const sessionSignOutForced = defineEvent({
  type: "session.signOutForced",
  meaning: "An administrator ends the session.",
  emitters: ["admin"],
  bearing: "restricting",
  data: z.strictObject({ note: ShortText.optional() }),
});

export const sessionRetired = defineOwnEvent({
  type: "session.retired",
  meaning:
    "A session that nobody used any more is forgotten; the user's next sign-in on the device begins anew. It stays while a wipe is pending, while it is quarantined, and while the organisation has something against it.",
  data: z.strictObject({
    upTo: z
      .int()
      .min(0)
      .describe("number of the session's last record that was looked at; if another came since, nothing happens"),
    why: z
      .enum(["silent", "tooMany"])
      .describe("it was not heard of for as long as sessions are kept, or the device has more sessions than it may"),
  }),
});
