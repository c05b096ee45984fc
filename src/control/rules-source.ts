/**
 * The rules of sessions, for whoever folds: catalogues are fetched before a fold, so that the fold itself can ask without waiting;
 * rules are resolved once for each version and set of facts that matters.
 */
import type { PartitionPolicies, RulesOf } from "../../machines/fold-batch.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { resolve } from "../../machines/policy/resolve.js";
import type { Rules } from "../../machines/policy/rules.js";
import { DEFAULT_SETTINGS } from "../../machines/policy/settings.js";
import type { CatalogueSource } from "./catalogue-source.js";

/** Before anything is published no policy covers anybody. */
const EMPTY_CATALOGUE: Catalogue = { version: 0, policies: [], settings: DEFAULT_SETTINGS };

export class RulesSource {
  private readonly catalogues = new Map<string, Catalogue>();
  private readonly resolved = new Map<string, Rules>();

  constructor(private readonly source: CatalogueSource) {}

  /**
   * Makes every version ready that a fold of these partition policies can ask for, and those published in the entries.
   * @throws CatalogueMissingError, StoreUnavailableError
   */
  async prepare(
    policies: PartitionPolicies,
    published: Iterable<{ readonly tenant: string; readonly version: number }> = [],
  ): Promise<void> {
    const missing = new Map<string, { tenant: string; version: number }>();
    const need = (tenant: string, version: number) => {
      const name = `${tenant}/${version}`;
      if (version > 0 && !this.catalogues.has(name)) missing.set(name, { tenant, version });
    };
    for (const tenant in policies) {
      const { base, broadcasts } = policies[tenant] as PartitionPolicies[string];
      need(tenant, base);
      for (const { version } of broadcasts) need(tenant, version);
    }
    for (const { tenant, version } of published) need(tenant, version);
    await Promise.all(
      [...missing].map(async ([name, { tenant, version }]) => {
        this.catalogues.set(name, await this.source.catalogue(tenant, version));
      }),
    );
  }

  /** @throws Error if the version was not prepared */
  readonly rulesOf: RulesOf = (tenant, version, session) => {
    const { platform } = session.facts;
    const name = `${tenant}/${version}/${platform}`;
    let rules = this.resolved.get(name);
    if (rules === undefined) {
      const catalogue = version === 0 ? EMPTY_CATALOGUE : this.catalogues.get(`${tenant}/${version}`);
      if (catalogue === undefined) throw new Error(`catalogue ${tenant}/${version} was not prepared`);
      rules = resolve(catalogue, { platform });
      this.resolved.set(name, rules);
    }
    return rules;
  };
}
