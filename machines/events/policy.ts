/** Whether policy binds this session: license, groups, and rules that changed. */
import { z } from "zod";
import { defineEvent, defineOwnEvent } from "./define-event.js";
import { Id } from "./fields.js";

export const licenseGranted = defineEvent({
  type: "license.granted",
  meaning: "The user has an Intune license. If a policy covers the session, it enrolls without a new sign-in.",
  emitters: ["service"],
  data: z.strictObject({ skuId: Id.optional() }),
});

export const licenseRevoked = defineEvent({
  type: "license.revoked",
  meaning: "The user has no Intune license any more. Management is removed: no wipe, no sign-out.",
  emitters: ["service"],
  bearing: "relaxing",
  data: z.strictObject({ skuId: Id.optional() }),
});

export const membershipChanged = defineEvent({
  type: "membership.changed",
  meaning: "The user's groups, complete. Decides which policies target the session.",
  emitters: ["service"],
  data: z.strictObject({ groups: z.array(Id).max(512) }),
});

export const policyRemoved = defineEvent({
  type: "policy.removed",
  meaning: "The service took management away from this account. It becomes unmanaged: no wipe, no sign-out.",
  emitters: ["service"],
  bearing: "relaxing",
  data: z.strictObject({ policyIds: z.array(Id).max(64).optional() }),
});

export const policyChanged = defineOwnEvent({
  type: "policy.changed",
  meaning: "The session's rules changed: another catalogue version, or other facts of the user.",
  data: z.strictObject({
    version: z.int().min(0).describe("catalogue version"),
    rules: z.string().describe("hash of the new rules"),
    before: z.string().describe("hash of the rules until now"),
  }),
});

export const assignmentChanged = defineOwnEvent({
  type: "assignment.changed",
  meaning: "Policies began or ceased to cover this session.",
  data: z.strictObject({
    targeted: z.boolean(),
    version: z.int().min(0),
    rules: z.string(),
    before: z.string(),
  }),
});
