/** What a simulated device is and would say of itself. */
import type { Posture } from "../../machines/policy/posture.js";
import type { Platform } from "../../machines/policy/rules.js";
import type { Random } from "./random.js";

/** `current` meets the rules of the whole day, `outdated` those of the morning only. */
export type Currency = "current" | "outdated";

const OS_VERSIONS = {
  ios: { current: ["17.2.1", "17.4.1", "17.6.1", "18.2", "18.3.1", "18.3.2"], outdated: ["17.0.1", "17.0.3"] },
  android: { current: ["14", "15", "15", "16", "16"], outdated: ["13"] },
} as const satisfies Record<Platform, Record<Currency, readonly [string, ...string[]]>>;

/** What an update brings. */
const UPDATED_OS: Readonly<Record<Platform, string>> = { ios: "18.3.2", android: "16" };

const APP_VERSIONS = ["5.4.1", "5.4.1", "5.4.0", "5.3.2", "5.1.0"] as const;
const IPHONES = ["iPhone14,5", "iPhone15,2", "iPhone16,1", "iPhone17,3", "iPad13,18"] as const;
const ANDROID_PHONES = [
  ["Google", "Pixel 8"],
  ["Google", "Pixel 9a"],
  ["Samsung", "SM-S921B"],
  ["Samsung", "SM-A556B"],
  ["Fairphone", "FP5"],
] as const;

export function postureOf(platform: Platform, currency: Currency, random: Random): Posture {
  const osVersion = random.pick(OS_VERSIONS[platform][currency]);
  const common = { osVersion, appVersion: random.pick(APP_VERSIONS), rooted: false } as const;
  if (platform === "ios") {
    return { ...common, sdkVersion: "20.1.0", model: random.pick(IPHONES), manufacturer: "Apple", deviceLock: "high" };
  }
  const [manufacturer, model] = random.pick(ANDROID_PHONES);
  return {
    ...common,
    patchVersion: random.pick(["2025-11-05", "2026-01-05", "2026-02-05"]),
    model,
    manufacturer,
    deviceLock: random.pick(["medium", "high"] as const),
    portalVersion: "5.0.6452.0",
    portalAgeDays: random.between(0, 45),
    integrity: "device",
    appScan: true,
  };
}

export const updated = (platform: Platform, posture: Posture): Posture => ({
  ...posture,
  osVersion: UPDATED_OS[platform],
});
