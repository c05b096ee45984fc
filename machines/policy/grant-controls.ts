/** What a conditional-access policy asks for. */
import type { Finding } from "./finding.js";
import { type GraphDocument, isDecoration, isDocument, own } from "./graph-document.js";

export interface GrantControls {
  readonly operator: "AND" | "OR";
  /** Graph's names, each once and sorted; empty: the policy asks for nothing. */
  readonly controls: readonly string[];
}

/** Built-in controls that can be told from one another here; `domainJoinedDevice` is known never to hold on a phone. */
const BUILT_IN: readonly string[] = [
  "block",
  "mfa",
  "compliantDevice",
  "domainJoinedDevice",
  "approvedApplication",
  "compliantApplication",
  "passwordChange",
];

const NEVER = "never satisfied";

export function readGrantControls(grant: GraphDocument, findings: Finding[]): GrantControls {
  const controls = new Set<string>();
  const neverMet = (property: string, value: unknown, control: string, expected: string) => {
    controls.add(control);
    findings.push({ property: `grantControls.${property}`, value, expected, usedInstead: NEVER });
  };
  for (const name of Object.keys(grant)) {
    const value = own(grant, name);
    if (name === "operator" || isDecoration(name) || isNothing(value)) continue;
    if (name === "builtInControls") {
      for (const control of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
        if (typeof control === "string" && BUILT_IN.includes(control)) controls.add(control);
        else neverMet(name, control, typeof control === "string" ? control : "unreadable", BUILT_IN.join(", "));
      }
    } else if (name === "termsOfUse") {
      controls.add(name);
    } else {
      neverMet(name, value, name, "a control that can be judged here");
    }
  }
  const operator = own(grant, "operator");
  const isKnown = operator === "AND" || operator === "OR";
  if (controls.size > 1 && !isKnown) {
    findings.push({ property: "grantControls.operator", value: operator, expected: "AND or OR", usedInstead: "AND" });
  }
  return { operator: operator === "OR" ? "OR" : "AND", controls: [...controls].sort() };
}

const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) && value.length === 0) ||
  (isDocument(value) && Object.keys(value).length === 0);
