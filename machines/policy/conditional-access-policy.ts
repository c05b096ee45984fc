/**
 * One conditional-access policy, read from a Graph document. Where it asks about something that can't be known here, that is a finding:
 * whom it names by role is matched with nobody, and a condition such as a location leaves the whole policy to Entra's own verdict.
 */
import { canonicalId } from "../users/canonical-id.js";
import { contentHash } from "./content-hash.js";
import type { Finding } from "./finding.js";
import { type GraphDocument, graphType, isDecoration, isDocument, own, texts } from "./graph-document.js";
import { type GrantControls, readGrantControls } from "./grant-controls.js";
import { PolicyError } from "./policy-error.js";
import { readPolicyRef } from "./policy-ref.js";
import { saysNothing, unseenConditions } from "./unseen-conditions.js";

export interface AccessUsers {
  readonly everyone: boolean;
  /** Ids of users and of groups, GUIDs in lower case. */
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

export interface ConditionalAccessPolicy extends GrantControls {
  /** As in Graph, lower-cased. A document without one is named by its content. */
  readonly id: string;
  readonly name: string;
  readonly state: "enabled" | "disabled" | "reportOnly";
  readonly users: { readonly included: AccessUsers; readonly excluded: AccessUsers };
  /** Ids of cloud apps in lower case, `all` among them. */
  readonly apps: { readonly included: readonly string[]; readonly excluded: readonly string[] };
  /** Graph's names in lower case, `all` among them. */
  readonly platforms: { readonly included: readonly string[]; readonly excluded: readonly string[] };
  /** Whether it is about apps on phones at all, and not only about browsers and mail protocols. */
  readonly mobileApps: boolean;
  /** Conditions that can't be seen here: with any, the policy is left to Entra's own verdict. */
  readonly unseen: readonly string[];
  /** What an administrator should know of how it is read. */
  readonly notes: readonly string[];
}

export const isConditionalAccess = (document: GraphDocument): boolean => {
  const type = graphType(document);
  if (type !== undefined) return type === "conditionalAccessPolicy";
  return isDocument(own(document, "conditions")) && Object.hasOwn(document, "grantControls");
};

/**
 * Reads one bare document.
 * @throws PolicyError if it is no conditional-access policy
 */
export function parseConditionalAccess(document: unknown): {
  policy: ConditionalAccessPolicy;
  findings: readonly Finding[];
} {
  if (!isDocument(document)) {
    throw new PolicyError("policy.not_object", "$", "Pass one policy as Graph answers it, a JSON object.");
  }
  if (!isConditionalAccess(document)) {
    const fix =
      'Pass a document of type #microsoft.graph.conditionalAccessPolicy, with "conditions" and "grantControls".';
    throw new PolicyError("policy.type_unsupported", "$", fix);
  }
  const findings: Finding[] = [];
  const { ref, findings: refFindings } = readPolicyRef(document, () => contentHash(withoutDecoration(document)));
  const state = readState(document, findings);
  const conditions = member(document, "conditions");
  const users = readUsers(conditions, findings);
  const apps = readApps(conditions, findings);
  const platforms = member(conditions, "platforms");
  const grant = readGrantControls(member(document, "grantControls"), findings);
  const mobileApps = concernsMobileApps(conditions);
  const unseen = unseenConditions(conditions);
  for (const property of unseen) {
    findings.push({ property, value: valueAt(conditions, property), expected: UNSEEN, usedInstead: LEFT_TO_ENTRA });
  }
  if (!saysNothing(own(document, "sessionControls"))) {
    const value = own(document, "sessionControls");
    findings.push({ property: "sessionControls", value, expected: "Entra carries them out", usedInstead: "not read" });
  }
  return {
    policy: {
      ...ref,
      ...grant,
      state,
      users,
      apps,
      platforms: {
        included: lowerCase(own(platforms, "includePlatforms")),
        excluded: lowerCase(own(platforms, "excludePlatforms")),
      },
      mobileApps,
      unseen,
      notes: findings.map(({ property, expected, usedInstead }) => `${property}: ${expected} (${String(usedInstead)})`),
    },
    findings: [...refFindings, ...findings],
  };
}

const UNSEEN = "a condition that can't be seen here";
const LEFT_TO_ENTRA = "left to Entra's verdict, ca.evaluated";

const EMPTY: GraphDocument = {};

function member(document: GraphDocument, name: string): GraphDocument {
  const value = own(document, name);
  return isDocument(value) ? value : EMPTY;
}

const withoutDecoration = (document: GraphDocument): GraphDocument =>
  Object.fromEntries(Object.entries(document).filter(([key]) => !isDecoration(key)));

const lowerCase = (value: unknown): readonly string[] => texts(value).map((text) => text.toLowerCase());

const STATES: Readonly<Record<string, ConditionalAccessPolicy["state"]>> = {
  enabled: "enabled",
  disabled: "disabled",
  enabledForReportingButNotEnforced: "reportOnly",
};

function readState(document: GraphDocument, findings: Finding[]): ConditionalAccessPolicy["state"] {
  const value = own(document, "state");
  const state = typeof value === "string" && Object.hasOwn(STATES, value) ? STATES[value] : undefined;
  if (state !== undefined) return state;
  findings.push({ property: "state", value, expected: Object.keys(STATES).join(", "), usedInstead: "enabled" });
  return "enabled";
}

function readUsers(conditions: GraphDocument, findings: Finding[]): ConditionalAccessPolicy["users"] {
  const users = member(conditions, "users");
  if (saysNothing(users)) {
    const expected = "users and groups that it is for";
    findings.push({ property: "conditions.users", value: users, expected, usedInstead: "everybody" });
    return {
      included: { everyone: true, users: [], groups: [] },
      excluded: { everyone: false, users: [], groups: [] },
    };
  }
  const side = (verb: "include" | "exclude"): AccessUsers => {
    const named = texts(own(users, `${verb}Users`));
    const usedInstead = verb === "include" ? "matches nobody" : "excludes nobody";
    const notKnown = (property: string, value: unknown, expected: string) => {
      if (!saysNothing(value))
        findings.push({ property: `conditions.users.${property}`, value, expected, usedInstead });
    };
    notKnown(`${verb}Roles`, own(users, `${verb}Roles`), "roles are not known here");
    notKnown(
      `${verb}GuestsOrExternalUsers`,
      own(users, `${verb}GuestsOrExternalUsers`) ?? named.filter((name) => name === GUESTS),
      "guests are not known here",
    );
    return {
      everyone: named.includes("All"),
      users: named.filter((name) => !NOT_IDS.includes(name)).map(canonicalId),
      groups: texts(own(users, `${verb}Groups`)).map(canonicalId),
    };
  };
  return { included: side("include"), excluded: side("exclude") };
}

const GUESTS = "GuestsOrExternalUsers";
const NOT_IDS: readonly string[] = ["All", "None", GUESTS];

function readApps(conditions: GraphDocument, findings: Finding[]): ConditionalAccessPolicy["apps"] {
  const applications = member(conditions, "applications");
  if (saysNothing(applications)) {
    const expected = "applications that it is for";
    findings.push({
      property: "conditions.applications",
      value: applications,
      expected,
      usedInstead: "all applications",
    });
    return { included: ["all"], excluded: [] };
  }
  for (const name of ["includeUserActions", "includeAuthenticationContextClassReferences"]) {
    const value = own(applications, name);
    if (saysNothing(value)) continue;
    const property = `conditions.applications.${name}`;
    findings.push({ property, value, expected: "not about opening an app", usedInstead: "matches no app" });
  }
  return {
    included: lowerCase(own(applications, "includeApplications")),
    excluded: lowerCase(own(applications, "excludeApplications")),
  };
}

const OTHER_CLIENTS: readonly string[] = ["browser", "exchangeActiveSync", "easSupported", "other"];

/** Without a word: all clients. A kind that is newer than this list may be ours. */
function concernsMobileApps(conditions: GraphDocument): boolean {
  const types = texts(own(conditions, "clientAppTypes"));
  return types.length === 0 || types.some((type) => !OTHER_CLIENTS.includes(type));
}

function valueAt(conditions: GraphDocument, property: string): unknown {
  let value: unknown = conditions;
  for (const name of property.split(".").slice(1)) value = isDocument(value) ? own(value, name) : undefined;
  return value;
}
