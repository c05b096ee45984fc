/** Whom a policy is for, read from its `assignments`. */
import { canonicalId } from "../users/canonical-id.js";
import type { Finding } from "./finding.js";
import { type GraphDocument, graphType, isDocument, own } from "./graph-document.js";
import { PolicyError } from "./policy-error.js";

/** Group ids are sorted, each once, GUIDs in lower case. An excluded group always wins. */
export interface Targeting {
  /** Every licensed user is included. */
  readonly everyone: boolean;
  readonly includedGroups: readonly string[];
  readonly excludedGroups: readonly string[];
}

/** For a policy that needs no assignment, or that does not say. */
export const EVERYONE: Targeting = { everyone: true, includedGroups: [], excludedGroups: [] };
const NOBODY: Targeting = { everyone: false, includedGroups: [], excludedGroups: [] };

export interface ReadTargeting {
  readonly targeting: Targeting;
  readonly findings: readonly Finding[];
  readonly problems: readonly PolicyError[];
}

/**
 * The assignments of a policy document at `path`. Graph leaves them out unless they are asked for. Then nobody can tell whom the policy
 * is for, and doubt protects: everybody, unless the document says that it is not assigned.
 */
export function readTargeting(document: GraphDocument, path: string): ReadTargeting {
  const raw = own(document, "assignments") ?? undefined;
  if (raw !== undefined) return readAssignments(raw, `${path}.assignments`);
  const isUnassigned = own(document, "isAssigned") === false;
  const finding: Finding = {
    property: "assignments",
    value: undefined,
    expected: "the policy's assignments ($expand=assignments)",
    usedInstead: isUnassigned ? "nobody, because isAssigned is false" : "every licensed user",
  };
  return { targeting: isUnassigned ? NOBODY : EVERYONE, findings: [finding], problems: [] };
}

/** A list of assignments at `path`. */
export function readAssignments(raw: unknown, path: string): ReadTargeting {
  if (!Array.isArray(raw)) {
    return { targeting: NOBODY, findings: [], problems: [unreadable(path, "Give a list of assignments.")] };
  }
  const included = new Set<string>();
  const excluded = new Set<string>();
  const findings: Finding[] = [];
  const problems: PolicyError[] = [];
  let everyone = false;
  for (const [index, assignment] of (raw as readonly unknown[]).entries()) {
    const place = `${path}[${index}].target`;
    const property = `assignments[${index}].target`;
    const target = isDocument(assignment) ? own(assignment, "target") : undefined;
    if (!isDocument(target)) {
      problems.push(unreadable(place, 'Give it a "target".'));
      continue;
    }
    const type = graphType(target);
    if (type === "allLicensedUsersAssignmentTarget") {
      everyone = true;
      reportFilter(target, property, "every licensed user, whatever their device", findings);
    } else if (type === "groupAssignmentTarget" || type === "exclusionGroupAssignmentTarget") {
      const group = own(target, "groupId");
      if (typeof group !== "string" || group.trim() === "") {
        problems.push(unreadable(`${place}.groupId`, "Give the id of the group."));
      } else if (type === "groupAssignmentTarget") {
        included.add(canonicalId(group.trim()));
        reportFilter(target, property, "everybody in the group", findings);
      } else if (!reportFilter(target, property, "nobody is excluded", findings)) {
        excluded.add(canonicalId(group.trim()));
      }
    } else {
      const expected = "a target of groups, of excluded groups or of all licensed users";
      findings.push({ property, value: own(target, "@odata.type"), expected, usedInstead: "nobody" });
    }
  }
  const targeting = { everyone, includedGroups: [...included].sort(), excludedGroups: [...excluded].sort() };
  return { targeting, findings, problems };
}

/** Filters are about properties of the device that are not known here. */
function reportFilter(target: GraphDocument, property: string, usedInstead: string, findings: Finding[]): boolean {
  const id = own(target, "deviceAndAppManagementAssignmentFilterId") ?? "";
  const kind = own(target, "deviceAndAppManagementAssignmentFilterType") ?? "none";
  if (id === "" || kind === "none") return false;
  const expected = "no assignment filter: it can't be evaluated here";
  findings.push({ property, value: id, expected, usedInstead });
  return true;
}

const unreadable = (path: string, fix: string) => new PolicyError("policy.assignment", path, fix);
