/**
 * A tenant's own settings: choices that Graph policies do not make. They are part of the catalogue and of the rules, so that a
 * change of them reaches every session like a change of policy.
 */
import { z } from "zod";
import { CAUSES, DEFAULT_DISPOSITIONS, type Disposition } from "./causes.js";

const DISPOSITIONS = ["auto", "wait", "none"] as const satisfies readonly Disposition[];

export const TenantSettings = z.strictObject({
  dispositions: z
    .partialRecord(z.enum(CAUSES), z.enum(DISPOSITIONS))
    .prefault({})
    .transform((chosen) => ({ ...DEFAULT_DISPOSITIONS, ...chosen }))
    .describe("what follows from each cause of noncompliance; causes left out keep their default"),
  remediation: z
    .strictObject({
      enabled: z.boolean().default(true).describe("off: whoever would be remediated is signed out instead"),
      maxAttempts: z.int().min(1).max(10).default(3),
      attemptTimeoutMs: z.int().min(1_000).max(3_600_000).default(60_000),
    })
    .prefault({}),
  wipeComparison: z
    .enum(["lt", "lte"])
    .default("lt")
    .describe("whether a minimum whose action is wipe fails below its value, or at the value too"),
  wipeOnSignOut: z.boolean().default(true).describe("signing out of a managed account also removes its data"),
});
export type TenantSettings = z.infer<typeof TenantSettings>;

export const DEFAULT_SETTINGS: TenantSettings = TenantSettings.parse({});
