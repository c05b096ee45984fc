/** Random catalogues and sessions for properties: few groups, users and values, so that policies meet. */
import fc from "fast-check";
import type { Catalogue } from "../../../machines/policy/catalogue.js";
import { parsePolicy } from "../../../machines/policy/app-protection-policy.js";
import { parseConditionalAccess } from "../../../machines/policy/conditional-access-policy.js";
import { GRAPH_PROPERTIES, GRAPH_PROPERTY_NAMES } from "../../../machines/policy/graph-properties.js";
import { INVALID, OUT_OF_RANGE } from "../../../machines/policy/graph-readers.js";
import type { ResolveFacts } from "../../../machines/policy/resolve.js";
import { TenantSettings } from "../../../machines/policy/settings.js";
import { EVERYONE, group, notGroup } from "./support.js";

type Document = Readonly<Record<string, unknown>>;

/** Catalogues are generated as documents, so that what is said of them holds from the document on. */
export interface Documents {
  readonly policies: readonly Document[];
  readonly conditionalAccess: readonly Document[];
  readonly settings: Document;
}

export const read = ({ policies, conditionalAccess, settings }: Documents): Catalogue => ({
  version: 1,
  policies: policies.map((document) => parsePolicy(document).policy),
  conditionalAccess: conditionalAccess.map((document) => parseConditionalAccess(document).policy),
  settings: TenantSettings.parse(settings),
});

// Every property is given those of them that it can mean.
const TEXTS = [
  "PT0S PT10M PT30M PT12H PT720M P1D P30D P90D 9.0 16.4.1.a 17 17.0 17.1 2023-12-01 2024-06-01 0000-00-00 a;b b;c c",
  "warn block wipe blockWhenSettingIsSupported numeric alphanumericAndSymbol none notConfigured secured low medium high",
  "basicIntegrity basicIntegrityAndDeviceCertification basic hardwareBacked enabled",
].flatMap((line) => line.split(" "));
const RAW: readonly unknown[] = [true, false, null, 0, 3, 4, 6, 8, 12, 20, 30, "", ["a", "b"], ["c"], ...TEXTS];
/** Every property that acts, with values that a document can give it. */
export const MEANINGFUL = GRAPH_PROPERTY_NAMES.map((name) => {
  const meaningful = RAW.filter((raw) => {
    const value: unknown = GRAPH_PROPERTIES[name].read(raw);
    return value !== INVALID && value !== OUT_OF_RANGE && value !== undefined;
  });
  return [name, meaningful] as const;
});

/** Settings that several policies are to say, so that they meet. */
const POPULAR = MEANINGFUL.filter(([name]) =>
  /^(pinRequired|minimumPinLength|pinCharacterSet|periodOfflineBeforeAccessCheck|minimumRequiredOsVersion|deviceCompliance)/.test(
    name,
  ),
);

const said = fc
  .uniqueArray(
    fc
      .oneof(fc.constantFrom(...MEANINGFUL), fc.constantFrom(...POPULAR))
      .chain(([name, values]) => fc.constantFrom(...values).map((value) => [name, value] as const)),
    { selector: ([name]) => name, maxLength: 25 },
  )
  .map((entries): Document => Object.fromEntries(entries));

const GROUPS = ["g0", "g1", "g2", "g3"] as const;
const groups = fc.subarray([...GROUPS]);
const assignment = fc.oneof(
  { weight: 2, arbitrary: fc.constant(EVERYONE) },
  { weight: 3, arbitrary: fc.constantFrom(...GROUPS).map((id) => group(id)) },
  { weight: 1, arbitrary: fc.constantFrom(...GROUPS).map((id) => notGroup(id)) },
);

const TARGETED = ["iosManagedAppProtection", "androidManagedAppProtection"] as const;

function policy(types: readonly string[]): fc.Arbitrary<Document> {
  return fc
    .record({
      type: fc.constantFrom(...types),
      said,
      assignments: fc.array(assignment, { maxLength: 3 }),
      appGroupType: fc.constantFrom("allApps", "allApps", "allCoreMicrosoftApps"),
      targetedAppManagementLevels: fc.constantFrom("unspecified", "unspecified", "mdm", "unmanaged"),
    })
    .map(({ type, said: properties, ...rest }) => ({
      "@odata.type": `#microsoft.graph.${type}`,
      ...rest,
      ...properties,
    }));
}

const access: fc.Arbitrary<Document> = fc.record({
  state: fc.constantFrom("enabled", "enabled", "enabled", "disabled", "enabledForReportingButNotEnforced"),
  conditions: fc.record({
    users: fc.record({
      includeUsers: fc.subarray(["All", "u0", "u1"]),
      excludeUsers: fc.subarray(["u0", "u2"], { maxLength: 1 }),
      includeGroups: groups,
      excludeGroups: fc.subarray([...GROUPS], { maxLength: 1 }),
    }),
    applications: fc.constant({ includeApplications: ["All"] }),
    platforms: fc.constantFrom(
      null,
      { includePlatforms: ["iOS"] },
      { includePlatforms: ["all"], excludePlatforms: ["iOS"] },
    ),
  }),
  grantControls: fc.record({
    operator: fc.constantFrom("AND", "OR"),
    builtInControls: fc.subarray(["mfa", "compliantDevice", "compliantApplication", "approvedApplication"]),
  }),
});

const named = (documents: readonly Document[], prefix: string): readonly Document[] =>
  documents.map((document, index) => ({ id: `${prefix}${index}`, ...document }));

const settings: fc.Arbitrary<Document> = fc.record({
  numericConflicts: fc.constantFrom("default", "mostRestrictive"),
  unknownMembership: fc.constantFrom("hold", "notTargeted"),
});

/** `defaults: false`: without a tenant's default, which gives way to every other policy. */
export function catalogues({ defaults = true } = {}): fc.Arbitrary<Documents> {
  return fc.record({
    policies: fc
      .array(policy(defaults ? [...TARGETED, "defaultManagedAppProtection"] : TARGETED), { maxLength: 5 })
      .map((documents) => named(documents, "p")),
    conditionalAccess: fc.array(access, { maxLength: 3 }).map((documents) => named(documents, "c")),
    settings,
  });
}

/** One more policy, whatever it says, with an id of its own. */
export const anotherPolicy: fc.Arbitrary<Document> = policy(TARGETED).map((document) => ({
  id: "another",
  ...document,
}));

export const sessions: fc.Arbitrary<ResolveFacts> = fc.record({
  platform: fc.constantFrom("ios" as const, "android" as const),
  app: fc.constantFrom("azure-mobile", "azure-mobile", "todo"),
  user: fc.constantFrom("u0", "u1", "u2", "u3"),
  mdmEnrolled: fc.constantFrom(true, false, undefined),
  licensed: fc.constantFrom(true, true, true, undefined, false),
  groups: fc.oneof({ weight: 6, arbitrary: groups }, { weight: 1, arbitrary: fc.constant(undefined) }),
});
