/** Fifty policies, one for each kind of session in the fleet: each targets one group on one platform. */
import { readFileSync } from "node:fs";
import type { CatalogueDocument } from "../../src/control/catalogue-document.js";
import { KINDS } from "./fleet.js";

const sample = (platform: string): object =>
  JSON.parse(
    readFileSync(new URL(`../../samples/policies/contoso-${platform}-level2.json`, import.meta.url), "utf8"),
  ) as object;

/** @param maximumPinRetries what the change is about: nobody's state depends on it, everybody's rules do */
export function fleetPolicies(maximumPinRetries: number): Omit<CatalogueDocument, "version"> {
  const policies = KINDS.map(({ platform, group }, n) => ({
    ...sample(platform),
    id: `fleet-${platform}-${n}`,
    displayName: `Fleet ${n}`,
    maximumPinRetries,
    assignments: [{ target: { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: group } }],
  }));
  return { policies, conditionalAccess: [], settings: {} };
}
