/** Short ways to the policies, rules and devices that these specs speak of. */
import { parsePolicy } from "../../../machines/policy/app-protection-policy.js";
import type { Posture } from "../../../machines/policy/posture.js";
import { resolve } from "../../../machines/policy/resolve.js";
import type { Platform, Rules } from "../../../machines/policy/rules.js";
import { TenantSettings } from "../../../machines/policy/settings.js";

export function graphDocument(platform: Platform, properties: Record<string, unknown> = {}): Record<string, unknown> {
  return { "@odata.type": `#microsoft.graph.${platform}ManagedAppProtection`, displayName: "Rules", ...properties };
}

/** Rules of a tenant whose only policy says this. */
export function rulesOf(
  platform: Platform,
  properties: Record<string, unknown> = {},
  settings: Parameters<typeof TenantSettings.parse>[0] = {},
): Rules {
  const { policy } = parsePolicy(graphDocument(platform, properties));
  return resolve({ version: 1, policies: [policy], settings: TenantSettings.parse(settings) }, { platform });
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
