/** Nothing in a policy is dropped in silence: every property acts, or is known to do nothing here. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DEVICE_ONLY_PROPERTIES, DOCUMENT_PROPERTIES } from "../../../machines/policy/device-only-properties.js";
import {
  GRAPH_PROPERTIES,
  GRAPH_PROPERTY_NAMES,
  type ActingProperty,
} from "../../../machines/policy/graph-properties.js";
import { readGraphDocuments } from "../../../machines/policy/graph-documents.js";

const TABLES = [GRAPH_PROPERTIES, DEVICE_ONLY_PROPERTIES, DOCUMENT_PROPERTIES];
const tablesOf = (property: string) => TABLES.filter((table) => Object.hasOwn(table, property)).length;

test("no property stands in two tables", () => {
  const twice = TABLES.flatMap((table) => Object.keys(table)).filter((property) => tablesOf(property) !== 1);
  expect(twice).toEqual([]);
});

test("what belongs to another property belongs to one that can be off, on the same platforms", () => {
  for (const name of GRAPH_PROPERTY_NAMES) {
    const { partOf, on } = GRAPH_PROPERTIES[name] as ActingProperty<unknown>;
    if (partOf === undefined) continue;
    expect(GRAPH_PROPERTY_NAMES).toContain(partOf);
    const whole = GRAPH_PROPERTIES[partOf as keyof typeof GRAPH_PROPERTIES] as ActingProperty<unknown>;
    expect([on, "both"]).toContain(whole.on === "both" ? "both" : whole.on);
    expect(whole.partOf).toBeUndefined();
    expect(["boolean", "string", "object"]).toContain(typeof whole.absent);
  }
});

const FIXTURES = new URL("../../../../shared/fixtures/graph/", import.meta.url);
const files = existsSync(FIXTURES)
  ? readdirSync(FIXTURES).filter((name) => /^(ios|android)ManagedAppProtection\..*json$/.test(name))
  : [];

describe.skipIf(files.length === 0)("Microsoft's own documents", () => {
  test.each(files)("every property of %s stands in exactly one table", (name) => {
    const [item] = readGraphDocuments(JSON.parse(readFileSync(new URL(name, FIXTURES), "utf8"))).items;
    if (item?.kind !== "appProtection") throw new Error(`${name} is no policy`);
    const properties = Object.keys(item.document).filter((property) => !property.includes("@"));
    expect(properties.filter((property) => tablesOf(property) !== 1)).toEqual([]);
    expect(item.policy.unknown).toEqual([]);
  });
});
