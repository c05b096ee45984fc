/** Conditions of a conditional-access policy that can't be seen here, by what is left when those that can are taken away. */
import { type GraphDocument, isDecoration, isDocument, own, texts } from "./graph-document.js";

/** What is read of each condition. Whatever else a document sets, now or in a later release of Graph, can't be seen. */
const SEEN: Readonly<Record<string, readonly string[]>> = {
  users: ["include", "exclude"].flatMap((verb) =>
    ["Users", "Groups", "Roles", "GuestsOrExternalUsers"].map((who) => `${verb}${who}`),
  ),
  applications: [
    "includeApplications",
    "excludeApplications",
    "includeUserActions",
    "includeAuthenticationContextClassReferences",
  ],
  platforms: ["includePlatforms", "excludePlatforms"],
};

/** Their places in the document, sorted: `conditions.locations`. */
export function unseenConditions(conditions: GraphDocument): readonly string[] {
  return Object.keys(conditions)
    .filter((name) => !isDecoration(name) && name !== "clientAppTypes")
    .flatMap((name) => {
      const value = own(conditions, name);
      if (saysNothing(value) || (name === "locations" && isEverywhere(value))) return [];
      const seen = Object.hasOwn(SEEN, name) ? SEEN[name] : undefined;
      if (seen === undefined || !isDocument(value)) return [`conditions.${name}`];
      return Object.keys(value)
        .filter((inner) => !isDecoration(inner) && !seen.includes(inner) && !saysNothing(own(value, inner)))
        .map((inner) => `conditions.${name}.${inner}`);
    })
    .sort();
}

function isEverywhere(locations: unknown): boolean {
  if (!isDocument(locations)) return false;
  return texts(own(locations, "includeLocations")).includes("All") && saysNothing(own(locations, "excludeLocations"));
}

/** Whether a value is nothing, in any spelling: an empty list, or an object of nothing. */
export function saysNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === "none") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isDocument(value) && Object.entries(value).every(([key, inner]) => isDecoration(key) || saysNothing(inner));
}
