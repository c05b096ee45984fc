/** Registering the account for management. */
import { z } from "zod";
import { defineEvent } from "./define-event.js";

export const ENROLLMENT_RESULTS = [
  "PENDING",
  "ENROLLMENT_SUCCEEDED",
  "NOT_LICENSED",
  "NOT_TARGETED",
  "TENANT_NOT_SET_UP",
  "AUTHORIZATION_NEEDED",
  "ENROLLMENT_FAILED",
  "WRONG_USER",
  "COMPANY_PORTAL_REQUIRED",
] as const;
export type EnrollmentResult = (typeof ENROLLMENT_RESULTS)[number];

export const enrollmentCompleted = defineEvent({
  type: "enrollment.completed",
  meaning:
    "An enrollment attempt ended. Success brings the policy; the other results hold, refuse or release the account.",
  emitters: ["app", "service"],
  bearing: ({ result }) =>
    result === "WRONG_USER" || result === "COMPANY_PORTAL_REQUIRED"
      ? "restricting"
      : result === "ENROLLMENT_SUCCEEDED" || result === "NOT_LICENSED" || result === "NOT_TARGETED"
        ? "relaxing"
        : "neutral",
  data: z.strictObject({
    result: z.enum(ENROLLMENT_RESULTS),
    rawCode: z.int().describe("the SDK's own code").optional(),
  }),
});

export const enrollmentEnded = defineEvent({
  type: "enrollment.ended",
  meaning: "The account was unregistered. A session that is still signed in must enroll again before any access.",
  emitters: ["app", "service"],
  bearing: "restricting",
  data: z.strictObject({
    result: z.enum(["UNENROLLMENT_SUCCEEDED", "UNENROLLMENT_FAILED"]),
    wiped: z.boolean().describe("the account's data was removed with it").optional(),
  }),
});

export const registrationExpired = defineEvent({
  type: "registration.expired",
  meaning: "The service dropped the registration after a long silence. The app enrolls again at its next launch.",
  emitters: ["service"],
  bearing: "restricting",
  data: z.strictObject({ daysSinceSync: z.int().min(0).max(36_500) }),
});
