/** Conditional access as Gatehouse evaluates it: which policies are about a session, and what they demand. */
import { describe, expect, test } from "vitest";
import { accessCoverage } from "../../../machines/policy/access-coverage.js";
import { parseConditionalAccess } from "../../../machines/policy/conditional-access-policy.js";
import { type AccessProofs, unmetDemands } from "../../../machines/policy/conditional-access.js";
import { PolicyError } from "../../../machines/policy/policy-error.js";
import { type ResolveFacts, resolve } from "../../../machines/policy/resolve.js";
import type { AccessDemand } from "../../../machines/policy/rules.js";
import { accessDocument, accessPolicy, catalogue, policyOf, somebody, type SettingsSpec } from "./support.js";

const look = (
  document: Parameters<typeof accessDocument>,
  { facts = {}, settings = {} }: { facts?: Partial<ResolveFacts>; settings?: SettingsSpec } = {},
) => {
  const all = catalogue([], { access: [accessPolicy(...document)], settings });
  const [coverage] = accessCoverage(all, somebody(facts));
  const demands = resolve(all, somebody(facts)).conditionalAccess;
  return { ...coverage, demands };
};
const under = (conditions: object, facts: Partial<ResolveFacts> = {}, settings: SettingsSpec = {}) =>
  look([["mfa"], { conditions }], { facts, settings }).demands.length === 1;
const findings = (...of: Parameters<typeof accessDocument>) => parseConditionalAccess(accessDocument(...of)).findings;

describe("a policy is about a session", () => {
  const GUID = "A702A13D-a437-4a07-8a7e-8c052de62dfd";
  const user = GUID.toLowerCase();
  const of = (users: object) => ({ users });

  test.each([
    ["all users", { includeUsers: ["All"] }, true],
    ["nobody", { includeUsers: ["None"] }, false],
    ["the user, in whatever case", { includeUsers: [GUID] }, true],
    ["another user", { includeUsers: ["someone-else"] }, false],
    ["a group of the user's", { includeGroups: ["g1"] }, true],
    ["another group", { includeGroups: ["g9"] }, false],
    ["a role, which nobody here knows", { includeRoles: ["r1"] }, false],
    ["guests, whom nobody here knows", { includeUsers: ["GuestsOrExternalUsers"] }, false],
    ["all but the user", { includeUsers: ["All"], excludeUsers: [GUID] }, false],
    ["the user, except a group of theirs", { includeUsers: [GUID], excludeGroups: ["g1"] }, false],
    ["all but a role", { includeUsers: ["All"], excludeRoles: ["r1"] }, true],
    ["all but guests", { includeUsers: ["All"], excludeGuestsOrExternalUsers: { membershipKind: "all" } }, true],
  ])("for %s", (_whom, users, applies) => expect(under(of(users), { user, groups: ["g1"] })).toBe(applies));

  test("for users whose groups were never told: doubt includes, and excludes nobody", () => {
    const unknown = { groups: undefined };
    expect(under(of({ includeGroups: ["g1"] }), unknown)).toBe(true);
    expect(under(of({ includeUsers: ["All"], excludeGroups: ["g1"] }), unknown)).toBe(true);
    expect(under(of({ includeGroups: ["g1"] }), unknown, { unknownMembership: "notTargeted" })).toBe(false);
  });

  test("of a user with no license as well: it is not app protection", () => {
    expect(under({}, { licensed: false })).toBe(true);
  });

  test.each([
    ["all applications", { includeApplications: ["All"] }, true],
    ["an application that the app signs in to", { includeApplications: ["797F4846-ba00"] }, true],
    ["Office, which is not one of them", { includeApplications: ["Office365"] }, false],
    ["none", { includeApplications: ["None"] }, false],
    ["all but one of the app's", { includeApplications: ["All"], excludeApplications: ["797f4846-BA00"] }, false],
    ["what a user does, not an app", { includeUserActions: ["urn:user:registersecurityinfo"] }, false],
  ])("for %s", (_what, applications, applies) => {
    const settings = { apps: { "azure-mobile": { cloudAppIds: ["797f4846-ba00"] } } };
    expect(under({ applications }, {}, settings)).toBe(applies);
  });

  test("for particular applications: not before the settings say which ones the app signs in to", () => {
    const { applies, why } = look([["mfa"], { conditions: { applications: { includeApplications: ["797f4846"] } } }]);
    expect([applies, why]).toEqual([false, expect.stringContaining("apps.azure-mobile.cloudAppIds")]);
  });

  test.each([
    [{ includePlatforms: ["all"] }, [true, true]],
    [{ includePlatforms: ["iOS"] }, [true, false]],
    [{ includePlatforms: ["ANDROID", "windows"] }, [false, true]],
    [{ includePlatforms: ["all"], excludePlatforms: ["iOS", "windowsPhone"] }, [false, true]],
    [null, [true, true]],
  ])("on platforms %j", (platforms, [ios, android]) => {
    expect(under({ platforms }, { platform: "ios" })).toBe(ios);
    expect(under({ platforms }, { platform: "android" })).toBe(android);
  });

  test.each([
    [["all"], true],
    [["mobileAppsAndDesktopClients", "browser"], true],
    [["browser", "exchangeActiveSync", "other"], false],
    [[], true],
    [["somethingNewer"], true],
  ])("from clients %j", (clientAppTypes, applies) => expect(under({ clientAppTypes })).toBe(applies));
});

