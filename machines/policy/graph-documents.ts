/** What a file from Graph holds, however it was exported: documents are told by what they are, not by how they were fetched. */
import { type AppProtectionPolicy, isAppProtection, readAppProtection } from "./app-protection-policy.js";
import {
  type ConditionalAccessPolicy,
  isConditionalAccess,
  parseConditionalAccess,
} from "./conditional-access-policy.js";
import type { Finding } from "./finding.js";
import { type GraphDocument, graphType, isDeeperThan, isDocument, own } from "./graph-document.js";
import { PolicyError } from "./policy-error.js";
import { readAssignments } from "./targeting.js";

export type GraphItem =
  | {
      readonly kind: "appProtection";
      /** Bare, as it came; with the `@odata.type` that it left to its list. */
      readonly document: GraphDocument;
      readonly policy: AppProtectionPolicy;
      readonly findings: readonly Finding[];
    }
  | {
      readonly kind: "conditionalAccess";
      readonly document: GraphDocument;
      readonly policy: ConditionalAccessPolicy;
      readonly findings: readonly Finding[];
    }
  /** A list of assignments that does not name its policy. */
  | { readonly kind: "assignments"; readonly assignments: readonly unknown[]; readonly findings: readonly Finding[] }
  | { readonly kind: "registrations"; readonly registrations: readonly unknown[] }
  /** Something of Graph that is no policy for phones. */
  | { readonly kind: "other"; readonly what: string; readonly hint: string };

export interface GraphReading {
  readonly items: readonly GraphItem[];
  /** Everything that is wrong, not only the first. What has a problem is not among the items. */
  readonly problems: readonly PolicyError[];
}

/**
 * Reads a file's JSON: one object, `{"value": …}`, a list, lists of these, or `{"assignments": …}`. Never throws for what it holds.
 * Assignments, and registrations, that stand side by side in a list are one item.
 */
export function readGraphDocuments(json: unknown): GraphReading {
  const reading: Reading = { items: [], problems: [], ids: new Map() };
  if (isDeeperThan(json, DEEPEST)) {
    reading.problems.push(
      new PolicyError("policy.nested", "$", "Give the documents as Graph exports them, as one list."),
    );
  } else {
    read(json, "$", undefined, reading);
  }
  return reading;
}

interface Reading {
  readonly items: GraphItem[];
  readonly problems: PolicyError[];
  /** Kind and id of every policy → where it stands. */
  readonly ids: Map<string, string>;
}

/** Far deeper than any export, and shallow enough for every reader to go all the way down. */
const DEEPEST = 32;

/** `listType`: what the list says of the type of its members, which then need not say it themselves. */
function read(json: unknown, path: string, listType: string | undefined, reading: Reading): void {
  if (Array.isArray(json)) {
    readList(json as readonly unknown[], path, listType, reading);
  } else if (!isDocument(json)) {
    const fix = "Give policies as Graph answers them: JSON objects.";
    reading.problems.push(new PolicyError("policy.not_object", path, fix));
  } else if (isWrapper(json)) {
    read(own(json, "value"), `${path}.value`, typeOfContext(json) ?? listType, reading);
  } else {
    readDocument(typed(json, listType), path, reading);
  }
}

function readList(list: readonly unknown[], path: string, listType: string | undefined, reading: Reading): void {
  const assignments: unknown[] = [];
  const registrations: unknown[] = [];
  for (const [index, item] of list.entries()) {
    if (isAssignment(item)) assignments.push(item);
    else if (isDocument(item) && isRegistration(typed(item, listType))) registrations.push(item);
    else read(item, `${path}[${index}]`, listType, reading);
  }
  if (assignments.length > 0) pushAssignments(assignments, path, reading);
  if (registrations.length > 0) reading.items.push({ kind: "registrations", registrations });
}

/** No document of Graph has a member `value` that is one itself, or a list. */
function isWrapper(document: GraphDocument): boolean {
  const value = own(document, "value");
  return typeof value === "object" && value !== null;
}

const isAssignment = (value: unknown): value is GraphDocument =>
  isDocument(value) &&
  (graphType(value) === "targetedManagedAppPolicyAssignment" ||
    (graphType(value) === undefined && isDocument(own(value, "target"))));

const isRegistration = (document: GraphDocument): boolean => /ManagedAppRegistration$/i.test(graphType(document) ?? "");

