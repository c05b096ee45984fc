/** What differs between two catalogues, property by property. The order of policies means nothing. */
import { canonicalJson } from "../../machines/policy/content-hash.js";
import { isDecoration, isDocument } from "../../machines/policy/graph-document.js";
import type { CatalogueContent } from "./catalogue-document.js";
import { type StoredPolicy, storedPolicies } from "./stored-policies.js";

export interface ValueChange {
  /** With dots where it lies deeper: `conditions.users.includeGroups`. */
  readonly property: string;
  /** `undefined`: it was not there. */
  readonly before: unknown;
  /** `undefined`: it is there no more. */
  readonly after: unknown;
}

export interface PolicyChange {
  readonly kind: StoredPolicy["kind"];
  readonly id: string;
  /** As it is called after the change. */
  readonly name: string;
  readonly change: "added" | "removed" | "changed";
  /** Sorted by property; of a changed policy alone. */
  readonly properties: readonly ValueChange[];
}

export interface ContentDiff {
  readonly policies: readonly PolicyChange[];
  readonly settings: readonly ValueChange[];
}

export const isEmptyDiff = ({ policies, settings }: ContentDiff): boolean =>
  policies.length === 0 && settings.length === 0;

/** @throws PolicyError if a document can't be read */
export function diffContent(before: CatalogueContent, after: CatalogueContent): ContentDiff {
  const key = ({ kind, policy }: StoredPolicy) => `${kind}/${policy.id}`;
  const [old, current] = [before, after].map(
    (content) => new Map(storedPolicies(content).map((one) => [key(one), one])),
  );
  const policies: PolicyChange[] = [];
  const changed = (one: StoredPolicy, change: PolicyChange["change"], properties: readonly ValueChange[] = []) =>
    policies.push({ kind: one.kind, id: one.policy.id, name: one.policy.name, change, properties });
  for (const [name, one] of old ?? []) if (current?.get(name) === undefined) changed(one, "removed");
  for (const [name, one] of current ?? []) {
    const earlier = old?.get(name);
    if (earlier === undefined) {
      changed(one, "added");
      continue;
    }
    const properties = diffValues(earlier.document, one.document);
    if (properties.length > 0) changed(one, "changed", properties);
  }
  return { policies, settings: diffValues(before.settings, after.settings) };
}

/** Lists are compared as a whole; OData's decoration is no change. */
function diffValues(before: unknown, after: unknown): ValueChange[] {
  const [old, current] = [flat(before), flat(after)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .sort()
    .map((property) => ({ property, before: old.get(property), after: current.get(property) }))
    .filter((change) => canonicalJson([change.before]) !== canonicalJson([change.after]));
}

function flat(value: unknown, path = "", found = new Map<string, unknown>()): Map<string, unknown> {
  if (!isDocument(value)) {
    if (path !== "") found.set(path, value);
    return found;
  }
  for (const [name, inner] of Object.entries(value)) {
    const isOfNoMeaning = isDecoration(name) && name !== "@odata.type";
    if (!isOfNoMeaning) flat(inner, path === "" ? name : `${path}.${name}`, found);
  }
  return found;
}
