/** Batches: how a partition's events are cut into them, and what else is in them, makes no difference to a session. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldAhead, foldBatch, type Entry } from "../../../machines/fold-batch.js";
import type { JournalRecord } from "../../../machines/outcome.js";
import type { Rules } from "../../../machines/policy/rules.js";
import type { Session, SessionId } from "../../../machines/session/session.js";
import { decodeSession, encodeSession } from "../../../machines/session/snapshot.js";
import { backgrounded, rules } from "../../../src/testing/index.js";
import { activeSession, MODERN_OS, PLAIN } from "../../support/builders.js";
import { RULES, SESSION, START_MS, TENANT, drain, histories, play, type Inbox } from "./histories.js";

const OTHER: SessionId = `${TENANT}/phone-2/kim/azure-mobile`;

/** A session's life without its place in the journal. */
const lifeOf = (records: readonly JournalRecord[], id: SessionId) =>
  records.filter(({ session }) => session === id).map(({ seq: _, previous: __, ...record }) => record);
const placeless = (session: Session | undefined) => session && { ...session, lastRecord: 0, asOf: 0 };

const timeOf = (entry: Entry) => (entry.kind === "event" ? entry.occurrence.at : entry.at);

describe("the same inbox", () => {
  test("gives the same in batches of any size", () =>
    fc.assert(
      fc.property(
        histories({ retire: true }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (history, sizes) => {
          const { inbox } = play(history);
          const whole = drain(inbox);
          const split = drain(inbox, sizes);
          expect(lifeOf(split.records, SESSION)).toEqual(lifeOf(whole.records, SESSION));
          expect(placeless(split.sessions.get(SESSION))).toEqual(placeless(whole.sessions.get(SESSION)));
        },
      ),
      { numRuns: 150 },
    ));

  test("gives the same when whoever folds stops at any point, and another goes on from what is stored", () =>
    fc.assert(
      fc.property(histories(), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (history, sizes) => {
        const { inbox } = play(history);
        const whole = drain(inbox);
        const resumed = drain(inbox, sizes, (session) => decodeSession(encodeSession(session)));
        expect(lifeOf(resumed.records, SESSION)).toEqual(lifeOf(whole.records, SESSION));
        const [again, once] = [resumed, whole].map(({ sessions }) => placeless(sessions.get(SESSION)));
        expect(again && encodeSession(again)).toEqual(once && encodeSession(once));
      }),
      { numRuns: 150 },
    ));

  test("gives the same a second time, to the letter", () =>
    fc.assert(
      fc.property(histories({ retire: true }), (history) => {
        const { inbox } = play(history);
        expect(JSON.stringify(drain(inbox).records)).toBe(JSON.stringify(drain(inbox).records));
      }),
      { numRuns: 60 },
    ));

  test("folded ahead for a decision gives what a worker will commit", () =>
    fc.assert(
      fc.property(histories({ retire: true }), fc.nat(30), (history, committed) => {
        const { inbox } = play(history);
        const cut = Math.min(committed, inbox.entries.length);
        const before: Inbox = {
          ...inbox,
          entries: inbox.entries.slice(0, cut),
          endsAt: cut === 0 ? START_MS : timeOf(inbox.entries[cut - 1] as Entry),
        };
        const stored = drain(before).sessions.get(SESSION);
        const published = before.entries.filter((entry) => entry.kind === "publish");
        const ahead = foldAhead(
          {
            id: SESSION,
            policies: {
              [TENANT]: { base: 1, broadcasts: published.map(({ version, at }) => ({ version, at })) },
            },
            entries: inbox.entries.slice(cut),
            now: inbox.endsAt,
            ...(stored && { stored }),
          },
          inbox.rulesOf,
        );
        expect(placeless(ahead.session as Session | undefined)).toEqual(placeless(drain(inbox).sessions.get(SESSION)));
      }),
      { numRuns: 100 },
    ));
});

test("other devices' events, in whatever order they come between, change nothing for a session", () => {
  fc.assert(
    fc.property(histories({ maxLength: 20 }), histories({ maxLength: 20 }), (mine, theirs) => {
      const { inbox } = play(mine);
      const others = play(
        { ...theirs, moves: theirs.moves.filter(({ what }) => typeof what !== "number") },
        OTHER,
      ).inbox;
      // By time; at one moment either may be first.
      const mixed = [...inbox.entries, ...others.entries.filter((entry) => timeOf(entry) <= inbox.endsAt)].sort(
        (a, b) => timeOf(a) - timeOf(b),
      );
      const alone = drain(inbox);
      const together = drain({ ...inbox, entries: mixed }, [3, 1, 5]);
      expect(lifeOf(together.records, SESSION)).toEqual(lifeOf(alone.records, SESSION));
      expect(placeless(together.sessions.get(SESSION))).toEqual(placeless(alone.sessions.get(SESSION)));
    }),
    { numRuns: 100 },
  );
});

describe("what a batch leaves to be written", () => {
  test("counts sessions by state as they are", () =>
    fc.assert(
      fc.property(histories(), (history) => {
        const { inbox } = play(history);
        const { counters, sessions } = foldBatch(
          {
            policies: inbox.policies,
            horizon: inbox.endsAt,
            entries: inbox.entries,
            due: [],
            sessions: new Map(),
            seq: 0,
          },
          inbox.rulesOf,
        );
        const states = Object.entries(counters).filter(([name, count]) => name.startsWith("in.") && count !== 0);
        const session = sessions.get(SESSION);
        expect(states).toEqual(session === undefined ? [] : [[`in.${session.state.split(".")[0]}`, 1]]);
      }),
      { numRuns: 60 },
    ));

  test("names each effect by its record, so that none can be taken for another", () =>
    fc.assert(
      fc.property(histories(), (history) => {
        const { inbox } = play(history);
        const { effects } = foldBatch(
          {
            policies: inbox.policies,
            horizon: inbox.endsAt,
            entries: inbox.entries,
            due: [],
            sessions: new Map(),
            seq: 7,
          },
          inbox.rulesOf,
        );
        const ids = effects.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 30 },
    ));
});

describe("a session that can't be read", () => {
  const entry: Entry = {
    kind: "event",
    session: SESSION,
    occurrence: {
      event: { type: "pin.verified", method: "pin" },
      at: START_MS,
      origin: { source: "app", id: "1", time: START_MS, entry: "1-0" },
    },
  };

  test("is left alone, and its events are recorded as quarantined; the others go on", () => {
    const healthy: Entry = {
      ...entry,
      session: OTHER,
      occurrence: { ...entry.occurrence, event: { type: "account.signedIn", platform: "ios" } },
    };
    const outcome = foldBatch(
      {
        policies: {},
        horizon: START_MS,
        entries: [entry, healthy],
        due: [SESSION],
        sessions: new Map([[SESSION, { unreadable: "the snapshot is not JSON" }]]),
        seq: 0,
      },
      () => rules(),
    );
    expect(outcome.records.map(({ session, outcome: of }) => [session, of])).toEqual([
      [SESSION, "quarantined"],
      [OTHER, "applied"],
    ]);
    expect(outcome.sessions.has(SESSION)).toBe(false);
    expect(outcome.timers.get(SESSION)).toBeNull();
  });
});

test("a catalogue that reaches a session late is judged at the time it was published", () => {
  const [, plain, , , , strict] = RULES.ios;
  const rulesOf = (_tenant: string, version: number) => (version === 1 ? plain : strict) as Rules;
  const begin: Entry = {
    kind: "event",
    session: SESSION,
    occurrence: {
      event: { type: "account.signedIn", platform: "ios" },
      at: START_MS,
      origin: { source: "app", id: "1", time: START_MS, entry: "1-0" },
    },
  };
  const { records } = foldBatch(
    {
      policies: { [TENANT]: { base: 1, broadcasts: [] } },
      horizon: START_MS + 60_000,
      entries: [begin, { kind: "publish", tenant: TENANT, version: 2, at: START_MS + 1_000 }],
      due: [SESSION],
      sessions: new Map(),
      seq: 0,
    },
    rulesOf,
  );
  expect(records.at(-1)).toMatchObject({ event: { type: "policy.changed", version: 2 }, at: START_MS + 1_000 });
});

test("a deadline of the same moment as a new catalogue passes first, under the rules of until then", () => {
  const { session, now } = activeSession(PLAIN, backgrounded());
  const at = now + 30 * 60_000;
  const { records } = foldBatch(
    {
      policies: { [TENANT]: { base: 1, broadcasts: [] } },
      horizon: at,
      entries: [{ kind: "publish", tenant: TENANT, version: 2, at }],
      due: [SESSION],
      sessions: new Map([[SESSION, session]]),
      seq: 0,
    },
    (_tenant, version) => (version === 1 ? PLAIN : MODERN_OS),
  );
  expect(records.map(({ event, rules: hash }) => [event.type, hash])).toEqual([
    ["biometric.timedOut", PLAIN.hash],
    ["access.recheckDue", PLAIN.hash],
    ["policy.changed", MODERN_OS.hash],
  ]);
});