/** Collections of Graph by the last part of their address, as `@odata.context` names them. */
const COLLECTIONS: ReadonlyMap<string, string> = new Map([
  ["iosManagedAppProtections", "iosManagedAppProtection"],
  ["androidManagedAppProtections", "androidManagedAppProtection"],
  ["defaultManagedAppProtections", "defaultManagedAppProtection"],
  ["managedAppRegistrations", "managedAppRegistration"],
  ["conditionalAccess/policies", "conditionalAccessPolicy"],
]);

function typeOfContext(document: GraphDocument): string | undefined {
  const context = own(document, "@odata.context");
  const [, fragment = ""] = typeof context === "string" ? context.split("#") : [];
  const address = fragment.replace(/\/\$entity$/, "").replace(/\(.*\)$/, "");
  for (const [collection, type] of COLLECTIONS) {
    if (address === collection || address.endsWith(`/${collection}`)) return type;
  }
  return undefined;
}

/** The document with its type, where only its list or its own context says it. */
function typed(document: GraphDocument, listType: string | undefined): GraphDocument {
  if (graphType(document) !== undefined) return document;
  const type = typeOfContext(document) ?? listType;
  return type === undefined ? document : { "@odata.type": `#microsoft.graph.${type}`, ...document };
}

function readDocument(document: GraphDocument, path: string, reading: Reading): void {
  const { items, problems } = reading;
  if (isAppProtection(document)) {
    const { policy, findings, problems: wrong } = readAppProtection(document, path);
    problems.push(...wrong);
    if (isFirst("appProtection", policy.id, path, reading) && wrong.length === 0) {
      items.push({ kind: "appProtection", document, policy, findings });
    }
  } else if (isConditionalAccess(document)) {
    const { policy, findings } = parseConditionalAccess(document);
    if (isFirst("conditionalAccess", policy.id, path, reading)) {
      items.push({ kind: "conditionalAccess", document, policy, findings });
    }
  } else if (isAssignment(document)) {
    pushAssignments([document], path, reading);
  } else if (isRegistration(document)) {
    items.push({ kind: "registrations", registrations: [document] });
  } else if (Array.isArray(own(document, "assignments")) && graphType(document) === undefined) {
    pushAssignments(own(document, "assignments") as readonly unknown[], `${path}.assignments`, reading);
  } else {
    readOther(document, path, reading);
  }
}

function pushAssignments(assignments: readonly unknown[], path: string, { items, problems }: Reading): void {
  const { findings, problems: wrong } = readAssignments(assignments, path);
  problems.push(...wrong);
  if (wrong.length === 0) items.push({ kind: "assignments", assignments, findings });
}

function isFirst(kind: string, id: string, path: string, { ids, problems }: Reading): boolean {
  const earlier = ids.get(`${kind}/${id}`);
  if (earlier === undefined) {
    ids.set(`${kind}/${id}`, path);
    return true;
  }
  const fix = `${id} stands at ${earlier} already: leave one of them out.`;
  problems.push(new PolicyError("policy.duplicate_id", `${path}.id`, fix));
  return false;
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ["windowsManagedAppProtection", "Gatehouse covers apps on iOS and Android."],
  ["windowsInformationProtectionPolicy", "Gatehouse covers apps on iOS and Android."],
  ["mdmWindowsInformationProtectionPolicy", "Gatehouse covers apps on iOS and Android."],
  ["targetedManagedAppConfiguration", "It configures apps and protects nothing."],
  ["defaultManagedAppConfiguration", "It configures apps and protects nothing."],
]);

function readOther(document: GraphDocument, path: string, { items, problems }: Reading): void {
  const type = graphType(document);
  if (type !== undefined) {
    items.push({
      kind: "other",
      what: type,
      hint: HINTS.get(type) ?? "It is no app protection or conditional-access policy.",
    });
  } else if (typeof own(document, "deviceTag") === "string") {
    const hint = "A wipe is asked for with the event `wipe.requested`.";
    items.push({ kind: "other", what: "wipeManagedAppRegistrationsByDeviceTag", hint });
  } else {
    const fix = 'Add "@odata.type": #microsoft.graph.iosManagedAppProtection, or what else it is.';
    problems.push(new PolicyError("policy.type_missing", `${path}["@odata.type"]`, fix));
  }
}
