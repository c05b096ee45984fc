/**
 * Files that an administrator exported from Graph, as the policies that they hold. Nothing is taken from any of them if anything in
 * one of them is wrong; what is no policy at all is passed over.
 */
import type { Finding } from "../../machines/policy/finding.js";
import { canonicalJson } from "../../machines/policy/content-hash.js";
import { type GraphDocument, own } from "../../machines/policy/graph-document.js";
import { type GraphItem, readGraphDocuments } from "../../machines/policy/graph-documents.js";
import { POLICY_ERROR_CODES } from "../../machines/policy/policy-error.js";
import { withAssignments } from "./assign.js";
import type { CatalogueContent } from "./catalogue-document.js";
import { decodeText } from "./decode-text.js";
import { type StoredPolicy, findPolicy, storedPolicies, withPolicies } from "./stored-policies.js";
import { saysKeyTwice } from "../says-key-twice.js";
import { whereNotJson } from "../where-not-json.js";

export interface ImportFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Why nothing is imported. */
export interface ImportProblem {
  readonly file: string;
  /** Where in the document, from its root `$`. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

/** What an administrator should know of something that is imported all the same. */
export interface ImportFinding extends Finding {
  readonly file: string;
  /** Absent for a list of assignments. */
  readonly policy?: string;
}

/** Left out, and no mistake. */
export interface PassedOver {
  readonly file: string;
  readonly what: string;
  readonly hint: string;
}

type PolicyItem = Extract<GraphItem, { kind: "appProtection" | "conditionalAccess" }>;

export interface ImportReading {
  /** Each id once a kind. */
  readonly policies: readonly (StoredPolicy & { readonly file: string })[];
  /** Lists that name no policy. */
  readonly assignments: readonly {
    readonly file: string;
    readonly assignments: readonly unknown[];
    readonly findings: readonly ImportFinding[];
  }[];
  /** Of the policies. */
  readonly findings: readonly ImportFinding[];
  readonly passedOver: readonly PassedOver[];
  readonly problems: readonly ImportProblem[];
}

export function readImport(files: readonly ImportFile[]): ImportReading {
  const policies = new Map<string, { readonly file: string; readonly item: PolicyItem }>();
  const assignments: ImportReading["assignments"][number][] = [];
  const findings: ImportFinding[] = [];
  const passedOver: PassedOver[] = [];
  const problems: ImportProblem[] = [];

  const takePolicy = (file: string, item: PolicyItem) => {
    const key = `${item.kind}/${item.policy.id}`;
    const earlier = policies.get(key);
    if (earlier === undefined) {
      policies.set(key, { file, item });
      return;
    }
    const newer = newerCopy(earlier.item.document, item.document);
    if (newer === undefined) {
      const fix = `${earlier.file} has another ${item.policy.id}, and neither is the later one: leave one of them out.`;
      problems.push(problem(file, "$", "policy.duplicate_id", fix));
      return;
    }
    const [kept, left] = newer === item.document ? [file, earlier.file] : [earlier.file, file];
    if (kept === file) policies.set(key, { file, item });
    const what = `an older or shorter copy of ${item.policy.name} (${item.policy.id})`;
    passedOver.push({ file: left, what, hint: `The one in ${kept} is taken.` });
  };

  for (const { name: file, bytes } of files) {
    const json = parse(bytes);
    if ("fix" in json) {
      problems.push({ file, path: "$", code: "import.not_json", message: "This is not JSON.", fix: json.fix });
      continue;
    }
    const reading = readGraphDocuments(json.value);
    for (const { code, path, fix } of reading.problems) problems.push(problem(file, path, code, fix));
    for (const item of reading.items) {
      switch (item.kind) {
        case "appProtection":
        case "conditionalAccess":
          takePolicy(file, item);
          break;
        case "assignments":
          assignments.push({
            file,
            assignments: item.assignments,
            findings: item.findings.map((finding) => ({ ...finding, file })),
          });
          break;
        case "registrations":
          passedOver.push({
            file,
            what: item.registrations.length === 1 ? "a registration" : `${item.registrations.length} registrations`,
            hint: `Import with \`gatehouse registrations import ${file}\`.`,
          });
          break;
        case "other":
          passedOver.push({ file, what: item.what, hint: item.hint });
          break;
      }
    }
  }
  for (const { file, item } of policies.values()) {
    findings.push(...item.findings.map((finding) => ({ ...finding, file, policy: item.policy.id })));
  }
  return {
    policies: [...policies.values()].map(({ file, item }) => ({ ...stored(item), file })),
    assignments,
    findings,
    passedOver,
    problems,
  };
}

export interface ImportedPolicy {
  readonly id: string;
  readonly name: string;
  readonly file: string;
  readonly change: "added" | "replaced" | "unchanged";
  /** The export did not say whom it is for, so the assignments of the draft's document stay. */
  readonly keptAssignments: boolean;
}

/**
 * The content with what was read; a policy whose id it has is replaced.
 * @param assign the policy that the lists of assignments are for; without it they are left out
 * @throws PolicyUnknownError, PolicyKindError
 */
export function applyImport(
  content: CatalogueContent,
  { policies, assignments }: ImportReading,
  assign?: string,
): { readonly content: CatalogueContent; readonly imported: readonly ImportedPolicy[] } {
  const known = new Map(storedPolicies(content).map((policy) => [keyOf(policy), policy]));
  const imported: ImportedPolicy[] = [];
  for (const { file, ...read } of policies) {
    const earlier = known.get(keyOf(read));
    const kept = earlier === undefined ? undefined : assignmentsToKeep(earlier, read);
    const policy = kept === undefined ? read : withAssignments(read, kept);
    const isSame = earlier !== undefined && canonicalJson(earlier.document) === canonicalJson(policy.document);
    known.set(keyOf(policy), policy);
    imported.push({
      id: policy.policy.id,
      name: policy.policy.name,
      file,
      change: earlier === undefined ? "added" : isSame ? "unchanged" : "replaced",
      keptAssignments: kept !== undefined,
    });
  }
  if (assign !== undefined) {
    const policy = findPolicy([...known.values()], assign);
    const list = assignments.flatMap((one) => one.assignments);
    known.set(keyOf(policy), withAssignments(policy, list));
  }
  return { content: withPolicies(content, [...known.values()]), imported };
}

const keyOf = ({ kind, policy }: StoredPolicy): string => `${kind}/${policy.id}`;

/** Graph leaves assignments out unless it is asked for them: then an import must not turn a group's policy into everybody's. */
function assignmentsToKeep(earlier: StoredPolicy, read: StoredPolicy): readonly unknown[] | undefined {
  if (read.kind !== "appProtection" || read.policy.platform === "both") return undefined;
  const known = own(earlier.document, "assignments");
  const said = own(read.document, "assignments") ?? undefined;
  return said === undefined && Array.isArray(known) ? (known as readonly unknown[]) : undefined;
}

function stored(item: PolicyItem): StoredPolicy {
  return item.kind === "appProtection"
    ? { kind: item.kind, document: item.document, policy: item.policy }
    : { kind: item.kind, document: item.document, policy: item.policy };
}

function problem(file: string, path: string, code: keyof typeof POLICY_ERROR_CODES, fix: string): ImportProblem {
  return { file, path, code, message: POLICY_ERROR_CODES[code], fix };
}

function parse(bytes: Uint8Array): { readonly value: unknown } | { readonly fix: string } {
  let text: string;
  try {
    text = decodeText(bytes);
  } catch {
    return { fix: "Save it as UTF-8 or UTF-16: some bytes are no text." };
  }
  if (text.trim() === "") return { fix: "The file is empty: export the policy again." };
  try {
    const value = JSON.parse(text) as unknown;
    return saysKeyTwice(text, value) ? { fix: "An object in it says one key twice: say every key once." } : { value };
  } catch (error) {
    return { fix: `It is ${whereNotJson(error)}: export it again as JSON.` };
  }
}

/**
 * Of two exports of one policy the one that counts: the fuller one where they agree otherwise (beta shows more than v1.0), else the
 * one that was changed later; `undefined`: that can't be told.
 */
function newerCopy(one: GraphDocument, other: GraphDocument): GraphDocument | undefined {
  if (contains(one, other)) return one;
  if (contains(other, one)) return other;
  const [changed, otherChanged] = [lastChange(one), lastChange(other)];
  if (changed === undefined || otherChanged === undefined || changed === otherChanged) return undefined;
  return changed > otherChanged ? one : other;
}

const contains = (whole: GraphDocument, part: GraphDocument): boolean =>
  Object.keys(part).every(
    (name) => name.includes("@") || canonicalJson(own(whole, name) ?? null) === canonicalJson(own(part, name) ?? null),
  );

/** Epoch ms. A document that was never changed is as old as its creation. */
function lastChange(document: GraphDocument): number | undefined {
  const text = ["lastModifiedDateTime", "modifiedDateTime", "createdDateTime"]
    .map((name) => own(document, name))
    .find((value) => typeof value === "string");
  const time = Date.parse(String(text));
  return Number.isNaN(time) ? undefined : time;
}
