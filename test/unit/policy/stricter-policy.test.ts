/** A policy more never gives access: told of whole sessions, over random catalogues and histories. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decide } from "../../../machines/decision.js";
import { type Entry, type RulesOf, foldBatch } from "../../../machines/fold-batch.js";
import { Resolver } from "../../../machines/policy/resolver.js";
import type { Platform } from "../../../machines/policy/rules.js";
import { type Session, resolveFacts } from "../../../machines/session/session.js";
import { type History, SESSION, START_MS, TENANT, histories } from "../fold/histories.js";
import { anotherPolicy, catalogues, read, type Documents } from "./catalogues.js";
import { graphDocument } from "./support.js";

/**
 * Two things would make one more policy give access, and rightly: a tenant's default gives way to it, and a demand for app protection is
 * met by it. Neither is here, and nor are numbers that fall to their default.
 */
const plain = catalogues({ defaults: false }).map((documents): Documents => ({
  ...documents,
  conditionalAccess: documents.conditionalAccess.filter((one) => !JSON.stringify(one).includes("compliantApplication")),
  settings: { ...documents.settings, numericConflicts: "mostRestrictive" },
}));

/** For everybody, and asking for nothing: the one that would give access, if one policy could stand in for another. */
const loosest = fc
  .constantFrom<Platform>("ios", "android")
  .map((platform) => graphDocument(platform, { id: "another", pinRequired: false, ...OFF }));
const OFF = { periodOfflineBeforeAccessCheck: null, periodOfflineBeforeWipeIsEnforced: null };

/** Where a history leaves the session under version 1, and where the publishing of version 2 then brings it. */
function playUnder({ platform, moves }: History, before: Resolver, after: Resolver) {
  const rulesOf: RulesOf = (_tenant, version, session) => (version === 1 ? before : after).rules(resolveFacts(session));
  let session: Session | undefined;
  let now = START_MS;
  const fold = (entries: readonly Entry[], base: number) => {
    const outcome = foldBatch(
      {
        policies: { [TENANT]: { base, broadcasts: [] } },
        horizon: now,
        entries,
        due: session === undefined ? [] : [SESSION],
        sessions: new Map(session === undefined ? [] : [[SESSION, session]]),
        seq: 0,
      },
      rulesOf,
    );
    session = outcome.sessions.get(SESSION) ?? session;
  };
  for (const { gapMs, lateMs, what } of moves) {
    // The histories' own rules are not played here.
    if (typeof what === "number") continue;
    now += gapMs;
    const facts = session === undefined ? NEWCOMER(platform) : resolveFacts(session);
    const scene = { rules: before.rules(facts), ...(session && { session }) };
    const event = typeof what === "function" ? what(scene) : what;
    const told = event.type === "account.signedIn" ? { ...event, platform } : event;
    const origin = { source: "app", id: String(now), time: now - lateMs, entry: `${now}-0` };
    fold([{ kind: "event", session: SESSION, occurrence: { event: told, at: now, origin } }], 1);
  }
  const atFirst = session;
  fold([{ kind: "publish", tenant: TENANT, version: 2, at: now }], 1);
  return { atFirst, atLast: session, now };
}

const NEWCOMER = (platform: History["platform"]) => ({
  platform,
  app: "azure-mobile",
  user: "dana",
  mdmEnrolled: undefined,
  licensed: undefined,
  groups: undefined,
});

const decisionOf = (session: Session, resolver: Resolver, now: number) =>
  decide(session, resolver.rules(resolveFacts(session)), now).decision;

test("whoever has no access gets none by a policy that is added", () => {
  const decisions = { allow: 0, other: 0 };
  fc.assert(
    fc.property(
      plain,
      fc.oneof(anotherPolicy, loosest),
      histories({ maxLength: 15 }),
      (documents, another, history) => {
        const before = new Resolver(read(documents));
        const after = new Resolver(read({ ...documents, policies: [...documents.policies, another] }));
        const { atFirst, atLast, now } = playUnder(history, before, after);
        if (atFirst === undefined || atLast === undefined) return;
        if (decisionOf(atFirst, before, now) === "allow") {
          decisions.allow += 1;
          return;
        }
        decisions.other += 1;
        expect(decisionOf(atLast, after, now)).not.toBe("allow");
      },
    ),
    { numRuns: 250 },
  );
  // Worth asking: some had access.
  expect(Math.min(decisions.allow, decisions.other)).toBeGreaterThan(10);
}, 30_000);
