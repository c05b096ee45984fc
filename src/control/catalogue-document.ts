/** How a catalogue is stored: the Graph documents as they came, and the tenant's settings. Parsed again by whoever reads it. */
import { parsePolicy } from "../../machines/policy/app-protection-policy.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { TenantSettings } from "../../machines/policy/settings.js";

export interface CatalogueDocument {
  readonly version: number;
  /** Graph policy documents. */
  readonly policies: readonly unknown[];
  /** Tenant settings; what is left out keeps its default. */
  readonly settings: unknown;
}

/** @throws PolicyError or ZodError if a document or the settings can't be used */
export function readCatalogue({ version, policies, settings }: CatalogueDocument): Catalogue {
  return {
    version,
    policies: policies.map((document) => parsePolicy(document).policy),
    settings: TenantSettings.parse(settings ?? {}),
  };
}