describe("a condition that can't be seen leaves the policy to Entra", () => {
  test.each([
    ["locations", { locations: { includeLocations: ["All"], excludeLocations: ["AllTrusted"] } }],
    ["signInRiskLevels", { signInRiskLevels: ["high"] }],
    ["userRiskLevels", { userRiskLevels: ["high"] }],
    ["devices", { devices: { deviceFilter: { mode: "exclude", rule: 'device.trustType -eq "x"' } } }],
    ["times", { times: { includedRanges: ["x"] } }],
    ["authenticationFlows", { authenticationFlows: { transferMethods: "deviceCodeFlow" } }],
    ["somethingNewer", { somethingNewer: { level: 1 } }],
    [
      "applications.applicationFilter",
      { applications: { includeApplications: ["All"], applicationFilter: { rule: "x" } } },
    ],
  ])("%s", (name, conditions) => {
    const { applies, evaluated, demands, why } = look([["block"], { conditions }]);
    expect([applies, evaluated, demands]).toEqual([true, "elsewhere", []]);
    expect(why).toContain(`conditions.${name}`);
    expect(findings(["block"], { conditions })).toMatchObject([{ property: `conditions.${name}` }]);
  });

  test("but not one that says nothing", () => {
    const empty = {
      locations: { includeLocations: ["All"], excludeLocations: [] },
      signInRiskLevels: [],
      userRiskLevels: null,
      devices: { includeDevices: [], deviceFilter: null },
      authenticationFlows: { transferMethods: "none" },
      clientApplications: { "@odata.type": "x", includeServicePrincipals: [] },
    };
    expect(under(empty)).toBe(true);
    expect(findings(["mfa"], { conditions: empty })).toEqual([]);
  });
});

describe("what it demands", () => {
  const controls = (names: readonly string[], grantControls: object = {}, settings: SettingsSpec = {}) =>
    look([names, { grantControls }], { settings }).demands.flatMap((demand) => demand.controls);

  test("are its controls, with its operator", () => {
    expect(look([["mfa", "compliantDevice"], { id: "A1", grantControls: { operator: "AND" } }]).demands).toEqual([
      { policy: { id: "a1", name: "Access" }, operator: "AND", controls: ["compliantDevice", "mfa"] },
    ]);
  });

  test("is a block, whatever stands beside it", () => expect(controls(["mfa", "block"])).toEqual(["block"]));

  test("is not the approved app, which is retired; of that alone nothing is left", () => {
    expect(controls(["approvedApplication", "compliantApplication"])).toEqual(["compliantApplication"]);
    expect(controls(["approvedApplication"])).toEqual([]);
    const settings = { approvedApplicationRetired: false };
    expect(controls(["approvedApplication"], {}, settings)).toEqual(["approvedApplication"]);
  });

  test("that is unknown here stays, is said, and can't be satisfied", () => {
    const grantControls = {
      customAuthenticationFactors: ["c1"],
      authenticationStrength: { id: "s1" },
      somethingNewer: ["x"],
    };
    const names = ["authenticationStrength", "customAuthenticationFactors", "riskRemediation", "somethingNewer"];
    expect(controls(["riskRemediation"], grantControls)).toEqual(names);
    expect(findings(["riskRemediation"], { grantControls }).map(({ usedInstead }) => usedInstead)).toEqual(
      names.map(() => "never satisfied"),
    );
  });

  test("of terms of use is one control, however many there are", () => {
    expect(controls([], { termsOfUse: ["t1", "t2"] })).toEqual(["termsOfUse"]);
  });

  test("is nothing where it has session controls alone", () => {
    expect(look([[], { sessionControls: { signInFrequency: { value: 4 } } }])).toMatchObject({
      evaluated: "nowhere",
      demands: [],
    });
  });

  test.each([
    ["enabled", 1],
    ["disabled", 0],
    ["enabledForReportingButNotEnforced", 0],
    ["unknownFutureValue", 1],
  ])("counts in the state %s", (state, demands) => {
    expect(look([["mfa"], { state }]).demands).toHaveLength(demands);
  });

  test("of several policies are all of it, by id, whatever their order", () => {
    const access = [accessPolicy(["mfa"], { id: "b" }), accessPolicy(["compliantDevice"], { id: "a" })];
    const demandsOf = (policies: typeof access) =>
      resolve(catalogue([policyOf("ios")], { access: policies }), somebody()).conditionalAccess;
    expect(demandsOf(access).map(({ policy }) => policy.id)).toEqual(["a", "b"]);
    expect(demandsOf([...access].reverse())).toEqual(demandsOf(access));
  });
});

