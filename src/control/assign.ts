/** Whom a policy is for, changed as Graph would: in the document's own `assignments`. */
import { parsePolicy } from "../../machines/policy/app-protection-policy.js";
import { isDocument, own } from "../../machines/policy/graph-document.js";
import { canonicalId } from "../../machines/users/canonical-id.js";
import { PolicyKindError } from "./catalogue-errors.js";
import type { StoredAppProtection, StoredPolicy } from "./stored-policies.js";

export interface Targets {
  readonly everyone: boolean;
  readonly groups: readonly string[];
  readonly excluded: readonly string[];
}

/**
 * @param add beside the assignments that it has; otherwise in their place
 * @throws PolicyKindError if whom it is for is not said by assignments
 */
export function assignPolicy(stored: StoredPolicy, targets: Targets, add: boolean): StoredAppProtection {
  const known = add ? own(stored.document, "assignments") : undefined;
  const before: readonly unknown[] = Array.isArray(known) ? known : [];
  const beforeKeys = new Set(before.map(targetKey));
  const added = graphAssignments(targets).filter((assignment) => !beforeKeys.has(targetKey(assignment)));
  return withAssignments(stored, [...before, ...added]);
}

/** @throws PolicyKindError, PolicyError */
export function withAssignments(stored: StoredPolicy, assignments: readonly unknown[]): StoredAppProtection {
  const { name } = stored.policy;
  if (stored.kind === "conditionalAccess") {
    throw new PolicyKindError(`${name} is a conditional-access policy: it names its users itself`, {
      fix: "Change conditions.users in Microsoft Entra, export it again, and import it.",
    });
  }
  if (stored.policy.platform === "both") {
    throw new PolicyKindError(`${name} is the tenant's default: it has no assignments`, {
      fix: "It is for everybody whom no other policy covers. Assign another policy instead.",
    });
  }
  const changed = {
    ...stored.document,
    // What Graph says beside them must not contradict the list.
    ...(Object.hasOwn(stored.document, "isAssigned") && { isAssigned: assignments.some(includes) }),
    assignments,
  };
  return { kind: "appProtection", document: changed, policy: parsePolicy(changed).policy };
}

function graphAssignments({ everyone, groups, excluded }: Targets): readonly unknown[] {
  const target = (type: string, groupId?: string) => ({
    target: {
      "@odata.type": `#microsoft.graph.${type}`,
      ...(groupId !== undefined && { groupId: canonicalId(groupId) }),
    },
  });
  return [
    ...(everyone ? [target("allLicensedUsersAssignmentTarget")] : []),
    ...[...new Set(groups)].map((group) => target("groupAssignmentTarget", group)),
    ...[...new Set(excluded)].map((group) => target("exclusionGroupAssignmentTarget", group)),
  ];
}

const includes = (assignment: unknown): boolean => !targetKey(assignment).includes("exclusionGroup");

/** Equal for two assignments to one target. */
function targetKey(assignment: unknown): string {
  const target = isDocument(assignment) ? own(assignment, "target") : undefined;
  if (!isDocument(target)) return "";
  const group = own(target, "groupId");
  return `${String(own(target, "@odata.type"))}/${typeof group === "string" ? canonicalId(group) : ""}`;
}
