/** The rules that a history's records name are found among the versions that were published, whatever the session was then. */
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../machines/policy/app-protection-policy.js";
import type { Catalogue } from "../../../machines/policy/catalogue.js";
import { DEFAULT_SETTINGS } from "../../../machines/policy/settings.js";
import { Resolver } from "../../../machines/policy/resolver.js";
import { resolveFacts, type Session } from "../../../machines/session/session.js";
import { foldBatch, type Entry } from "../../../machines/fold-batch.js";
import type { SessionEvent } from "../../../machines/events/catalogue.js";
import { rulesOfHistory, RulesUnknownError } from "../../../src/sessions/rules-of-history.js";

const ID = "contoso/phone-1/dana/azure-mobile";

const policy = (id: string, minimumPinLength: number, group: string) =>
  parsePolicy({
    "@odata.type": "#microsoft.graph.iosManagedAppProtection",
    id,
    displayName: id,
    minimumPinLength,
    assignments: [{ target: { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: group } }],
    apps: [
      {
        mobileAppIdentifier: {
          "@odata.type": "#microsoft.graph.iosMobileAppIdentifier",
          bundleId: "com.microsoft.azure",
        },
      },
    ],
  }).policy;

const version = (n: number, ...policies: Catalogue["policies"]): Catalogue => ({
  version: n,
  policies,
  conditionalAccess: [],
  settings: DEFAULT_SETTINGS,
});
const VERSIONS = [
  version(1, policy("everybody", 4, "staff")),
  version(2, policy("everybody", 6, "staff"), policy("sales", 8, "sales")),
  version(3),
];

/** What a session came to that changed its groups and lived through two versions. */
function lived() {
  const resolvers = [version(0), ...VERSIONS].map((catalogue) => new Resolver(catalogue));
  const tell = (event: SessionEvent, at: number): Entry => ({ kind: "event", session: ID, occurrence: { event, at } });
  const { records } = foldBatch(
    {
      policies: { contoso: { base: 1, broadcasts: [] } },
      horizon: 9_000,
      entries: [
        tell({ type: "account.signedIn", platform: "ios" }, 1_000),
        tell({ type: "membership.changed", groups: ["staff"] }, 2_000),
        { kind: "publish", tenant: "contoso", version: 2, at: 3_000 },
        tell({ type: "membership.changed", groups: ["sales", "staff"] }, 4_000),
        tell({ type: "membership.changed", groups: [] }, 5_000),
      ],
      due: [ID],
      sessions: new Map(),
      seq: 0,
    },
    (_tenant, n, session: Session) => (resolvers[n] as Resolver).rules(resolveFacts(session)),
  );
  return records;
}

const source = (versions: readonly Catalogue[]) => {
  const asked: number[] = [];
  return {
    asked,
    current: async () => versions.length,
    catalogue: async (_tenant: string, n: number) => {
      asked.push(n);
      return versions[n - 1] as Catalogue;
    },
  };
};

describe("the rules of a history", () => {
  test("are those of each record, each once, though newer versions came after", async () => {
    const records = lived();
    const rules = await rulesOfHistory(source(VERSIONS), ID, records);
    expect(new Set(rules.map(({ hash }) => hash))).toEqual(new Set(records.map(({ rules: hash }) => hash)));
    expect(rules.map(({ policies }) => policies.map(({ id }) => id))).toEqual([
      [],
      ["everybody"],
      ["everybody"],
      ["everybody", "sales"],
      [],
    ]);
    expect(rules.slice(1, 3).map(({ pin }) => pin?.minLength)).toEqual([4, 6]);
    expect(rules[0]?.membershipUnknown).toBe(true);
  });

  test("are fetched once a version", async () => {
    const asking = source(VERSIONS);
    await rulesOfHistory(asking, ID, lived());
    expect(asking.asked.length).toBe(new Set(asking.asked).size);
  });

  test("that no version gives are told by their hash and the record", async () => {
    const wanting = rulesOfHistory(source(VERSIONS.slice(2)), ID, lived());
    await expect(wanting).rejects.toThrow(RulesUnknownError);
    await expect(wanting).rejects.toThrow(/record 1 was judged by/);
  });
});
