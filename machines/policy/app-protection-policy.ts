/**
 * One app protection policy, read from a Graph document. What can't be understood in a document that is a policy is reported as a
 * finding and replaced; what was chosen and can't be kept is a problem, and then there is no policy.
 */
import { contentHash } from "./content-hash.js";
import { DEVICE_ONLY_PROPERTIES, DOCUMENT_PROPERTIES } from "./device-only-properties.js";
import type { Finding } from "./finding.js";
import { type GraphDocument, graphType, isDecoration, isDocument, own } from "./graph-document.js";
import { GRAPH_PROPERTIES, GRAPH_PROPERTY_NAMES, type GraphValues } from "./graph-properties.js";
import { INVALID, OUT_OF_RANGE, type GraphProperty } from "./graph-readers.js";
import { type ManagementLevel, readManagementLevels } from "./management-levels.js";
import { type NamedApps, readNamedApps } from "./named-apps.js";
import { PolicyError } from "./policy-error.js";
import { readPolicyRef } from "./policy-ref.js";
import type { Platform } from "./rules.js";
import { EVERYONE, type ReadTargeting, type Targeting, readTargeting } from "./targeting.js";

export interface AppProtectionPolicy {
  /** As in Graph, lower-cased. A document without one, such as a template, is named by its content. */
  readonly id: string;
  readonly name: string;
  /** `both`: the tenant's default, for those whom no other policy reaches. */
  readonly platform: Platform | "both";
  readonly targeting: Targeting;
  readonly apps: NamedApps;
  /** `null`: devices under any management, or none. */
  readonly levels: readonly ManagementLevel[] | null;
  readonly values: GraphValues;
  /** Enforced by the app on the device only; as in the document. */
  readonly deviceOnly: Readonly<Record<string, unknown>>;
  /** Properties that this release does not know. */
  readonly unknown: readonly string[];
}

const PLATFORMS: ReadonlyMap<string, Platform | "both"> = new Map([
  ["iosManagedAppProtection", "ios"],
  ["androidManagedAppProtection", "android"],
  ["defaultManagedAppProtection", "both"],
]);

export const isAppProtection = (document: GraphDocument): boolean => PLATFORMS.has(graphType(document) ?? "");

/**
 * Reads one bare document.
 * @throws PolicyError if it is no app protection policy, or has a value that can't be kept
 */
export function parsePolicy(document: unknown): { policy: AppProtectionPolicy; findings: readonly Finding[] } {
  if (Array.isArray(document)) throw new PolicyError("policy.list", "$", "Pass the policies one by one.");
  if (!isDocument(document)) {
    throw new PolicyError("policy.not_object", "$", "Pass one policy as Graph answers it, a JSON object.");
  }
  const { policy, findings, problems } = readAppProtection(document, "$");
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  return { policy, findings };
}

/**
 * Reads a document that stands at `path` of its file. With problems, the policy is only what it would have been.
 * @throws PolicyError if the document is not of such a type
 */
export function readAppProtection(
  document: GraphDocument,
  path: string,
): { policy: AppProtectionPolicy; findings: readonly Finding[]; problems: readonly PolicyError[] } {
  const platform = platformOf(document, path);
  const { values, findings, problems } = readValues(document, platform, path);
  const target: ReadTargeting =
    platform === "both" ? { targeting: EVERYONE, findings: [], problems: [] } : readTargeting(document, path);
  const { apps, findings: appFindings } = readNamedApps(document);
  const { levels, findings: levelFindings } = readManagementLevels(document);
  const { ref, findings: refFindings } = readPolicyRef(document, () =>
    contentHash({ platform, name: own(document, "displayName"), values }),
  );
  const { deviceOnly, unknown } = readTheRest(document, platform);
  return {
    policy: { ...ref, platform, targeting: target.targeting, apps, levels, values, deviceOnly, unknown },
    findings: [...refFindings, ...findings, ...appFindings, ...levelFindings, ...target.findings],
    problems: [...problems, ...target.problems],
  };
}

function platformOf(document: GraphDocument, path: string): Platform | "both" {
  const types = [...PLATFORMS.keys()].map((name) => `#microsoft.graph.${name}`).join(" or ");
  const type = own(document, "@odata.type");
  if (type === undefined || type === null) {
    throw new PolicyError("policy.type_missing", `${path}["@odata.type"]`, `Add "@odata.type": ${types}.`);
  }
  const platform = PLATFORMS.get(graphType(document) ?? "");
  if (platform === undefined) {
    throw new PolicyError("policy.type_unsupported", `${path}["@odata.type"]`, `Pass a document of type ${types}.`);
  }
  return platform;
}

const isOn = (on: Platform | "both", platform: Platform | "both"): boolean =>
  on === "both" || platform === "both" || on === platform;

function readValues(document: GraphDocument, platform: Platform | "both", path: string) {
  const values: Record<string, unknown> = {};
  const findings: Finding[] = [];
  const problems: PolicyError[] = [];
  for (const name of GRAPH_PROPERTY_NAMES) {
    const property: GraphProperty<unknown> = GRAPH_PROPERTIES[name];
    const raw = own(document, name);
    if (raw === undefined || !isOn(property.on, platform)) continue;
    const value = property.read(raw);
    if (value === OUT_OF_RANGE) {
      const fix = `${name} is ${JSON.stringify(raw)}: give ${property.expected}.`;
      problems.push(new PolicyError("policy.range", `${path}.${name}`, fix));
    } else if (value === INVALID) {
      const usedInstead = property.insteadOfInvalid ?? property.absent;
      findings.push({ property: name, value: raw, expected: property.expected, usedInstead });
      if (property.insteadOfInvalid !== undefined) values[name] = property.insteadOfInvalid;
    } else if (value !== undefined) {
      values[name] = value;
    }
  }
  // Each value was read by the property's own reader, which the compiler can't follow through the loop.
  return { values: values as GraphValues, findings, problems };
}

/** All that does nothing here. A property of the other platform is as unknown as one that nobody has heard of. */
function readTheRest(document: GraphDocument, platform: Platform | "both") {
  const deviceOnly: Record<string, unknown> = {};
  const unknown: string[] = [];
  for (const name of Object.keys(document)) {
    if (isDecoration(name) || Object.hasOwn(DOCUMENT_PROPERTIES, name)) continue;
    const known: { readonly on: Platform | "both" } | undefined = Object.hasOwn(GRAPH_PROPERTIES, name)
      ? GRAPH_PROPERTIES[name as keyof typeof GRAPH_PROPERTIES]
      : Object.hasOwn(DEVICE_ONLY_PROPERTIES, name)
        ? DEVICE_ONLY_PROPERTIES[name]
        : undefined;
    if (known === undefined || !isOn(known.on, platform)) unknown.push(name);
    else if (Object.hasOwn(DEVICE_ONLY_PROPERTIES, name)) deviceOnly[name] = own(document, name);
  }
  return { deviceOnly, unknown: unknown.sort() };
}
