/** Which conditional-access policies are about a session, and what they demand of it. */
import type { Catalogue } from "./catalogue.js";
import type { AccessUsers, ConditionalAccessPolicy } from "./conditional-access-policy.js";
import { knownGroups } from "./coverage.js";
import type { ResolveFacts } from "./resolve-facts.js";
import type { AccessDemand } from "./rules.js";
import type { TenantSettings } from "./settings.js";

export interface AccessCoverage {
  readonly policy: ConditionalAccessPolicy;
  /** Whether it is about this session at all. */
  readonly applies: boolean;
  /** In words. */
  readonly why: string;
  /** Graph's names of the grant controls that count. */
  readonly controls: readonly string[];
  /** `here`: enforced by the rules. `elsewhere`: left to Entra's own verdict. `nowhere`: not enforced. */
  readonly evaluated: "here" | "elsewhere" | "nowhere";
  readonly notes: readonly string[];
}

/** Of every policy, by id. */
export function accessCoverage(
  { conditionalAccess, settings }: Catalogue,
  facts: ResolveFacts,
): readonly AccessCoverage[] {
  return [...conditionalAccess]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((policy) => {
      const { applies, why } = reach(policy, facts, settings);
      const controls = countingControls(policy, settings);
      const isEnforced = applies && policy.state === "enabled" && controls.length > 0;
      const notes = [...policy.notes];
      if (policy.controls.includes(RETIRED)) notes.push(settings.approvedApplicationRetired ? DROPPED : UNKNOWN_HERE);
      if (unsupportedControls(controls, facts, settings).length > 0) {
        notes.push(`${facts.app} does not support app protection, so compliantApplication is never satisfied in it`);
      }
      const evaluated = !isEnforced ? "nowhere" : policy.unseen.length > 0 ? "elsewhere" : "here";
      return { policy, applies, why, controls, evaluated, notes };
    });
}

const RETIRED = "approvedApplication";
const DROPPED = "approvedApplication is retired and counts as not ticked";
const UNKNOWN_HERE = "approvedApplication can't be told here: never satisfied";

/** What enforced policies demand of a session, by policy id. */
export function accessDemands(catalogue: Catalogue, facts: ResolveFacts): readonly AccessDemand[] {
  if (catalogue.conditionalAccess.length === 0) return [];
  return accessCoverage(catalogue, facts)
    .filter(({ evaluated }) => evaluated === "here")
    .map(({ policy: { id, name, operator }, controls }) => {
      const unsupported = unsupportedControls(controls, facts, catalogue.settings);
      return { policy: { id, name }, operator, controls, ...(unsupported.length > 0 && { unsupported }) };
    });
}

function countingControls({ controls }: ConditionalAccessPolicy, settings: TenantSettings): readonly string[] {
  // A block ends the matter, whatever stands beside it.
  if (controls.includes("block")) return ["block"];
  return settings.approvedApplicationRetired ? controls.filter((control) => control !== RETIRED) : controls;
}

function unsupportedControls(
  controls: readonly string[],
  { app }: ResolveFacts,
  { apps }: TenantSettings,
): readonly string[] {
  const isSupported = !Object.hasOwn(apps, app) || apps[app]?.supportsAppProtection !== false;
  return isSupported ? [] : controls.filter((control) => control === "compliantApplication");
}

type Reach = Pick<AccessCoverage, "applies" | "why">;
const no = (why: string): Reach => ({ applies: false, why });

function reach(policy: ConditionalAccessPolicy, facts: ResolveFacts, settings: TenantSettings): Reach {
  const { users, apps, platforms, mobileApps } = policy;
  if (policy.state === "disabled") return no("it is disabled");
  if (!mobileApps) return no("it is about browsers and mail protocols, not about apps on phones");
  const platform = facts.platform;
  if (platforms.excluded.some((name) => name === platform || name === "all")) return no(`it excludes ${platform}`);
  if (platforms.included.length > 0 && !platforms.included.some((name) => name === platform || name === "all")) {
    return no(`it is not for ${platform}`);
  }
  const app = reachesApp(apps, facts, settings);
  if (app !== undefined) return no(app);
  // What is not known of the user's groups includes, and excludes nobody: doubt protects.
  const groups = knownGroups(facts, settings);
  if (matches(users.excluded, facts.user, groups ?? [])) return no("it excludes the user");
  const isDoubtful = groups === undefined && users.included.groups.length > 0;
  if (matches(users.included, facts.user, groups ?? []))
    return { applies: true, why: reason(policy, "it is for the user") };
  if (isDoubtful) return { applies: true, why: reason(policy, "it may be for the user, whose groups are not known") };
  return no("it is not for the user");
}

const reason = ({ state, unseen }: ConditionalAccessPolicy, who: string): string =>
  [
    who,
    ...(state === "reportOnly" ? ["it only reports, and is not enforced"] : []),
    ...(unseen.length > 0 ? [`it depends on ${unseen.join(", ")}`] : []),
  ].join("; ");

/** Why a policy is not about the app; `undefined`: it is. */
function reachesApp(
  { included, excluded }: ConditionalAccessPolicy["apps"],
  { app }: ResolveFacts,
  settings: TenantSettings,
): string | undefined {
  const known = Object.hasOwn(settings.apps, app) ? settings.apps[app] : undefined;
  const ids = new Set((known?.cloudAppIds ?? []).map((id) => id.toLowerCase()));
  if (excluded.some((id) => id === "all" || ids.has(id))) return `it excludes ${app}`;
  if (included.some((id) => id === "all" || ids.has(id))) return undefined;
  return ids.size === 0 && included.length > 0
    ? `it names cloud apps, and which of them ${app} signs in to is not known: see the setting apps.${app}.cloudAppIds`
    : `it does not name ${app}`;
}

function matches({ everyone, users, groups }: AccessUsers, user: string, of: readonly string[]): boolean {
  return everyone || users.includes(user) || groups.some((group) => of.includes(group));
}
