/** Short ways to the policies, rules and devices that these specs speak of. */
import { type AppProtectionPolicy, parsePolicy } from "../../../machines/policy/app-protection-policy.js";
import type { Posture } from "../../../machines/policy/posture.js";
import type { Catalogue } from "../../../machines/policy/catalogue.js";
import { parseConditionalAccess } from "../../../machines/policy/conditional-access-policy.js";
import { type ResolveFacts, resolve } from "../../../machines/policy/resolve.js";
import type { Platform, Rules } from "../../../machines/policy/rules.js";
import { TenantSettings } from "../../../machines/policy/settings.js";

const target = (type: string, more: object = {}) => ({
  target: { "@odata.type": `#microsoft.graph.${type}`, ...more },
});
export const EVERYONE = target("allLicensedUsersAssignmentTarget");
export const group = (groupId: string, more: object = {}) => target("groupAssignmentTarget", { groupId, ...more });
export const notGroup = (groupId: string, more: object = {}) =>
  target("exclusionGroupAssignmentTarget", { groupId, ...more });

/** A policy for every licensed user and every app, unless it says otherwise. */
export function graphDocument(platform: Platform, properties: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    "@odata.type": `#microsoft.graph.${platform}ManagedAppProtection`,
    displayName: "Rules",
    appGroupType: "allApps",
    assignments: [EVERYONE],
    ...properties,
  };
}

export const policyOf = (platform: Platform, properties: Record<string, unknown> = {}): AppProtectionPolicy =>
  parsePolicy(graphDocument(platform, properties)).policy;

/** The tenant's default, for those whom no other policy reaches. */
export const defaultPolicy = (properties: Record<string, unknown> = {}): AppProtectionPolicy =>
  parsePolicy({ "@odata.type": "#microsoft.graph.defaultManagedAppProtection", appGroupType: "allApps", ...properties })
    .policy;

/** A conditional-access document about all users, apps and platforms, unless it says otherwise. */
export function accessDocument(
  controls: readonly string[],
  { conditions = {}, grantControls = {}, ...properties }: Record<string, object | string> = {},
): Record<string, unknown> {
  return {
    "@odata.type": "#microsoft.graph.conditionalAccessPolicy",
    displayName: "Access",
    state: "enabled",
    conditions: {
      users: { includeUsers: ["All"] },
      applications: { includeApplications: ["All"] },
      clientAppTypes: ["all"],
      ...(conditions as object),
    },
    grantControls: { operator: "OR", builtInControls: controls, ...(grantControls as object) },
    ...properties,
  };
}

export const accessPolicy = (...of: Parameters<typeof accessDocument>) =>
  parseConditionalAccess(accessDocument(...of)).policy;

export type SettingsSpec = Parameters<typeof TenantSettings.parse>[0];

export function catalogue(
  policies: Catalogue["policies"],
  { settings = {}, access = [] }: { settings?: SettingsSpec; access?: Catalogue["conditionalAccess"] } = {},
): Catalogue {
  return { version: 1, policies, conditionalAccess: access, settings: TenantSettings.parse(settings) };
}

/** A licensed user in no group, with the Azure mobile app on an iPhone that is not enrolled. */
export const somebody = (facts: Partial<ResolveFacts> = {}): ResolveFacts => ({
  platform: "ios",
  app: "azure-mobile",
  user: "dana",
  mdmEnrolled: undefined,
  licensed: true,
  groups: [],
  ...facts,
});

/** Rules of a tenant whose only policy says this. */
export function rulesOf(
  platform: Platform,
  properties: Record<string, unknown> = {},
  settings: SettingsSpec = {},
): Rules {
  return resolve(catalogue([policyOf(platform, properties)], { settings }), somebody({ platform }));
}

export const iphone: Posture = {
  osVersion: "17.4.1",
  appVersion: "5.2.0",
  sdkVersion: "19.1.0",
  model: "iPhone15,2",
  manufacturer: "Apple",
  rooted: false,
  deviceLock: "high",
};

export const pixel: Posture = {
  osVersion: "14",
  appVersion: "5.2.0",
  patchVersion: "2025-02-05",
  model: "Pixel 8",
  manufacturer: "Google",
  rooted: false,
  deviceLock: "high",
  portalVersion: "5.0.6300.0",
  portalAgeDays: 3,
  integrity: "strong",
  knox: "unsupported",
  appScan: true,
};
