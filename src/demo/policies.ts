/** The tenant's policies in the morning and from noon on, from the project's samples. */
import { readFileSync } from "node:fs";
import type { CatalogueDocument } from "../control/catalogue-document.js";

/**
 * The samples let a device be offline for twelve hours, which a working day never reaches; this tenant allows four, so that the
 * deadline can be seen to pass.
 */
const OFFLINE_GRACE = "PT4H";

/** Versions 1 and 2 of the catalogue. */
export function demoPolicies(): { readonly morning: CatalogueDocument; readonly noon: CatalogueDocument } {
  return {
    morning: {
      version: 1,
      policies: [sample("contoso-ios-level2"), sample("contoso-android-level2")],
      conditionalAccess: [],
      settings: {},
    },
    noon: {
      version: 2,
      policies: [sample("contoso-ios-level2-noon"), sample("contoso-android-level2-noon")],
      conditionalAccess: [],
      settings: {},
    },
  };
}

function sample(name: string): unknown {
  const text = readFileSync(new URL(`../../samples/policies/${name}.json`, import.meta.url), "utf8");
  return { ...(JSON.parse(text) as object), periodOfflineBeforeAccessCheck: OFFLINE_GRACE };
}
