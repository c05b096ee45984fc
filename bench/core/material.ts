/** What the bench's processes are given to work on. */
import type { CatalogueDocument } from "../../src/control/catalogue-document.js";

export const DEFAULT_TENANT = "contoso";

export interface Material {
  readonly tenant: string;
  readonly catalogue: CatalogueDocument;
  /** CloudEvents in order of time. */
  readonly events: readonly object[];
}
