/** Selective wipe: removing the work account's data from the app. */
import { z } from "zod";
import { defineEvent } from "./define-event.js";
import { Id } from "./fields.js";

export const wipeRequested = defineEvent({
  type: "wipe.requested",
  meaning:
    "An administrator asks to remove the account's data: from this app, or (scope `user`) at every contact until cancelled.",
  emitters: ["admin", "service"],
  bearing: "restricting",
  data: z.strictObject({ requestId: Id, scope: z.enum(["app", "user"]) }),
});

export const wipeCancelled = defineEvent({
  type: "wipe.cancelled",
  meaning: "A wipe that was still to be done is called off. The session stays signed out.",
  emitters: ["admin", "service"],
  bearing: "relaxing",
  data: z.strictObject({ requestId: Id }),
});

export const wipeCompleted = defineEvent({
  type: "wipe.completed",
  meaning: "The app removed the account's data.",
  emitters: ["app"],
  data: z.strictObject({ requestId: Id }),
});

export const wipeFailed = defineEvent({
  type: "wipe.failed",
  meaning: "The app could not remove the data. It is told again at its next contact.",
  emitters: ["app"],
  data: z.strictObject({ requestId: Id, error: z.string().max(64).describe("a code, not a text").optional() }),
});
