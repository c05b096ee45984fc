/**
 * One app protection policy, read from a Graph document. What can't be understood in a document that is a policy is reported as a
 * finding and replaced; the policy itself always comes out whole.
 */
import { contentHash } from "./content-hash.js";
import { GRAPH_PROPERTIES, GRAPH_PROPERTY_NAMES, type GraphValues } from "./graph-properties.js";
import { INVALID, type GraphProperty } from "./graph-readers.js";
import { PolicyError } from "./policy-error.js";
import type { Platform } from "./rules.js";

export interface AppProtectionPolicy {
  /** As in Graph, lower-cased. A document without one, such as a template, is named by its content. */
  readonly id: string;
  readonly name: string;
  readonly platform: Platform;
  readonly values: GraphValues;
}

/** A value that can't be what its property means, and what stands in for it. */
export interface Finding {
  readonly property: string;
  /** As it was in the document. */
  readonly value: unknown;
  /** Valid values, in words. */
  readonly expected: string;
  /** `null`: the property is off. Durations are in ms. */
  readonly usedInstead: unknown;
}

const PLATFORMS: ReadonlyMap<string, Platform> = new Map([
  ["iosManagedAppProtection", "ios"],
  ["androidManagedAppProtection", "android"],
]);

/**
 * Reads a Graph document, bare or wrapped in `{"value": …}`. Properties that are unknown or belong to the other platform are passed over.
 * @throws PolicyError if the document is not an app protection policy for iOS or Android
 */
export function parsePolicy(json: unknown): { policy: AppProtectionPolicy; findings: readonly Finding[] } {
  const { document, path } = unwrap(json);
  const platform = platformOf(document, path);
  const findings: Finding[] = [];
  const values = readValues(document, platform, findings);
  const id =
    readId(document, findings) ?? `template-${contentHash({ platform, name: own(document, "displayName"), values })}`;
  return { policy: { id, name: readName(document, findings) ?? id, platform, values }, findings };
}

type Document = Readonly<Record<string, unknown>>;

function unwrap(json: unknown): { document: Document; path: string } {
  let document = json;
  let path = "$";
  if (isDocument(document) && own(document, "@odata.type") === undefined && own(document, "value") !== undefined) {
    document = own(document, "value");
    path = "$.value";
  }
  if (Array.isArray(document)) {
    throw new PolicyError("policy.list", path, "Pass the policies one by one.");
  }
  if (!isDocument(document)) {
    throw new PolicyError("policy.not_object", path, "Pass one policy as Graph answers it, a JSON object.");
  }
  return { document, path };
}

const isDocument = (value: unknown): value is Document =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const own = (document: Document, key: string): unknown => (Object.hasOwn(document, key) ? document[key] : undefined);

function platformOf(document: Document, path: string): Platform {
  const types = [...PLATFORMS.keys()].map((name) => `#microsoft.graph.${name}`).join(" or ");
  const type = own(document, "@odata.type");
  if (type === undefined || type === null) {
    throw new PolicyError("policy.type_missing", `${path}["@odata.type"]`, `Add "@odata.type": ${types}.`);
  }
  const platform =
    typeof type === "string" ? PLATFORMS.get(type.replace(/^#/, "").replace(/^microsoft\.graph\./, "")) : undefined;
  if (platform === undefined) {
    throw new PolicyError("policy.type_unsupported", `${path}["@odata.type"]`, `Pass a document of type ${types}.`);
  }
  return platform;
}

function readValues(document: Document, platform: Platform, findings: Finding[]): GraphValues {
  const values: Record<string, unknown> = {};
  for (const name of GRAPH_PROPERTY_NAMES) {
    const property: GraphProperty<unknown> = GRAPH_PROPERTIES[name];
    const raw = own(document, name);
    if (raw === undefined || (property.on !== "both" && property.on !== platform)) continue;
    const value = property.read(raw);
    if (value === INVALID) {
      const usedInstead = property.insteadOfInvalid ?? property.absent;
      findings.push({ property: name, value: raw, expected: property.expected, usedInstead });
      if (property.insteadOfInvalid !== undefined) values[name] = property.insteadOfInvalid;
    } else if (value !== undefined) {
      values[name] = value;
    }
  }
  // Each value was read by the property's own reader, which the compiler can't follow through the loop.
  return values as GraphValues;
}

const ID = /^[A-Za-z0-9._-]{1,128}$/;

function readId(document: Document, findings: Finding[]): string | undefined {
  const raw = own(document, "id") ?? undefined;
  if (raw === undefined) return undefined;
  if (typeof raw === "string" && ID.test(raw)) return raw.toLowerCase();
  const expected = "letters, digits, `.`, `_` and `-`, up to 128";
  findings.push({ property: "id", value: raw, expected, usedInstead: "an id made from the content" });
  return undefined;
}

function readName(document: Document, findings: Finding[]): string | undefined {
  const raw = own(document, "displayName") ?? undefined;
  if (raw === undefined) return undefined;
  if (typeof raw === "string" && raw.trim() !== "") return raw.trim();
  findings.push({ property: "displayName", value: raw, expected: "a text", usedInstead: "the id" });
  return undefined;
}
