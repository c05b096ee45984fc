/** Rules of many sessions by one catalogue: worked out once for each set of facts that the catalogue can tell apart. */
import type { Catalogue } from "./catalogue.js";
import { type ResolveFacts, resolve } from "./resolve.js";
import type { Rules } from "./rules.js";

/** Far more than a tenant tells apart; a bound, because app names and combinations of groups come from outside. */
const KEPT = 20_000;

export class Resolver {
  private readonly groups: ReadonlyMap<string, number>;
  private readonly users: ReadonlySet<string>;
  private readonly known = new Map<string, Rules>();
  /** One object for equal rules: whoever prepares something for rules does it once. */
  private readonly byHash = new Map<string, Rules>();
  private count = 0;
  /** A fold asks two or three times an event, and of the same facts unless the event changed them. */
  private latest: { readonly facts: ResolveFacts; readonly rules: Rules } | undefined;

  constructor(private readonly catalogue: Catalogue) {
    const { policies, conditionalAccess } = catalogue;
    const groups = new Set<string>();
    const users = new Set<string>();
    for (const { targeting } of policies) {
      for (const group of targeting.includedGroups) groups.add(group);
      for (const group of targeting.excludedGroups) groups.add(group);
    }
    for (const { users: named } of conditionalAccess) {
      for (const side of [named.included, named.excluded]) {
        for (const group of side.groups) groups.add(group);
        for (const user of side.users) users.add(user);
      }
    }
    this.groups = new Map([...groups].sort().map((group, index) => [group, index]));
    this.users = users;
  }

  /** How many sets of facts were resolved. */
  get resolves(): number {
    return this.count;
  }

  /** The same as `resolve(catalogue, facts)`, and the same object for equal rules. */
  rules(facts: ResolveFacts): Rules {
    if (this.latest !== undefined && areSame(this.latest.facts, facts)) return this.latest.rules;
    const rules = this.lookUp(facts);
    this.latest = { facts, rules };
    return rules;
  }

  private lookUp(facts: ResolveFacts): Rules {
    const key = this.keyOf(facts);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.count += 1;
    if (this.known.size >= KEPT) {
      this.known.clear();
      this.byHash.clear();
    }
    const resolved = resolve(this.catalogue, facts);
    const rules = this.byHash.get(resolved.hash) ?? resolved;
    this.byHash.set(rules.hash, rules);
    this.known.set(key, rules);
    return rules;
  }

  private keyOf({ platform, app, user, mdmEnrolled, licensed, groups }: ResolveFacts): string {
    const named = this.users.size > 0 && this.users.has(user) ? user : "";
    return `${platform}/${app}/${mdmEnrolled === true ? "m" : ""}${licensed === false ? "u" : ""}/${this.groupsKey(groups)}/${named}`;
  }

  private groupsKey(groups: ResolveFacts["groups"]): string {
    if (this.groups.size === 0) return "";
    if (groups === undefined) return "?";
    let only = "";
    let several: Set<number> | undefined;
    for (const group of groups) {
      const index = this.groups.get(group);
      if (index === undefined) continue;
      if (several !== undefined) several.add(index);
      else if (only === "") only = String(index);
      else several = new Set([Number(only), index]);
    }
    return several === undefined ? only : [...several].sort((a, b) => a - b).join(",");
  }
}

function areSame(one: ResolveFacts, other: ResolveFacts): boolean {
  return (
    one.user === other.user &&
    one.app === other.app &&
    one.platform === other.platform &&
    one.mdmEnrolled === other.mdmEnrolled &&
    one.licensed === other.licensed &&
    one.groups === other.groups
  );
}
