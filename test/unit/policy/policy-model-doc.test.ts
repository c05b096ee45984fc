import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { POLICY_ERROR_CODES } from "../../../machines/policy/policy-error.js";
import { TenantSettings } from "../../../machines/policy/settings.js";

const page = readFileSync(new URL("../../../docs/policy-model.md", import.meta.url), "utf8");

test("the page names every reason for refusing a document and every tenant setting", () => {
  for (const word of [...Object.keys(POLICY_ERROR_CODES), ...Object.keys(TenantSettings.shape)]) {
    expect(page).toMatch(new RegExp(`\`${word}[\`.]`));
  }
});
