/** Policies and their values, as short as a reader can do with. */
import type { AccessUsers } from "../../../machines/policy/conditional-access-policy.js";
import { isDocument } from "../../../machines/policy/graph-document.js";
import { GRAPH_PROPERTIES } from "../../../machines/policy/graph-properties.js";
import { type Targeting, readAssignments } from "../../../machines/policy/targeting.js";
import type { StoredPolicy } from "../../control/stored-policies.js";
import { duration } from "../terminal.js";

export function kindWords(stored: StoredPolicy): string {
  if (stored.kind === "conditionalAccess") return "conditional access";
  const { platform } = stored.policy;
  return platform === "both" ? "default" : platform === "ios" ? "iOS" : "Android";
}

export function stateWords(stored: StoredPolicy): string {
  if (stored.kind === "appProtection") return "";
  return stored.policy.state === "reportOnly" ? "report only" : stored.policy.state;
}

/** Whom a policy is for. */
export function audienceWords(stored: StoredPolicy): string {
  if (stored.kind === "appProtection") {
    return stored.policy.platform === "both" ? "whom no other policy covers" : targetingWords(stored.policy.targeting);
  }
  const { included, excluded } = stored.policy.users;
  const without = accessUsersWords(excluded);
  return `${accessUsersWords(included) || "nobody"}${without === "" ? "" : `, without ${without}`}`;
}

function targetingWords({ everyone, includedGroups, excludedGroups }: Targeting): string {
  const included = everyone
    ? "all licensed users"
    : includedGroups.length === 0
      ? "nobody"
      : groupWords(includedGroups);
  return excludedGroups.length === 0 ? included : `${included}, without ${groupWords(excludedGroups)}`;
}

function accessUsersWords({ everyone, users, groups }: AccessUsers): string {
  if (everyone) return "everybody";
  return [
    ...(users.length === 0 ? [] : [users.length === 1 ? "a user" : `${users.length} users`]),
    ...(groups.length === 0 ? [] : [groupWords(groups)]),
  ].join(" and ");
}

function groupWords(groups: readonly string[]): string {
  return `${groups.length === 1 ? "group" : "groups"} ${groups.join(", ")}`;
}

/** A value as it stands in a document. */
export function valueWords(property: string, value: unknown): string {
  if (value === undefined) return "not there";
  if (property === "assignments" && Array.isArray(value)) return targetingWords(readAssignments(value, "$").targeting);
  if (typeof value === "string") return value === "" ? '""' : value;
  if (Array.isArray(value)) {
    if (value.length === 0) return "none";
    if (value.every((item) => typeof item !== "object")) return value.join(", ");
  }
  return JSON.stringify(value);
}

const DURATIONS: ReadonlySet<string> = new Set(
  Object.keys(GRAPH_PROPERTIES).filter((name) => /^(grace)?period|Timeout$/i.test(name)),
);

/** A value as it was read: `null` is off, a duration is in ms. */
export function ruleWords(property: string, value: unknown): string {
  if (value === null) return "off";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && DURATIONS.has(property)) return duration(value);
  return isDocument(value) ? JSON.stringify(value) : valueWords(property, value);
}

export const many = (n: number, one: string, several: string): string =>
  `${new Intl.NumberFormat("en-US").format(n)} ${n === 1 ? one : several}`;
