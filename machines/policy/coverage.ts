/** Which app protection policies cover a session. */
import type { AppProtectionPolicy } from "./app-protection-policy.js";
import type { Catalogue } from "./catalogue.js";
import { namesApp } from "./named-apps.js";
import type { ResolveFacts } from "./resolve-facts.js";
import type { TenantSettings } from "./settings.js";
import type { Targeting } from "./targeting.js";

export interface Coverage {
  readonly policy: AppProtectionPolicy;
  /** `unknown`: the user's groups would tell. */
  readonly covers: boolean | "unknown";
  /** In words. */
  readonly why: string;
}

/** Of every policy, by id. A tenant's default covers only whom no other policy covers. */
export function coverage(catalogue: Catalogue, facts: ResolveFacts): readonly Coverage[] {
  const policies = [...catalogue.policies].sort((a, b) => (a.id < b.id ? -1 : 1));
  const all = policies.map((policy) => ({ policy, ...reach(policy, facts, catalogue.settings) }));
  const reached = all.find(({ policy, covers }) => policy.platform !== "both" && covers === true);
  if (reached === undefined) return all;
  return all.map((one) =>
    one.policy.platform === "both" && one.covers === true
      ? { ...one, covers: false, why: `a default, and ${reached.policy.name} covers the user` }
      : one,
  );
}

type Reach = Pick<Coverage, "covers" | "why">;

function reach(policy: AppProtectionPolicy, facts: ResolveFacts, settings: TenantSettings): Reach {
  const { platform, app, mdmEnrolled, licensed } = facts;
  if (licensed === false) return no("the user has no license");
  if (policy.platform !== "both" && policy.platform !== platform) return no(`it is for ${policy.platform}`);
  if (!namesApp(policy.apps, platform, app, settings)) return no(`it does not name ${app}`);
  if (policy.levels !== null && !policy.levels.includes(mdmEnrolled === true ? "mdm" : "unmanaged")) {
    return no(`it is for devices that are ${policy.levels.join(" or ")}`);
  }
  if (policy.platform === "both") return { covers: true, why: "the default, and no other policy covers the user" };
  return targeted(policy.targeting, knownGroups(facts, settings));
}

/** `undefined`: not known, and nothing may be taken for granted. */
export function knownGroups({ groups }: ResolveFacts, { unknownMembership }: TenantSettings): ResolveFacts["groups"] {
  return groups ?? (unknownMembership === "hold" ? undefined : []);
}

const no = (why: string): Reach => ({ covers: false, why });

function targeted({ everyone, includedGroups, excludedGroups }: Targeting, groups: ResolveFacts["groups"]): Reach {
  if (!everyone && includedGroups.length === 0) return no("it is assigned to nobody");
  if (groups === undefined && (!everyone || excludedGroups.length > 0)) {
    return { covers: "unknown", why: "it depends on the user's groups, which are not known" };
  }
  const excluded = excludedGroups.find((group) => groups?.includes(group));
  if (excluded !== undefined) return no(`the user is in the excluded group ${excluded}`);
  if (everyone) return { covers: true, why: "every licensed user is included" };
  const included = includedGroups.find((group) => groups?.includes(group));
  return included === undefined
    ? no("the user is in none of its groups")
    : { covers: true, why: `the user is in the group ${included}` };
}
