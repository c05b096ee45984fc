/** The administrator's view: which policies cover a session, what each setting comes to and why. */
import { accessCoverage } from "./access-coverage.js";
import type { AppProtectionPolicy } from "./app-protection-policy.js";
import type { Catalogue } from "./catalogue.js";
import { canonicalJson } from "./content-hash.js";
import { coverage } from "./coverage.js";
import { DEVICE_ONLY_PROPERTIES } from "./device-only-properties.js";
import { type MergedSetting, mergeSettings } from "./merge.js";
import { type ResolveFacts, resolve } from "./resolve.js";
import type { PolicyRef, Rules } from "./rules.js";

export interface PolicyCoverage {
  readonly policy: PolicyRef;
  /** `unknown`: the user's groups would tell. */
  readonly covers: boolean | "unknown";
  /** In words. */
  readonly why: string;
}

/** One property with the value that each policy says. */
export interface PolicyValue {
  readonly policy: PolicyRef;
  readonly value: unknown;
}

export interface ExplainedSetting {
  readonly property: string;
  /** What counts; `null`: off. Durations are in ms. */
  readonly value: unknown;
  /** The policies that say just this; empty: the property's default, or a value made of several. */
  readonly from: readonly PolicyRef[];
  /** How it came about. */
  readonly rule: "default" | "asSaid" | "mostRestrictive" | "numericDefault";
  /** The property that would have to be on for this one to have an effect, and is not. */
  readonly noEffectWithout?: string;
}

export interface SettingConflict {
  readonly property: string;
  /** Sorted by policy id. */
  readonly values: readonly PolicyValue[];
  readonly chosen: unknown;
  readonly rule: "mostRestrictive" | "numericDefault";
}

export interface DeviceOnlySetting {
  readonly property: string;
  readonly meaning: string;
  readonly values: readonly PolicyValue[];
}

export interface UnknownProperty {
  readonly property: string;
  readonly policies: readonly PolicyRef[];
}

export interface ExplainedAccess {
  readonly policy: PolicyRef;
  readonly state: "enabled" | "disabled" | "reportOnly";
  /** Whether it is about this session at all. */
  readonly applies: boolean;
  readonly why: string;
  readonly operator: "AND" | "OR";
  /** Graph's names of the grant controls that count. */
  readonly controls: readonly string[];
  /** `here`: enforced by these rules. `elsewhere`: left to the `ca.evaluated` events. `nowhere`: asks for nothing. */
  readonly evaluated: "here" | "elsewhere" | "nowhere";
  readonly notes: readonly string[];
}

export interface Explanation {
  readonly rules: Rules;
  readonly coverage: readonly PolicyCoverage[];
  readonly settings: readonly ExplainedSetting[];
  readonly conflicts: readonly SettingConflict[];
  /** Enforced by the app on the device only. */
  readonly onDevice: readonly DeviceOnlySetting[];
  /** Said by a policy, and not known to this release. */
  readonly unknown: readonly UnknownProperty[];
  readonly conditionalAccess: readonly ExplainedAccess[];
}

export function explain(catalogue: Catalogue, facts: ResolveFacts): Explanation {
  const all = coverage(catalogue, facts);
  const covering = all.filter(({ covers }) => covers === true).map(({ policy }) => policy);
  const merged =
    covering.length === 0 ? [] : mergeSettings(covering, facts.platform, catalogue.settings.numericConflicts);
  return {
    rules: resolve(catalogue, facts),
    coverage: all.map(({ policy, covers, why }) => ({ policy: refOf(policy), covers, why })),
    settings: merged.map(explained),
    conflicts: merged.flatMap(conflict),
    onDevice: onDevice(covering, facts),
    unknown: unknownProperties(covering),
    conditionalAccess: accessCoverage(catalogue, facts).map(({ policy, ...coverage }) => ({
      policy: refOf(policy),
      state: policy.state,
      operator: policy.operator,
      ...coverage,
    })),
  };
}

const refOf = ({ id, name }: PolicyRef): PolicyRef => ({ id, name });

const isEqual = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);

function explained({ property, value, rule, said, noEffectWithout }: MergedSetting): ExplainedSetting {
  const from = said.filter((one) => isEqual(one.value, value)).map(({ policy }) => refOf(policy));
  return { property, value, from, rule, ...(noEffectWithout !== undefined && { noEffectWithout }) };
}

/** Equal values are no conflict, nor is a value that a policy does not say. */
function conflict({ property, value, rule, said, noEffectWithout }: MergedSetting): SettingConflict[] {
  if (rule === "default" || rule === "asSaid" || noEffectWithout !== undefined) return [];
  if (said.every((one) => isEqual(one.value, said[0]?.value))) return [];
  const values = said.map((one) => ({ policy: refOf(one.policy), value: one.value }));
  return [{ property, values, chosen: value, rule }];
}

function onDevice(covering: readonly AppProtectionPolicy[], { platform }: ResolveFacts): readonly DeviceOnlySetting[] {
  return Object.entries(DEVICE_ONLY_PROPERTIES).flatMap(([property, { on, means }]) => {
    const values = covering
      .filter(({ deviceOnly }) => Object.hasOwn(deviceOnly, property))
      .map((policy) => ({ policy: refOf(policy), value: policy.deviceOnly[property] }));
    return values.length === 0 || (on !== "both" && on !== platform) ? [] : [{ property, meaning: means, values }];
  });
}

function unknownProperties(covering: readonly AppProtectionPolicy[]): readonly UnknownProperty[] {
  const names = [...new Set(covering.flatMap(({ unknown }) => unknown))].sort();
  return names.map((property) => ({
    property,
    policies: covering.filter(({ unknown }) => unknown.includes(property)).map(refOf),
  }));
}
