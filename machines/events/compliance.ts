/** Verdicts that the service gives: app protection, device compliance and conditional access. */
import { z } from "zod";
import { CAUSES } from "../policy/causes.js";
import { defineEvent } from "./define-event.js";
import { Id, ProducerTime } from "./fields.js";

export const complianceEvaluated = defineEvent({
  type: "compliance.evaluated",
  meaning: "The service judged this account (`mam`) or the whole device (`device`). `unknown` changes nothing.",
  emitters: ["service"],
  bearing: ({ verdict }) =>
    verdict === "noncompliant" ? "restricting" : verdict === "compliant" ? "relaxing" : "neutral",
  data: z.strictObject({
    verdict: z.enum(["compliant", "noncompliant", "unknown"]),
    scope: z.enum(["mam", "device"]),
    cause: z.enum(CAUSES).optional(),
    evaluatedAt: ProducerTime.optional(),
  }),
});

export const caEvaluated = defineEvent({
  type: "ca.evaluated",
  meaning:
    "Conditional access was evaluated for this account. A denial that is not enforced (report-only) is only recorded.",
  emitters: ["service"],
  bearing: ({ result, enforced }) => (result === "granted" ? "relaxing" : enforced ? "restricting" : "neutral"),
  data: z.strictObject({
    result: z.enum(["granted", "denied"]),
    enforced: z.boolean(),
    unsatisfied: z.array(z.string().min(1).max(64)).max(16).describe("Graph names of the controls not met").optional(),
    errorCode: z.string().max(64).optional(),
    policyIds: z.array(Id).max(64).optional(),
  }),
});
