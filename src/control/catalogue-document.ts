/** How a catalogue is stored: the Graph documents as they came, and the tenant's settings. Parsed again by whoever reads it. */
import type { AppProtectionPolicy } from "../../machines/policy/app-protection-policy.js";
import { parsePolicy } from "../../machines/policy/app-protection-policy.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import {
  type ConditionalAccessPolicy,
  parseConditionalAccess,
} from "../../machines/policy/conditional-access-policy.js";
import { PolicyError } from "../../machines/policy/policy-error.js";
import { TenantSettings } from "../../machines/policy/settings.js";

/** What an administrator decides: all of a version but its number and when it was published. */
export interface CatalogueContent {
  /** App protection documents of Graph. */
  readonly policies: readonly unknown[];
  /** Conditional-access documents of Graph. */
  readonly conditionalAccess: readonly unknown[];
  /** Tenant settings; what is left out keeps its default. */
  readonly settings: unknown;
}

export interface CatalogueDocument extends CatalogueContent {
  readonly version: number;
  /** ISO 8601, by the publisher's clock. */
  readonly publishedAt?: string;
  /** The publisher's own words. */
  readonly note?: string;
}

export const EMPTY_CONTENT: CatalogueContent = { policies: [], conditionalAccess: [], settings: {} };

/** @throws PolicyError or ZodError if a document or the settings can't be used */
export function readCatalogue({
  version,
  policies,
  conditionalAccess,
  settings,
}: CatalogueContent & { readonly version: number }): Catalogue {
  return {
    version,
    policies: eachOnce(policies.map((document) => parsePolicy(document).policy)),
    conditionalAccess: eachOnce(conditionalAccess.map((document) => parseConditionalAccess(document).policy)),
    settings: TenantSettings.parse(settings),
  };
}

function eachOnce<Policy extends AppProtectionPolicy | ConditionalAccessPolicy>(policies: Policy[]): Policy[] {
  const ids = new Set<string>();
  for (const { id } of policies) {
    if (ids.has(id))
      throw new PolicyError("policy.duplicate_id", "$.id", `Leave all but one of the policies ${id} out.`);
    ids.add(id);
  }
  return policies;
}
