/** Whether policy binds this session: management that ended, and rules that changed. */
import { z } from "zod";
import { defineEvent, defineOwnEvent } from "./define-event.js";
import { Id } from "./fields.js";

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
