/** The policies of a catalogue as an administrator names them: documents beside what was read from them. */
import { type AppProtectionPolicy, parsePolicy } from "../../machines/policy/app-protection-policy.js";
import {
  type ConditionalAccessPolicy,
  parseConditionalAccess,
} from "../../machines/policy/conditional-access-policy.js";
import type { GraphDocument } from "../../machines/policy/graph-document.js";
import type { PolicyRef } from "../../machines/policy/rules.js";
import type { CatalogueContent } from "./catalogue-document.js";
import { PolicyUnknownError } from "./catalogue-errors.js";

export type StoredPolicy = StoredAppProtection | StoredConditionalAccess;

export interface StoredAppProtection {
  readonly kind: "appProtection";
  /** As it came, but for `assignments` that were changed here. */
  readonly document: GraphDocument;
  readonly policy: AppProtectionPolicy;
}

export interface StoredConditionalAccess {
  readonly kind: "conditionalAccess";
  readonly document: GraphDocument;
  readonly policy: ConditionalAccessPolicy;
}

/** App protection first, each kind by name. */
export function storedPolicies({ policies, conditionalAccess }: CatalogueContent): StoredPolicy[] {
  const byName = (one: StoredPolicy, other: StoredPolicy) =>
    one.policy.name.localeCompare(other.policy.name, "en") || (one.policy.id < other.policy.id ? -1 : 1);
  return [
    ...policies
      .map((document): StoredPolicy => {
        const { policy } = parsePolicy(document);
        return { kind: "appProtection", document: document as GraphDocument, policy };
      })
      .sort(byName),
    ...conditionalAccess
      .map((document): StoredPolicy => {
        const { policy } = parseConditionalAccess(document);
        return { kind: "conditionalAccess", document: document as GraphDocument, policy };
      })
      .sort(byName),
  ];
}

/** The content with these policies instead. */
export function withPolicies(content: CatalogueContent, policies: readonly StoredPolicy[]): CatalogueContent {
  const documents = (kind: StoredPolicy["kind"]) =>
    policies.filter((one) => one.kind === kind).map(({ document }) => document);
  return { ...content, policies: documents("appProtection"), conditionalAccess: documents("conditionalAccess") };
}

interface Named {
  readonly policy: PolicyRef;
}

/**
 * The policy that somebody names: by its id, the beginning of the id, or the whole name.
 * @param where they are, for the error
 * @throws PolicyUnknownError if none goes by it, or several do
 */
export function findPolicy<One extends Named>(policies: readonly One[], named: string, where = "the draft"): One {
  const id = named.toLowerCase();
  const exact = policies.filter(({ policy }) => policy.id === id);
  const found =
    exact.length > 0
      ? exact
      : policies.filter(({ policy }) => policy.name === named || (id !== "" && policy.id.startsWith(id)));
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  const said = JSON.stringify(named);
  if (found.length > 1) {
    throw new PolicyUnknownError(`${said} names several policies`, { fix: `Give a whole id:\n${list(found)}` });
  }
  throw new PolicyUnknownError(`${where} has no policy ${said}`, {
    fix:
      policies.length === 0
        ? "It has none at all: begin with `gatehouse policy import`."
        : `Give an id, the beginning of one, or a whole name:\n${list(policies)}`,
  });
}

const LISTED = 20;

function list(policies: readonly Named[]): string {
  const lines = policies.slice(0, LISTED).map(({ policy: { id, name } }) => `  ${id}  ${name}`);
  if (policies.length > LISTED) lines.push(`  … and ${policies.length - LISTED} more: gatehouse policy list`);
  return lines.join("\n");
}
