/** The app's attempts to come back into compliance. */
import { z } from "zod";
import { defineEvent } from "./define-event.js";
import { ShortText } from "./fields.js";

export const REMEDIATION_STATUSES = [
  "COMPLIANT",
  "NOT_COMPLIANT",
  "SERVICE_FAILURE",
  "NETWORK_FAILURE",
  "INTERACTION_REQUIRED",
  "USER_CANCELLED",
  "CLIENT_ERROR",
  "PENDING",
  "COMPANY_PORTAL_REQUIRED",
  "UNKNOWN",
] as const;

export const remediationRequested = defineEvent({
  type: "remediation.requested",
  meaning: "Somebody asks for a remediation attempt of a waiting, noncompliant session.",
  emitters: ["app", "admin"],
  data: z.strictObject({ silent: z.boolean().optional() }),
});

export const remediationCompleted = defineEvent({
  type: "remediation.completed",
  meaning: "What a remediation attempt came to. An answer to any but the current attempt changes nothing.",
  emitters: ["app"],
  bearing: ({ status }) =>
    status === "COMPLIANT" ? "relaxing" : status === "COMPANY_PORTAL_REQUIRED" ? "neutral" : "restricting",
  data: z.strictObject({
    status: z.enum(REMEDIATION_STATUSES),
    attemptId: z.string().min(1).max(64),
    restarted: z.boolean().describe("the app restarted on the way, so any proof is gone").optional(),
  }),
});

export const companyPortalInstalled = defineEvent({
  type: "companyPortal.installed",
  meaning: "Company Portal was installed (Android). Whoever waited for it enrolls or remediates again.",
  emitters: ["app"],
  bearing: "relaxing",
  data: z.strictObject({ version: ShortText.optional() }),
});
