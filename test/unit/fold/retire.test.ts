/** A session that is retired: its last record, then nothing; and the next sign-in begins as if there had never been one. */
import { describe, expect, test } from "vitest";
import { type Entry, type RulesOf, type Stored, foldAhead, foldBatch } from "../../../machines/fold-batch.js";
import type { JournalRecord } from "../../../machines/outcome.js";
import type { SessionEvent } from "../../../machines/events/catalogue.js";
import { SessionReplay } from "../../../machines/session-replay.js";
import type { Session } from "../../../machines/session/session.js";
import { PLAIN, activeSession } from "../../support/builders.js";
import { SESSION, START_MS, TENANT } from "./histories.js";

const rulesOf: RulesOf = () => PLAIN;
const policies = { [TENANT]: { base: 1, broadcasts: [] } };
const signedIn: SessionEvent = { type: "account.signedIn", platform: "ios", interactive: true };
const SIGNED_OUT: Session = {
  ...activeSession().session,
  id: SESSION,
  state: "signedOut",
  timers: {},
  lastRecord: 7,
  asOf: START_MS,
};

let sent = 0;
const entry = (event: SessionEvent, at = START_MS + 1_000): Entry => {
  const isOwn = event.type === "session.retired";
  const origin = { source: "app", id: String(++sent), time: at, entry: `${at}-0` };
  return { kind: "event", session: SESSION, occurrence: isOwn ? { event, at } : { event, at, origin } };
};
const retired = (upTo = 7): Entry => entry({ type: "session.retired", upTo, why: "silent" });

const fold = (entries: readonly Entry[], stored: Stored = SIGNED_OUT) =>
  foldBatch(
    { policies, horizon: START_MS + 2_000, entries, due: [], sessions: new Map([[SESSION, stored]]), seq: 7 },
    rulesOf,
  );

test("its last record says where it stood, and there is no session any more", () => {
  const { records, sessions, retired: gone, timers, effects, counters } = fold([retired()]);
  expect(records).toMatchObject([
    { seq: 8, previous: 7, from: "signedOut", outcome: "applied", revision: SIGNED_OUT.revision + 1 },
  ]);
  expect(records[0]?.to).toBeUndefined();
  expect([...gone]).toEqual([SESSION]);
  expect(sessions.size).toBe(0);
  expect(timers).toEqual(new Map([[SESSION, null]]));
  expect(effects).toEqual([]);
  expect(counters).toMatchObject({ "in.signedOut": -1, "moved.signedOut.none": 1, own: 1 });
});

test("a sign-in right after it begins a new one, without a past", () => {
  const { records, sessions, retired: gone, counters } = fold([retired(), entry(signedIn)]);
  expect(records).toMatchObject([{ outcome: "applied" }, { event: signedIn, outcome: "applied", revision: 1 }]);
  expect(records[1]?.previous).toBeUndefined();
  expect(gone.size).toBe(0);
  expect(sessions.get(SESSION)).toMatchObject({ state: "unenrolled.checking", lastRecord: 9, revision: 1 });
  expect(counters).toMatchObject({ "in.signedOut": -1, "in.unenrolled": 1 });
});

test("what else is said of it afterwards finds no session", () => {
  const { records } = fold([retired(), entry({ type: "app.launched" }), retired()]);
  expect(records.map(({ outcome }) => outcome)).toEqual(["applied", "ignored", "ignored"]);
  expect(records[1]?.reason).toContain("no such session");
});

test("a decision made before it is committed finds no session either", () => {
  const ahead = foldAhead(
    { id: SESSION, policies, entries: [retired()], stored: SIGNED_OUT, now: START_MS + 2_000 },
    rulesOf,
  );
  expect(ahead.session).toBeUndefined();
});

describe("it stays", () => {
  const outcomeWith = (facts: Partial<Session["facts"]>, more: Partial<Session> = {}) => {
    const stored = { ...SIGNED_OUT, ...more, facts: { ...SIGNED_OUT.facts, ...facts } };
    const { records, sessions, retired: gone } = fold([retired()], stored);
    expect(gone.size).toBe(0);
    expect(sessions.get(SESSION)).toMatchObject({ state: "signedOut", facts: stored.facts });
    return [records[0]?.outcome, records[0]?.reason];
  };

  test("if more was recorded since somebody looked", () => {
    expect(outcomeWith({}, { lastRecord: 8 })).toEqual(["stale", "more was recorded since somebody looked"]);
  });

  test("while a wipe is pending", () => {
    const wipe = { requestId: "w1", scope: "app", status: "pending", why: "requested" } as const;
    expect(outcomeWith({ wipe })).toEqual(["ignored", "a wipe is pending"]);
  });

  test("while it is quarantined", () => {
    expect(outcomeWith({}, { quarantine: { reason: "poison", at: START_MS } })).toEqual([
      "ignored",
      "the session is quarantined",
    ]);
  });

  test.each([
    ["the service's verdict on the account", { mamNoncompliant: true }],
    ["its verdict on the device", { deviceCompliant: false }],
    ["conditional access", { conditionalAccess: "caBlocked" }],
    ["an account that is not allowed", { accountNotAllowed: true }],
    ["a threat", { threatLevel: "high" }],
  ] as const)("while the organisation has something against it: %s", (_, facts) => {
    expect(outcomeWith(facts)).toEqual(["ignored", "the organisation has something against it"]);
  });
});

test("a journal that tells of a retirement and of the session that came after it is folded again to the same end", () => {
  const replay = new SessionReplay(SESSION, { rules: () => PLAIN });
  const records: JournalRecord[] = [];
  let stored: Session | undefined;
  const live = (event: SessionEvent): void => {
    const outcome = foldBatch(
      {
        policies,
        horizon: START_MS + 2_000,
        entries: [entry(event)],
        due: [],
        sessions: new Map(stored === undefined ? [] : [[SESSION, stored]]),
        seq: records.length,
      },
      rulesOf,
    );
    records.push(...outcome.records);
    stored = outcome.retired.has(SESSION) ? undefined : (outcome.sessions.get(SESSION) ?? stored);
  };
  live(signedIn);
  live({ type: "account.signedOut", initiator: "user" });
  live({ type: "session.retired", upTo: stored?.lastRecord ?? 0, why: "silent" });
  expect(stored).toBeUndefined();
  live({ type: "app.launched" });
  live(signedIn);
  for (const record of records) replay.take(record);
  replay.end(START_MS + 2_000);
  expect(replay.notReplayed).toBeUndefined();
  expect(replay.divergence).toBeUndefined();
  expect(replay.session).toEqual(stored);
  expect(replay.session?.revision).toBe(1);
});
