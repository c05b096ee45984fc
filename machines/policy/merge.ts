/**
 * Several policies become one, setting by setting, whatever their order. A setting comes to the most restrictive value that any policy
 * says. A policy that does not say means the default, which counts where it is stricter and never weakens what another says. Different
 * numbers are a conflict, for which the default stands in if the tenant wants it so and the default is a number.
 */
import type { AppProtectionPolicy } from "./app-protection-policy.js";
import { canonicalJson } from "./content-hash.js";
import { GRAPH_PROPERTIES, GRAPH_PROPERTY_NAMES, type ActingProperty, type GraphValues } from "./graph-properties.js";
import type { Platform } from "./rules.js";
import type { TenantSettings } from "./settings.js";

export interface MergedSetting {
  readonly property: keyof GraphValues;
  /** `null`: off. Durations are in ms. */
  readonly value: unknown;
  readonly rule: "default" | "asSaid" | "mostRestrictive" | "numericDefault";
  /** What each policy says that says something, in the order of the policies. */
  readonly said: readonly { readonly policy: AppProtectionPolicy; readonly value: unknown }[];
  /** The property that is off, so that this one has no effect. */
  readonly noEffectWithout?: string;
}

/** Every property of the platform that acts, in the order of their table; the policies are at least one. */
export function mergeSettings(
  policies: readonly AppProtectionPolicy[],
  platform: Platform,
  numericConflicts: TenantSettings["numericConflicts"],
): readonly MergedSetting[] {
  return GRAPH_PROPERTY_NAMES.filter((name) => isFor(platform, name)).map((property) =>
    mergeSetting(property, policies, numericConflicts),
  );
}

/** The merged settings as a document would say them, for whoever makes rules of them. */
export function mergedValues(settings: readonly MergedSetting[]): GraphValues {
  const inEffect = settings.filter(({ noEffectWithout }) => noEffectWithout === undefined);
  // Each value comes from a policy's own, or is the property's default.
  return Object.fromEntries(inEffect.map(({ property, value }) => [property, value])) as GraphValues;
}

function isFor(platform: Platform, name: keyof GraphValues): boolean {
  const { on } = GRAPH_PROPERTIES[name];
  return on === "both" || on === platform;
}

const OFF: readonly unknown[] = [false, null, "none", "notConfigured"];

/** What belongs to a setting that a policy has off is left over from earlier, and says nothing. */
function speaksOf({ partOf }: ActingProperty<unknown>, { values }: AppProtectionPolicy): boolean {
  if (partOf === undefined) return true;
  const name = partOf as keyof GraphValues;
  return !OFF.includes(values[name] === undefined ? GRAPH_PROPERTIES[name].absent : values[name]);
}

function mergeSetting(
  property: keyof GraphValues,
  policies: readonly AppProtectionPolicy[],
  numericConflicts: TenantSettings["numericConflicts"],
): MergedSetting {
  const { absent, isNumeric, strictest, partOf } = GRAPH_PROPERTIES[property] as ActingProperty<unknown>;
  const speaking = policies.filter((policy) => speaksOf(GRAPH_PROPERTIES[property] as ActingProperty<unknown>, policy));
  const saidBy = (of: readonly AppProtectionPolicy[]) =>
    of.flatMap((policy) => {
      const value = policy.values[property];
      return value === undefined ? [] : [{ policy, value: value as unknown }];
    });
  if (speaking.length === 0 && partOf !== undefined) {
    return { property, value: absent, rule: "default", said: saidBy(policies), noEffectWithout: partOf };
  }
  const said = saidBy(speaking);
  if (said.length === 0) return { property, value: absent, rule: "default", said };
  const values = said.map(({ value }) => value);
  const numbers = new Set(values.filter((value) => typeof value === "number"));
  if (isNumeric && numbers.size > 1 && numericConflicts === "default" && typeof absent === "number" && absent > 0) {
    return { property, value: absent, rule: "numericDefault", said };
  }
  const value = strictest(said.length < speaking.length ? [...values, absent] : values);
  const isOneValue = values.every((one) => canonicalJson(one) === canonicalJson(value));
  return { property, value, rule: isOneValue ? "asSaid" : "mostRestrictive", said };
}
