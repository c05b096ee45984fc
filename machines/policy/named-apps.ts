/** Which apps a policy is for. */
import type { Finding } from "./finding.js";
import { type GraphDocument, isDocument, own } from "./graph-document.js";
import type { Platform } from "./rules.js";
import type { TenantSettings } from "./settings.js";

export type NamedApps =
  | { readonly group: "all" | "microsoft" | "coreMicrosoft" }
  /** Bundle and package ids in lower case. */
  | { readonly group: "selected"; readonly ios: readonly string[]; readonly android: readonly string[] };

const GROUPS = { allApps: "all", allMicrosoftApps: "microsoft", allCoreMicrosoftApps: "coreMicrosoft" } as const;

/** Without a word about apps, as Graph answers unless it is asked for them, a policy is taken to name every app: doubt protects. */
export function readNamedApps(document: GraphDocument): { apps: NamedApps; findings: readonly Finding[] } {
  const group = own(document, "appGroupType") ?? undefined;
  if (typeof group === "string" && Object.hasOwn(GROUPS, group)) {
    return { apps: { group: GROUPS[group as keyof typeof GROUPS] }, findings: [] };
  }
  const findings: Finding[] = [];
  const list = own(document, "apps") ?? undefined;
  const isKnown = group === undefined || group === "selectedPublicApps";
  if (!isKnown) {
    const expected = `selectedPublicApps, ${Object.keys(GROUPS).join(", ")}`;
    findings.push({ property: "appGroupType", value: group, expected, usedInstead: "every app" });
  } else if (!Array.isArray(list)) {
    const expected = "the policy's apps ($expand=apps)";
    findings.push({ property: "apps", value: list, expected, usedInstead: "every app" });
  }
  if (!isKnown || !Array.isArray(list)) return { apps: { group: "all" }, findings };
  const ios = new Set<string>();
  const android = new Set<string>();
  for (const [index, app] of (list as readonly unknown[]).entries()) {
    const identifier = isDocument(app) ? own(app, "mobileAppIdentifier") : undefined;
    const bundleId = isDocument(identifier) ? own(identifier, "bundleId") : undefined;
    const packageId = isDocument(identifier) ? own(identifier, "packageId") : undefined;
    if (typeof bundleId === "string") ios.add(bundleId.trim().toLowerCase());
    else if (typeof packageId === "string") android.add(packageId.trim().toLowerCase());
    else {
      const expected = "an app with a bundleId (iOS) or a packageId (Android)";
      findings.push({ property: `apps[${index}]`, value: app, expected, usedInstead: "no app" });
    }
  }
  return { apps: { group: "selected", ios: [...ios].sort(), android: [...android].sort() }, findings };
}

/** An app that the settings do not describe is known by its name alone, which may be its bundle or package id. */
export function namesApp(apps: NamedApps, platform: Platform, app: string, settings: TenantSettings): boolean {
  const known = Object.hasOwn(settings.apps, app) ? settings.apps[app] : undefined;
  switch (apps.group) {
    case "all":
      return true;
    case "microsoft":
      return known?.microsoftApp === true || known?.coreMicrosoftApp === true;
    case "coreMicrosoft":
      return known?.coreMicrosoftApp === true;
    case "selected": {
      const id = (platform === "ios" ? known?.iosBundleId : known?.androidPackageId) ?? app;
      return apps[platform].includes(id.toLowerCase());
    }
  }
}
