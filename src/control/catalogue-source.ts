/** Where catalogues come from. A version never changes once it is published, so whoever read one may keep it. */
import type { Catalogue } from "../../machines/policy/catalogue.js";

export interface CatalogueSource {
  /** The tenant's newest published version; 0: nothing was ever published. */
  current(tenant: string): Promise<number>;
  /** @throws CatalogueMissingError if this version was never published */
  catalogue(tenant: string, version: number): Promise<Catalogue>;
}
