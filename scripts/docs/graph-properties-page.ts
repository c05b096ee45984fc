/** docs/graph-properties.md: every property of a Graph policy document, and what it does here, from the tables that read them. */
import { DEVICE_ONLY_PROPERTIES, DOCUMENT_PROPERTIES } from "../../machines/policy/device-only-properties.js";
import { DAY_MS, MINUTE_MS } from "../../machines/policy/duration.js";
import { GRAPH_PROPERTIES, type ActingProperty } from "../../machines/policy/graph-properties.js";

const PLATFORMS = { both: "both", ios: "iOS", android: "Android" } as const;

function defaultText(name: string, { absent }: ActingProperty<unknown>): string {
  if (absent === null) return "off";
  if (typeof absent !== "number" || (!name.startsWith("period") && !name.startsWith("pinRequiredInstead"))) {
    return `\`${JSON.stringify(absent).replaceAll('"', "")}\``;
  }
  return absent % DAY_MS === 0 && absent > DAY_MS ? `${absent / DAY_MS} days` : `${absent / MINUTE_MS} min`;
}

const acting = Object.entries(GRAPH_PROPERTIES) as readonly (readonly [string, ActingProperty<unknown>])[];

function actingRow([name, property]: (typeof acting)[number]): string {
  const { on, does, partOf, expected, words } = property;
  const belongs = partOf === undefined ? "" : ` (with \`${partOf}\`)`;
  return `| \`${name}\` | ${PLATFORMS[on]} | ${does}${belongs} | ${expected} | ${defaultText(name, property)} | ${words} |`;
}

export const graphPropertiesPage = [
  "# Graph properties",
  "",
  "Every property of an app protection policy (`iosManagedAppProtection`, `androidManagedAppProtection`, `defaultManagedAppProtection`) and what it does",
  "here. This page is written from the tables in `machines/policy` by `npm run docs`. [How a policy acts](policy-model.md) tells the rest: how documents are",
  "read, whom they cover, and how several become one.",
  "",
  "## Acts here",
  "",
  "*Default*: what a document without the property means. *Of several*: the value that counts where policies differ; for different numbers see",
  '[numbers](policy-model.md#several-policies). Off is written `null`, `""`, `PT0S`, `0000-00-00`, `0` days, `[]`, `notConfigured` or `none`. *With*: where that',
  "property is off, a policy says nothing with this one.",
  "",
  "| property | platform | what it does | valid values | default | of several |",
  "|---|---|---|---|---|---|",
  ...acting.map(actingRow),
  "",
  "## Enforced on the device only",
  "",
  "The app carries these out. Gatehouse keeps them, shows them with `gatehouse policy explain`, and judges nobody by them.",
  "",
  "| property | platform | meaning |",
  "|---|---|---|",
  ...Object.entries(DEVICE_ONLY_PROPERTIES).map(
    ([name, { on, means }]) => `| \`${name}\` | ${PLATFORMS[on]} | ${means} |`,
  ),
  "",
  "## About the document",
  "",
  "| property | meaning |",
  "|---|---|",
  ...Object.entries(DOCUMENT_PROPERTIES).map(([name, means]) => `| \`${name}\` | ${means} |`),
  "",
  "OData's own (`@odata.type`, `name@odata.type`, `#microsoft.graph.assign` …) is passed over. Whatever else a document holds is unknown to this release, and",
  "`gatehouse policy explain` lists it.",
  "",
].join("\n");