describe("a document", () => {
  test("that leaves out whom or what it is for is for everybody and everything", () => {
    const { policy, findings: found } = parseConditionalAccess({
      conditions: {},
      grantControls: { builtInControls: ["mfa"] },
    });
    expect(policy).toMatchObject({
      state: "enabled",
      users: { included: { everyone: true } },
      apps: { included: ["all"] },
    });
    expect(found.map(({ property }) => property)).toEqual(["state", "conditions.users", "conditions.applications"]);
  });

  test("without an operator for several controls asks for all of them", () => {
    expect(accessPolicy(["mfa", "compliantDevice"], { grantControls: { operator: "XOR" } }).operator).toBe("AND");
  });

  test.each([7, null, [], {}, { "@odata.type": "#microsoft.graph.iosManagedAppProtection" }])(
    "that is none is refused: %j",
    (document) => expect(() => parseConditionalAccess(document)).toThrow(PolicyError),
  );
});

describe("a demand", () => {
  const PROVEN: AccessProofs = { mfa: true, device: "compliant", appProtection: "applied" };
  const NOTHING: AccessProofs = { mfa: false, device: "noncompliant", appProtection: "missing" };
  const demand = (operator: "AND" | "OR", ...controls: string[]): AccessDemand => ({
    policy: { id: "a", name: "A" },
    operator,
    controls,
  });
  const remedy = (of: AccessDemand, proofs: AccessProofs) => unmetDemands([of], proofs)[0]?.remedy ?? "met";

  test.each([
    ["mfa", "signIn"],
    ["termsOfUse", "signIn"],
    ["passwordChange", "signIn"],
    ["compliantDevice", "device"],
    ["compliantApplication", "application"],
  ])("of %s can be met, and where it is not, the remedy is %s", (control, expected) => {
    expect(remedy(demand("AND", control), PROVEN)).toBe("met");
    expect(remedy(demand("AND", control), NOTHING)).toBe(expected);
  });

  test.each(["block", "domainJoinedDevice", "authenticationStrength", "approvedApplication", "somethingNewer"])(
    "of %s is never met",
    (control) => expect(remedy(demand("AND", control), PROVEN)).toBe("none"),
  );

  test("of app protection is never met in an app that does not support it", () => {
    const settings = { apps: { wiki: { supportsAppProtection: false } } };
    const [of] = look([["compliantApplication"]], { facts: { app: "wiki" }, settings }).demands;
    expect(remedy(of as AccessDemand, PROVEN)).toBe("none");
  });

  test("for what is still on its way is waited for", () => {
    expect(remedy(demand("AND", "compliantDevice"), { ...PROVEN, device: "unknown" })).toBe("wait");
    expect(remedy(demand("AND", "compliantApplication"), { ...PROVEN, appProtection: "pending" })).toBe("wait");
    expect(remedy(demand("AND", "compliantDevice", "mfa"), { ...NOTHING, device: "unknown" })).toBe("signIn");
  });

  test("for all takes the hardest remedy, for one of several the easiest", () => {
    expect(remedy(demand("AND", "mfa", "compliantDevice"), NOTHING)).toBe("device");
    expect(remedy(demand("OR", "mfa", "compliantDevice"), NOTHING)).toBe("signIn");
    expect(remedy(demand("OR", "block", "mfa"), PROVEN)).toBe("met");
    expect(remedy(demand("AND", "somethingNewer", "mfa"), NOTHING)).toBe("none");
  });

  test("names the controls that are not satisfied", () => {
    expect(unmetDemands([demand("AND", "mfa", "compliantDevice")], { ...PROVEN, mfa: false })).toMatchObject([
      { policy: { id: "a" }, controls: ["mfa"] },
    ]);
  });
});
