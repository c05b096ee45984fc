/** For devices under which management a policy is. */
import type { Finding } from "./finding.js";
import { type GraphDocument, own } from "./graph-document.js";
import { isOff } from "./graph-off.js";

export type ManagementLevel = "unmanaged" | "mdm";

/**
 * Graph's flags, as far as sessions can be told apart: an enrolled device does not say by which kind of Android management, so any of
 * them is taken to mean it.
 */
const LEVELS: Readonly<Record<string, ManagementLevel>> = {
  unmanaged: "unmanaged",
  mdm: "mdm",
  androidEnterprise: "mdm",
  androidEnterpriseDedicatedDevicesWithAzureAdSharedMode: "mdm",
  androidOpenSourceProjectUserAssociated: "mdm",
  androidOpenSourceProjectUserless: "mdm",
};

/** `null`: devices under any management, or none. */
export function readManagementLevels(document: GraphDocument): {
  levels: readonly ManagementLevel[] | null;
  findings: readonly Finding[];
} {
  const property = "targetedAppManagementLevels";
  const raw = own(document, property);
  if (raw === undefined || isOff(raw)) return { levels: null, findings: [] };
  const flags = typeof raw === "string" ? raw.split(",").map((flag) => flag.trim()) : [];
  // Of several flags, `unspecified` is the one without a bit.
  const said = flags.filter((flag) => flag !== "unspecified");
  if (flags.length > 0 && said.every((flag) => Object.hasOwn(LEVELS, flag))) {
    const levels = new Set(said.map((flag) => LEVELS[flag] as ManagementLevel));
    return { levels: levels.size === 0 ? null : [...levels].sort(), findings: [] };
  }
  const expected = `unspecified, or any of ${Object.keys(LEVELS).join(", ")}, separated by commas`;
  return { levels: null, findings: [{ property, value: raw, expected, usedInstead: "every device" }] };
}
