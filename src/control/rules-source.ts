/**
 * The rules of sessions, for whoever folds: catalogues are fetched before a fold, so that the fold itself can ask without waiting;
 * rules are resolved once for each version and set of facts that matters.
 */
import { type MessageTexts, textsFor } from "../../machines/effects/messages.js";
import type { PartitionPolicies, RulesOf } from "../../machines/fold-batch.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { Resolver } from "../../machines/policy/resolver.js";
import { DEFAULT_SETTINGS } from "../../machines/policy/settings.js";
import { resolveFacts } from "../../machines/session/session.js";
import type { CatalogueSource } from "./catalogue-source.js";

/** Before anything is published no policy covers anybody. */
export const EMPTY_CATALOGUE: Catalogue = {
  version: 0,
  policies: [],
  conditionalAccess: [],
  settings: DEFAULT_SETTINGS,
};

interface Prepared {
  readonly catalogue: Catalogue;
  readonly resolver: Resolver;
}

const EMPTY: Prepared = { catalogue: EMPTY_CATALOGUE, resolver: new Resolver(EMPTY_CATALOGUE) };

/** Catalogue versions kept; a fold needs those of its tenants that are not walked yet, and the ones in force. */
const KEPT_VERSIONS = 512;

export class RulesSource {
  /** By `tenant/version`, the one asked for longest ago first. */
  private readonly prepared = new Map<string, Prepared>();
  /** Asked for last: a fold asks for the same one several times an event. A version never changes. */
  private latest: { readonly tenant: string; readonly version: number; readonly prepared: Prepared } | undefined;

  /** @param keptVersions at most; whoever folds a whole past asks for every version of it again and again */
  constructor(
    private readonly source: CatalogueSource,
    private readonly keptVersions = KEPT_VERSIONS,
  ) {}

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
      if (version === 0) return;
      const name = `${tenant}/${version}`;
      const known = this.prepared.get(name);
      if (known === undefined) missing.set(name, { tenant, version });
      else this.keep(name, known);
    };
    for (const tenant in policies) {
      const { base, broadcasts } = policies[tenant] as PartitionPolicies[string];
      need(tenant, base);
      for (const { version } of broadcasts) need(tenant, version);
    }
    for (const { tenant, version } of published) need(tenant, version);
    if (missing.size === 0) return;
    await Promise.all(
      [...missing].map(async ([name, { tenant, version }]) => {
        const catalogue = await this.source.catalogue(tenant, version);
        // Whoever fetched it meanwhile has resolved with it already.
        if (!this.prepared.has(name)) this.keep(name, { catalogue, resolver: new Resolver(catalogue) });
      }),
    );
  }

  private keep(name: string, prepared: Prepared): void {
    this.prepared.delete(name);
    this.prepared.set(name, prepared);
    if (this.prepared.size > this.keptVersions) this.prepared.delete(this.prepared.keys().next().value as string);
  }

  /** @throws Error if the version was not prepared */
  readonly rulesOf: RulesOf = (tenant, version, session) =>
    this.of(tenant, version).resolver.rules(resolveFacts(session));

  /** A version's own texts for a language. @throws Error if the version was not prepared */
  texts(tenant: string, version: number, language: string | undefined): MessageTexts {
    return textsFor(this.of(tenant, version).catalogue.settings.messages, language);
  }

  /** How often rules were worked out, for the versions kept: once for each kind of session that a version's policies tell apart. */
  get resolves(): number {
    let sum = 0;
    for (const { resolver } of this.prepared.values()) sum += resolver.resolves;
    return sum;
  }

  private of(tenant: string, version: number): Prepared {
    if (version === 0) return EMPTY;
    if (this.latest?.version === version && this.latest.tenant === tenant) return this.latest.prepared;
    const prepared = this.prepared.get(`${tenant}/${version}`);
    if (prepared === undefined) throw new Error(`catalogue ${tenant}/${version} was not prepared`);
    this.latest = { tenant, version, prepared };
    return prepared;
  }
}
