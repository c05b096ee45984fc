/** The session as such. */
import { z } from "zod";
import { defineEvent } from "./define-event.js";
import { ShortText } from "./fields.js";

export const sessionSignOutForced = defineEvent({
  type: "session.signOutForced",
  meaning: "An administrator ends the session.",
  emitters: ["admin"],
  bearing: "restricting",
  data: z.strictObject({ note: ShortText.optional() }),
});
