/** Documents and catalogues for the specifications of what an administrator does. */
import type { CatalogueContent } from "../../../src/control/catalogue-document.js";
import { EMPTY_CONTENT } from "../../../src/control/catalogue-document.js";
import { samplePolicy } from "../../support/builders.js";

export const ios = samplePolicy("contoso-ios-level2");
export const android = samplePolicy("contoso-android-level2");
export const financeIos = samplePolicy("finance/contoso-ios-finance");
export const financeAccess = samplePolicy("finance/contoso-app-protection-required");

export const IOS_ID = ios["id"] as string;
export const FINANCE = "8c2f0a7e-51d6-4b3c-9e0f-27a4d1b65c38";

export const content = (...policies: readonly unknown[]): CatalogueContent => ({ ...EMPTY_CONTENT, policies });

export const without = (document: Record<string, unknown>, ...names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(document).filter(([name]) => !names.includes(name)));
