/**
 * A managed app registration, as Microsoft Graph exports it, read into the session that it stands for. What can't be a name here gets one
 * made from a hash: always the same, and said.
 */
import { hash } from "node:crypto";
import { z } from "zod";
import type { Posture } from "../../machines/policy/posture.js";
import type { Platform } from "../../machines/policy/rules.js";
import type { TenantSettings } from "../../machines/policy/settings.js";
import { canonicalId } from "../../machines/users/canonical-id.js";

const Text = z.string().max(512).nullish();

/** What is read of it; whatever else it has is left alone. */
const GraphRegistration = z.object({
  "@odata.type": Text,
  id: Text,
  userId: Text,
  deviceTag: Text,
  deviceType: Text,
  deviceModel: Text,
  deviceManufacturer: Text,
  platformVersion: Text,
  applicationVersion: Text,
  managementSdkVersion: Text,
  patchVersion: Text,
  lastSyncDateTime: Text,
  createdDateTime: Text,
  azureADDeviceId: Text,
  managedDeviceId: Text,
  flaggedReasons: z.array(z.string().max(128)).max(64).nullish(),
  appIdentifier: z.object({ "@odata.type": Text, bundleId: Text, packageId: Text, windowsAppId: Text }).nullish(),
});
type GraphRegistration = z.infer<typeof GraphRegistration>;

/** A name that stands for one that can't be used here. */
export interface Replacement {
  readonly property: string;
  readonly name: string;
}

export interface Registration {
  readonly device: string;
  readonly user: string;
  readonly app: string;
  readonly platform: Platform;
  readonly mdmEnrolled: boolean;
  readonly posture: Posture;
  /** Of the last contact, or of the registration: RFC 3339. */
  readonly time: string;
  readonly replaced: readonly Replacement[];
}

export type ReadRegistration =
  | { readonly registration: Registration }
  /** It stands for no session here. */
  | { readonly passedOver: string }
  | { readonly path: readonly PropertyKey[]; readonly message: string };

/** @param apps the tenant's, by name */
export function readRegistration(input: unknown, apps: TenantSettings["apps"]): ReadRegistration {
  const parsed = GraphRegistration.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { path: issue?.path ?? [], message: issue?.message ?? "" };
  }
  const graph = parsed.data;
  const platform = platformOf(graph);
  if (platform === undefined) return { passedOver: "its platform can't be told: neither iOS nor Android" };
  const deviceId = graph.deviceTag || graph.azureADDeviceId || graph.managedDeviceId;
  if (!deviceId) return { passedOver: "it names no device: no deviceTag" };
  if (!graph.userId) return { passedOver: "it names no user: no userId" };
  const appId = appIdOf(graph);
  if (appId === undefined) return { passedOver: "it names no app: no appIdentifier" };

  const replaced: Replacement[] = [];
  const usable = (property: string, what: string, text: string, pattern: RegExp): string => {
    const name = canonicalId(text.trim());
    if (pattern.test(name)) return name;
    const made = `${what}-${hash("sha256", name, "hex").slice(0, 16)}`;
    replaced.push({ property, name: made });
    return made;
  };
  return {
    registration: {
      device: usable("deviceTag", "device", deviceId, DEVICE),
      user: usable("userId", "user", graph.userId, NAME),
      app: appNameOf(appId, platform, apps) ?? usable("appIdentifier", "app", appId, NAME),
      platform,
      mdmEnrolled: isGuid(graph.managedDeviceId),
      posture: postureOf(graph, platform),
      time: timeOf(graph.lastSyncDateTime) ?? timeOf(graph.createdDateTime) ?? new Date(0).toISOString(),
      replaced,
    },
  };
}

const DEVICE = /^[A-Za-z0-9_-]{1,64}$/;
const NAME = /^[A-Za-z0-9._-]{1,128}$/;
const EMPTY_GUID = "00000000-0000-0000-0000-000000000000";

const isGuid = (text: string | null | undefined): boolean =>
  z.guid().safeParse(text).success && text?.toLowerCase() !== EMPTY_GUID;

/** By the registration's own type, its app's, or what the device calls itself. */
function platformOf({ "@odata.type": type, appIdentifier, deviceType }: GraphRegistration): Platform | undefined {
  for (const hint of [type, appIdentifier?.["@odata.type"]]) {
    if (/ios/i.test(hint ?? "")) return "ios";
    if (/android/i.test(hint ?? "")) return "android";
    if (/windows/i.test(hint ?? "")) return undefined;
  }
  if (appIdentifier?.bundleId) return "ios";
  if (appIdentifier?.packageId) return "android";
  if (/iphone|ipad|ipod|\bios\b/i.test(deviceType ?? "")) return "ios";
  return /android/i.test(deviceType ?? "") ? "android" : undefined;
}

function appIdOf({ appIdentifier }: GraphRegistration): string | undefined {
  return appIdentifier?.bundleId || appIdentifier?.packageId || undefined;
}

/** The tenant's name for the app; ids are compared without case. */
function appNameOf(id: string, platform: Platform, apps: TenantSettings["apps"]): string | undefined {
  const property = platform === "ios" ? "iosBundleId" : "androidPackageId";
  return Object.keys(apps).find((name) => apps[name]?.[property]?.toLowerCase() === id.trim().toLowerCase());
}

/** What Graph does not tell is taken from the side of caution: no device lock. The app's next report replaces all of it. */
function postureOf(graph: GraphRegistration, platform: Platform): Posture {
  const { platformVersion, applicationVersion, managementSdkVersion, patchVersion } = graph;
  const manufacturer = text(graph.deviceManufacturer) ?? (platform === "ios" ? "Apple" : "unknown");
  return {
    osVersion: text(platformVersion) ?? "unknown",
    appVersion: text(applicationVersion) ?? "unknown",
    ...(platform === "ios" && text(managementSdkVersion) && { sdkVersion: text(managementSdkVersion) as string }),
    ...(platform === "android" && text(patchVersion) && { patchVersion: text(patchVersion) as string }),
    model: text(graph.deviceModel) ?? text(graph.deviceType) ?? "unknown",
    manufacturer,
    rooted: graph.flaggedReasons?.includes("rootedDevice") === true,
    deviceLock: "none",
  };
}

/** As long as a report may have it; `undefined` for none. */
function text(value: string | null | undefined): string | undefined {
  return value?.trim().slice(0, 128) || undefined;
}

/** `undefined` for what is no instant after 1970. Graph has seven digits of a second. */
function timeOf(value: string | null | undefined): string | undefined {
  const ms = Date.parse(value ?? "");
  return ms >= 0 ? new Date(ms).toISOString() : undefined;
}
