/** What holds of every catalogue and every session. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { explain } from "../../../machines/policy/explain.js";
import { type ResolveFacts, resolve } from "../../../machines/policy/resolve.js";
import { Resolver } from "../../../machines/policy/resolver.js";
import type { Rules } from "../../../machines/policy/rules.js";
import { anotherPolicy, catalogues, read, sessions, type Documents } from "./catalogues.js";
import { demandsLost } from "./implies.js";

const ofAll = (ask: (documents: Documents, facts: ResolveFacts) => void, numRuns = 400) =>
  fc.assert(fc.property(catalogues(), sessions, ask), { numRuns });

test("these catalogues are worth asking: none, one and several policies cover, numbers conflict, and access is demanded", () => {
  const seen = new Set<string>();
  for (const [documents, facts] of fc.sample(fc.tuple(catalogues(), sessions), { numRuns: 400, seed: 20_250_310 })) {
    const { rules, conflicts } = explain(read(documents), facts);
    seen.add(`${Math.min(2, rules.policies.length)} policies`);
    for (const { rule } of conflicts) seen.add(rule);
    if (rules.conditionalAccess.length > 0) seen.add("access");
    if (rules.membershipUnknown) seen.add("unknown");
  }
  expect([...seen].sort()).toEqual([
    "0 policies",
    "1 policies",
    "2 policies",
    "access",
    "mostRestrictive",
    "numericDefault",
    "unknown",
  ]);
});

const UNBOUND = { pin: null, credentialsRequired: false, disabledAccount: null, offShift: null, conditions: [] };

test("who is not licensed, or whom no policy targets, is asked for nothing by app protection", () =>
  ofAll((documents, facts) => {
    const rules = resolve(read(documents), facts);
    if (facts.licensed === false) expect([rules.policies, rules.membershipUnknown]).toEqual([[], false]);
    if (rules.policies.length > 0) return;
    expect(rules).toMatchObject({ ...UNBOUND, offline: { blockAfterMs: null, wipeAfterMs: null } });
  }));

test("exclusion always wins", () =>
  ofAll((documents, facts) => {
    const { policies } = resolve(read(documents), facts);
    for (const { id } of policies) {
      const document = documents.policies.find((one) => one.id === id) as {
        "@odata.type": string;
        assignments: unknown[];
      };
      if (document["@odata.type"].includes("default")) continue;
      const excluded = JSON.stringify(document.assignments.filter((one) => JSON.stringify(one).includes("exclusion")));
      expect(facts.groups?.filter((group) => excluded.includes(`"${group}"`)) ?? []).toEqual([]);
    }
  }));

/** The same catalogue, with everything that has an order in another one. */
const turned = ({ policies, conditionalAccess, settings }: Documents): Documents => {
  const turn = (value: unknown): unknown => {
    if (Array.isArray(value)) return [...(value as unknown[])].reverse().map(turn);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, member]) => [key, turn(member)]),
    );
  };
  return { policies, conditionalAccess, settings, ...(turn({ policies, conditionalAccess }) as object) };
};

test("no order matters: of policies, assignments, groups or keys", () =>
  ofAll((documents, facts) => {
    const other = { ...facts, groups: facts.groups && [...facts.groups].reverse() };
    expect(resolve(read(turned(documents)), other)).toEqual(resolve(read(documents), facts));
  }));

const settingsOf = ({ hash: _, policies: __, conditionalAccess: ___, ...settings }: Rules) => settings;

test("a policy that is there twice changes no setting", () =>
  ofAll((documents, facts) => {
    const twice = documents.policies.map((document) => ({ ...document, id: `${String(document.id)}-again` }));
    const doubled = resolve(read({ ...documents, policies: [...documents.policies, ...twice] }), facts);
    expect(settingsOf(doubled)).toEqual(settingsOf(resolve(read(documents), facts)));
  }));

test("one more policy, whatever it says, takes no demand away; numbers are the tenant's choice", () =>
  fc.assert(
    fc.property(catalogues({ defaults: false }), anotherPolicy, sessions, (documents, another, facts) => {
      const before = resolve(read(documents), facts);
      const after = resolve(read({ ...documents, policies: [...documents.policies, another] }), facts);
      const numbers = documents.settings.numericConflicts === "mostRestrictive";
      expect(demandsLost(before, after, { numbers })).toEqual([]);
    }),
    { numRuns: 1_000 },
  ));

test("rules ask for what they were made from", () =>
  ofAll((documents, facts) => {
    const { settings, rules, coverage } = explain(read(documents), facts);
    expect(rules.policies).toEqual(coverage.filter(({ covers }) => covers === true).map(({ policy }) => policy));
    const inEffect = settings.filter(({ noEffectWithout }) => noEffectWithout === undefined);
    const byName = new Map(inEffect.map(({ property, value }) => [property, value]));
    if (rules.policies.length === 0) {
      expect(settings).toEqual([]);
      return;
    }
    expect(byName.get("pinRequired")).toBe(rules.pin !== null);
    if (rules.pin !== null) expect(byName.get("minimumPinLength")).toBe(rules.pin.minLength);
    for (const condition of rules.conditions) {
      if ("value" in condition) expect(byName.get(condition.property as never)).toBe(condition.value);
    }
  }));

test("a resolver answers what resolve does, and resolves once for what its catalogue can tell apart", () =>
  fc.assert(
    fc.property(catalogues(), fc.array(sessions, { minLength: 1, maxLength: 40 }), (documents, all) => {
      const catalogue = read(documents);
      const resolver = new Resolver(catalogue);
      for (const facts of all) expect(resolver.rules(facts)).toEqual(resolve(catalogue, facts));
      const targeted = documents.policies.filter((document) => !String(document["@odata.type"]).includes("default"));
      const text = JSON.stringify([targeted, documents.conditionalAccess]);
      const isNamed = (name: string) => text.includes(`"${name}"`);
      const someGroup = ["g0", "g1", "g2", "g3"].some(isNamed);
      const projections = new Set(
        all.map(({ platform, app, user, mdmEnrolled, licensed, groups }) => {
          const known = groups === undefined ? "unknown" : groups.filter(isNamed).sort();
          const person = [isNamed(user) ? user : null, licensed === false, someGroup ? known : null];
          return JSON.stringify([platform, app, mdmEnrolled === true, person]);
        }),
      );
      expect(resolver.resolves).toBe(projections.size);
    }),
  ));

test("ten thousand sessions of fifty kinds are resolved fifty times, and equal rules are one object", () => {
  const documents: Documents = {
    policies: Array.from({ length: 25 }, (_, index) => ({
      "@odata.type": "#microsoft.graph.iosManagedAppProtection",
      id: `p${index}`,
      appGroupType: "allApps",
      assignments: [{ target: { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: `g${index}` } }],
    })),
    conditionalAccess: [],
    settings: {},
  };
  const resolver = new Resolver(read(documents));
  const different = new Set<Rules>();
  for (let index = 0; index < 10_000; index += 1) {
    const platform = index % 2 === 0 ? ("ios" as const) : ("android" as const);
    const groups = [`mailing-list-${index}`, `g${index % 25}`];
    different.add(
      resolver.rules({
        platform,
        app: "azure-mobile",
        user: `user-${index}`,
        mdmEnrolled: undefined,
        licensed: true,
        groups,
      }),
    );
  }
  expect(resolver.resolves).toBe(50);
  // No policy is for Android, so its twenty-five kinds have the same rules.
  expect(different.size).toBe(26);
});
