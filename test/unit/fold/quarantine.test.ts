/** A session that was set aside: going on with it is as if nothing had happened, giving it up opens nothing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../../machines/decision.js";
import {
  type Entry,
  type PartitionPolicies,
  type RulesOf,
  type Stored,
  foldBatch,
} from "../../../machines/fold-batch.js";
import { organisationEvents, setAsideEvents } from "../../../machines/quarantine.js";
import type { JournalRecord } from "../../../machines/outcome.js";
import type { Rules } from "../../../machines/policy/rules.js";
import type { SessionEvent } from "../../../machines/events/catalogue.js";
import type { Session } from "../../../machines/session/session.js";
import * as told from "../../../src/testing/index.js";
import { PLAIN, activeSession } from "../../support/builders.js";
import { SESSION, START_MS, TENANT, histories, play } from "./histories.js";

/** Rules under which nothing can be judged. */
const poisoned = (under: Rules): Rules => ({
  ...under,
  get pin(): never {
    throw new Error("poison");
  },
  get conditions(): never {
    throw new Error("poison");
  },
});

const mended: RulesOf = () => PLAIN;

/** One session's life, event by event, with its journal. */
class Life {
  readonly records: JournalRecord[] = [];
  stored: Stored | undefined;
  policies: PartitionPolicies = { [TENANT]: { base: 1, broadcasts: [] } };
  now: number;
  private sent = 0;

  constructor(
    readonly id = SESSION,
    start?: Session,
  ) {
    this.stored = start;
    this.now = start?.asOf ?? START_MS;
  }

  get session(): Session {
    if (this.stored === undefined || "unreadable" in this.stored) throw new Error("there is no readable session");
    return this.stored;
  }

  fold(entries: readonly Entry[], rulesOf: RulesOf, at = this.now): void {
    this.now = at;
    const outcome = foldBatch(
      {
        policies: this.policies,
        horizon: at,
        entries,
        due: this.stored === undefined ? [] : [this.id],
        sessions: new Map(this.stored === undefined ? [] : [[this.id, this.stored]]),
        seq: this.records.length,
      },
      rulesOf,
    );
    this.records.push(...outcome.records);
    this.policies = outcome.policies;
    this.stored = outcome.sessions.get(this.id) ?? this.stored;
  }

  report(what: SessionEvent | told.SceneEvent, rulesOf: RulesOf = mended): void {
    const at = this.now + 1_000;
    const event = typeof what === "function" ? what({ rules: PLAIN, session: this.session }) : what;
    const origin = { source: "app", id: String(++this.sent), time: at, entry: `${at}-0` };
    this.fold([{ kind: "event", session: this.id, occurrence: { event, at, origin } }], rulesOf, at);
  }

  decided(
    type: "quarantine.lifted" | "quarantine.dropped",
    rulesOf: RulesOf = mended,
    {
      upTo = this.session.lastRecord,
      last,
    }: { upTo?: number; last?: { state: string; revision: number; platform: "ios" } } = {},
  ): void {
    const since = "unreadable" in this.stored! ? 0 : (this.stored!.quarantine?.since?.record ?? 0);
    const records = this.records.filter(({ seq }) => seq > since);
    const redriven = type === "quarantine.lifted" ? setAsideEvents(records) : organisationEvents(records);
    const event = { type, upTo, events: redriven.length, ...(last && { last }) } as SessionEvent;
    this.fold([{ kind: "event", session: this.id, occurrence: { event, at: this.now }, redriven }], rulesOf);
  }
}

const wreck: RulesOf = () => poisoned(PLAIN);
const begun = () => new Life(SESSION, { ...activeSession().session, id: SESSION, lastRecord: 0, timers: {} });
const essence = ({ lastRecord: _, revision: __, asOf: ___, ...session }: Session) => session;
const what = (records: readonly JournalRecord[]) => records.map(({ event, outcome }) => [event.type, outcome]);

