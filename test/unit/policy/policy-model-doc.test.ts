import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { GRAPH_PROPERTIES, GRAPH_PROPERTY_NAMES } from "../../../machines/policy/graph-properties.js";
import { POLICY_ERROR_CODES } from "../../../machines/policy/policy-error.js";
import { TenantSettings } from "../../../machines/policy/settings.js";

const page = readFileSync(new URL("../../../docs/policy-model.md", import.meta.url), "utf8");
const PLATFORMS = { AI: "both", A: "android", I: "ios" } as const;

/** Property → platform, from the table rows of the page. */
const documented = Object.fromEntries(
  [...page.matchAll(/^\| (`[a-zA-Z0-9`, ]+(?: with `\w+`)?) +\| (AI|A|I) +\|/gm)].flatMap(([, names, on]) =>
    [...names!.matchAll(/`(\w+)`/g)].map(([, name]) => [name, PLATFORMS[on as keyof typeof PLATFORMS]]),
  ),
);

test("the page lists exactly the properties that act, each on its platforms", () => {
  const actual = Object.fromEntries(GRAPH_PROPERTY_NAMES.map((name) => [name, GRAPH_PROPERTIES[name].on]));
  expect(documented).toEqual(actual);
});

test("the page names every reason for refusing a document and every tenant setting", () => {
  for (const word of [...Object.keys(POLICY_ERROR_CODES), ...Object.keys(TenantSettings.shape)]) {
    expect(page).toMatch(new RegExp(`\`${word}[\`.]`));
  }
});
