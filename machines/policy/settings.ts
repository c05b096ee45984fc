/**
 * A tenant's own settings: choices that Graph policies do not make. They are part of the catalogue, and all but the texts are part of
 * the rules, so that a change of them reaches every session like a change of policy.
 */
import { z } from "zod";
import { MESSAGES, type MessageKey } from "../effects/messages.js";
import { CAUSES, DEFAULT_DISPOSITIONS, type Disposition } from "./causes.js";

const DISPOSITIONS = ["auto", "wait", "none"] as const satisfies readonly Disposition[];

const AppName = z.string().regex(/^[A-Za-z0-9._-]{1,128}$/);

/** What Graph documents know an app by. Ids are compared without case. */
const ProtectedApp = z.strictObject({
  iosBundleId: z.string().min(1).max(256).optional(),
  androidPackageId: z.string().min(1).max(256).optional(),
  coreMicrosoftApp: z.boolean().default(false).describe("`allCoreMicrosoftApps` names it"),
  microsoftApp: z.boolean().default(false).describe("`allMicrosoftApps` names it"),
  supportsAppProtection: z
    .boolean()
    .default(true)
    .describe("off: a demand for app protection by conditional access can't be met in it"),
  cloudAppIds: z
    .array(z.string().min(1).max(128))
    .max(100)
    .default([])
    .describe("the cloud apps that it signs in to, as conditional-access policies name them; `Office365` is one"),
});
export type ProtectedApp = z.infer<typeof ProtectedApp>;

const DEFAULT_APPS: Readonly<Record<string, ProtectedApp>> = {
  "azure-mobile": {
    iosBundleId: "com.microsoft.azure",
    androidPackageId: "com.microsoft.azure",
    coreMicrosoftApp: true,
    microsoftApp: true,
    supportsAppProtection: true,
    cloudAppIds: [],
  },
};

const MESSAGE_KEYS = Object.keys(MESSAGES) as [MessageKey, ...MessageKey[]];
const LanguageTag = z.string().regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/);

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
  numericConflicts: z
    .enum(["default", "mostRestrictive"])
    .default("default")
    .describe("what counts where several policies give different numbers for one setting"),
  approvedApplicationRetired: z
    .boolean()
    .default(true)
    .describe("conditional access's `approvedApplication` counts as not ticked; off: nothing here can satisfy it"),
  unknownMembership: z
    .enum(["hold", "notTargeted"])
    .default("hold")
    .describe(
      "whom a policy might cover, but whose groups were never told: held until they are, or taken to be in none",
    ),
  apps: z
    .record(AppName, ProtectedApp)
    .prefault({})
    .transform((given): Readonly<Record<string, ProtectedApp>> => ({ ...DEFAULT_APPS, ...given }))
    .describe("the tenant's apps, by the name that sessions give them"),
  messages: z
    .record(LanguageTag, z.partialRecord(z.enum(MESSAGE_KEYS), z.string().min(1).max(1_000)))
    .default({})
    .describe("the tenant's own texts, by language"),
});
export type TenantSettings = z.infer<typeof TenantSettings>;

export const DEFAULT_SETTINGS: TenantSettings = TenantSettings.parse({});