describe("lifting a quarantine", () => {
  test("applies what was set aside, in its order and at its own times", () => {
    const life = begun();
    life.report({ type: "app.backgrounded" });
    life.report({ type: "app.launched" }, wreck);
    life.report(told.posture(), wreck);
    expect(life.session.quarantine).toMatchObject({ event: "app.launched", reason: expect.stringContaining("poison") });
    const [, first, second] = life.records;
    life.decided("quarantine.lifted");
    expect(life.session.quarantine).toBeUndefined();
    expect(what(life.records.slice(3))).toEqual([
      ["quarantine.lifted", "applied"],
      ["app.launched", "applied"],
      ["posture.reported", "applied"],
    ]);
    expect(life.records.slice(4)).toMatchObject([
      { at: first!.at, origin: first!.origin, redrives: first!.seq },
      { at: second!.at, origin: second!.origin, redrives: second!.seq },
    ]);
  });

  test("once: a second decision on the same finds nothing to do", () => {
    const life = begun();
    life.report({ type: "app.launched" }, wreck);
    const { lastRecord: upTo } = life.session;
    life.decided("quarantine.lifted");
    const before = life.session;
    life.decided("quarantine.lifted", mended, { upTo });
    expect(life.records.at(-1)).toMatchObject({ outcome: "ignored", event: { type: "quarantine.lifted" } });
    expect(essence(life.session)).toEqual(essence(before));
    expect(life.session.revision).toBe(before.revision);
  });

  test("of which more was recorded since somebody looked is not done, and nothing is lost", () => {
    const life = begun();
    life.report({ type: "app.launched" }, wreck);
    const { lastRecord: upTo } = life.session;
    life.report(told.pinVerified(), wreck);
    life.decided("quarantine.lifted", mended, { upTo });
    expect(life.records.at(-1)).toMatchObject({ outcome: "stale" });
    expect(life.session.quarantine).toBeDefined();
    life.decided("quarantine.lifted");
    expect(life.session.quarantine).toBeUndefined();
    expect(what(life.records.filter(({ redrives }) => redrives !== undefined))).toEqual([
      ["app.launched", "applied"],
      ["pin.verified", "ignored"],
    ]);
  });

  test("while the cause is not mended sets the same aside again, in the same order, for the next time", () => {
    const life = begun();
    life.report({ type: "app.launched" }, wreck);
    life.report({ type: "app.foregrounded" }, wreck);
    life.decided("quarantine.lifted", wreck);
    expect(life.session.quarantine).toBeDefined();
    life.report({ type: "app.backgrounded" }, wreck);
    life.decided("quarantine.lifted");
    expect(life.session.quarantine).toBeUndefined();
    expect(what(life.records.slice(-3))).toEqual([
      ["app.launched", "applied"],
      ["app.foregrounded", "applied"],
      ["app.backgrounded", "applied"],
    ]);
  });

  test("of a session that is not quarantined changes nothing", () => {
    const life = begun();
    const before = life.session;
    life.decided("quarantine.lifted");
    life.decided("quarantine.dropped");
    expect(life.records.map(({ outcome }) => outcome)).toEqual(["ignored", "ignored"]);
    expect(essence(life.session)).toEqual(essence(before));
  });

  test("once the cause is mended leads to where a session is that was never set aside", () => {
    let setAside = 0;
    fc.assert(
      fc.property(histories(), fc.nat(30), fc.nat(8), (history, from, length) => {
        const { inbox } = play(history);
        const healthy = new Life();
        const ill = new Life();
        inbox.entries.forEach((entry, n) => {
          if (entry.kind === "clock") return;
          const at = entry.kind === "event" ? entry.occurrence.at : entry.at;
          const isWrecked = n > 0 && n >= from && n < from + length;
          healthy.fold([entry], inbox.rulesOf, at);
          ill.fold([entry], isWrecked ? (...of) => poisoned(inbox.rulesOf(...of)) : inbox.rulesOf, at);
        });
        if (ill.session.quarantine === undefined) return;
        setAside++;
        ill.decided("quarantine.lifted", inbox.rulesOf);
        expect(essence(ill.session)).toEqual(essence(healthy.session));
        const effects = (life: Life) => life.records.flatMap((record) => record.effects);
        expect(effects(ill)).toEqual(effects(healthy));
      }),
      { numRuns: 200 },
    );
    expect(setAside).toBeGreaterThan(30);
  });

  test("counts no event twice", () => {
    const life = begun();
    life.report({ type: "app.launched" }, wreck);
    const { counters } = foldBatch(
      {
        policies: { [TENANT]: { base: 1, broadcasts: [] } },
        horizon: life.now,
        entries: [
          {
            kind: "event",
            session: SESSION,
            occurrence: { event: { type: "quarantine.lifted", upTo: 1, events: 1 }, at: life.now },
            redriven: setAsideEvents(life.records),
          },
        ],
        due: [],
        sessions: new Map([[SESSION, life.session]]),
        seq: 1,
      },
      mended,
    );
    expect(counters).toMatchObject({ redriven: 1, own: 1 });
    expect(counters).not.toHaveProperty("applied");
  });
});

