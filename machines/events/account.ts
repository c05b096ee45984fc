/** The account on the device: signing in and out, switching, and whether it may be there. */
import { z } from "zod";
import { defineEvent } from "./define-event.js";
import { Id } from "./fields.js";

export const accountSignedIn = defineEvent({
  type: "account.signedIn",
  meaning: "Somebody signed in with this account. Creates the session; drops any proof, so a PIN is asked again.",
  emitters: ["app"],
  bearing: "relaxing",
  data: z.strictObject({
    platform: z.enum(["ios", "android"]),
    accountId: Id.optional(),
    interactive: z.boolean().describe("the person typed credentials").optional(),
    mfa: z.boolean().describe("with a second factor").optional(),
    deviceMdmEnrolled: z.boolean().describe("the whole device is enrolled in MDM").optional(),
  }),
});

export const accountSignedOut = defineEvent({
  type: "account.signedOut",
  meaning: "The account was signed out in the app. Ends the session; a managed account's data is removed.",
  emitters: ["app", "admin"],
  bearing: "restricting",
  data: z.strictObject({ initiator: z.enum(["user", "app", "admin"]) }),
});

export const accountSwitched = defineEvent({
  type: "account.switched",
  meaning:
    "The app shows another account. Told to both sessions: the one left is treated as backgrounded, the one shown is judged again, and signed out if it is out of compliance.",
  emitters: ["app"],
  data: z
    .strictObject({
      fromAccountId: Id.optional(),
      toAccountId: Id.optional(),
      reason: z.enum(["explicit", "intent", "resumeCancelled"]).optional(),
      role: z
        .enum(["from", "to"])
        .describe("which of the two this session is; set on acceptance, not by producers")
        .optional(),
    })
    .describe("at least one of fromAccountId and toAccountId"),
});

export const accountRemoved = defineEvent({
  type: "account.removed",
  meaning:
    "An account was removed from the app. This session's own: ends it. Another: a session refused as second managed account is judged again.",
  emitters: ["app"],
  bearing: "neutral",
  data: z.strictObject({ accountId: Id.describe("the removed account; absent: this session's").optional() }),
});

export const accountNotAllowed = defineEvent({
  type: "account.notAllowed",
  meaning: "The organisation does not allow this account in this app. The session is signed out.",
  emitters: ["service"],
  bearing: "restricting",
  data: z.strictObject({ allowedAccountIds: z.array(Id).max(64).optional() }),
});
