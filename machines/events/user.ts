/** What the directory says of a user: license, groups, account. True on every device, so it is kept once, in the user's record. */
import { z } from "zod";
import { defineEvent, defineOwnEvent } from "./define-event.js";
import { Id, ProducerTime } from "./fields.js";

export const licenseGranted = defineEvent({
  type: "license.granted",
  scope: "user",
  meaning: "The user has an Intune license. If a policy covers the session, it enrolls without a new sign-in.",
  emitters: ["service"],
  data: z.strictObject({ skuId: Id.optional() }),
});

export const licenseRevoked = defineEvent({
  type: "license.revoked",
  scope: "user",
  meaning: "The user has no Intune license any more. Management is removed: no wipe, no sign-out.",
  emitters: ["service"],
  bearing: "relaxing",
  data: z.strictObject({ skuId: Id.optional() }),
});

export const membershipChanged = defineEvent({
  type: "membership.changed",
  scope: "user",
  meaning: "The user's groups, complete. Decides which policies target the user's sessions.",
  emitters: ["service"],
  data: z.strictObject({ groups: z.array(Id).max(512) }),
});

export const accountDisabled = defineEvent({
  type: "account.disabled",
  scope: "user",
  meaning:
    "The directory disabled or deleted the account. What follows is the policy's `appActionIfUnableToAuthenticateUser`.",
  emitters: ["service"],
  bearing: "restricting",
  data: z.strictObject({ confirmedAt: ProducerTime.optional() }),
});

export const accountEnabled = defineEvent({
  type: "account.enabled",
  scope: "user",
  meaning: "The directory enabled the account again, or allows it in this app again.",
  emitters: ["service"],
  bearing: "relaxing",
  data: z.strictObject({ confirmedAt: ProducerTime.optional() }),
});

export const userChanged = defineOwnEvent({
  type: "user.changed",
  meaning:
    "All that is known of the user, where a session may have missed how it came about: at a sign-in, after an import, or when it is asked before it was told.",
  data: z.strictObject({
    version: z.int().min(1).describe("of the user's record"),
    licensed: z.boolean().optional(),
    groups: z.array(Id).optional(),
    account: z.enum(["enabled", "disabled"]).optional(),
  }),
});