describe("giving a quarantined session up", () => {
  const droppedAfter = (...events: readonly (SessionEvent | told.SceneEvent)[]): Life => {
    const life = begun();
    life.report({ type: "app.launched" }, wreck);
    for (const event of events) life.report(event, wreck);
    life.decided("quarantine.dropped", wreck);
    return life;
  };

  test("signs it out for a reason of its own, whatever is still broken", () => {
    const life = droppedAfter();
    expect(life.session).toMatchObject({ state: "signedOut", facts: { signOutReason: "givenUp" }, timers: {} });
    expect(life.session.quarantine).toBeUndefined();
    expect(decide(life.session, PLAIN, life.now)).toMatchObject({
      decision: "deny",
      reasons: ["signedOut.givenUp"],
    });
    expect(life.records.at(-1)?.effects.map(({ type }) => type)).toContain("signOut");
  });

  test("lets the next sign-in begin anew: a PIN has to be set again", () => {
    const life = droppedAfter();
    for (const event of [told.signedIn(), told.posture(), told.enrolled()]) life.report(event);
    expect(life.session.state).toBe("pinSetup");
    expect(life.session.facts).toMatchObject({ pin: undefined, signOutReason: undefined });
  });

  test("forgets nothing that the organisation said meanwhile: a wipe is still to be done, a verdict still stands", () => {
    const life = droppedAfter(
      told.noncompliant(),
      { type: "wipe.requested", requestId: "w-1", scope: "app" },
      told.pinVerified(),
    );
    expect(life.session).toMatchObject({
      state: "signedOut",
      facts: { wipe: { requestId: "w-1", status: "pending" }, mamNoncompliant: true },
    });
    expect(life.records.flatMap(({ effects }) => effects.map(({ type }) => type))).toContain("wipe");
    expect(what(life.records.filter(({ redrives }) => redrives !== undefined))).toEqual([
      ["compliance.evaluated", "applied"],
      ["wipe.requested", "applied"],
    ]);
  });

  test("nor what it had said before", () => {
    const life = new Life(SESSION, { ...begun().session, facts: { ...begun().session.facts, mamNoncompliant: true } });
    life.report({ type: "app.launched" }, wreck);
    life.decided("quarantine.dropped", wreck);
    expect(life.session.facts.mamNoncompliant).toBe(true);
  });

  test("works where the snapshot can't be read, with what the journal tells of it", () => {
    const life = new Life();
    life.stored = { unreadable: "the snapshot is not JSON" };
    life.report({ type: "wipe.requested", requestId: "w-1", scope: "app" });
    life.decided("quarantine.lifted", mended, { upTo: 0 });
    expect(what(life.records)).toEqual([
      ["wipe.requested", "quarantined"],
      ["quarantine.lifted", "quarantined"],
    ]);
    life.decided("quarantine.dropped", mended, {
      upTo: 1,
      last: { state: "active", revision: 7, platform: "ios" },
    });
    expect(life.session).toMatchObject({
      state: "signedOut",
      revision: 9,
      facts: { platform: "ios", wipe: { requestId: "w-1", status: "pending" } },
    });
    expect(life.records[2]).toMatchObject({ from: "active", to: "signedOut", previous: 1 });
  });
});
