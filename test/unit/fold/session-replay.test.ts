/** What was recorded, folded again: the same comes out, and what was altered shows. Under other policies it comes out as it would have. */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import type { Entry } from "../../../machines/fold-batch.js";
import type { JournalRecord } from "../../../machines/outcome.js";
import { type Change, SessionReplay, isInput } from "../../../machines/session-replay.js";
import { type Inbox, SESSION, TENANT, drain, histories, play } from "./histories.js";

const inboxes = histories({ retire: true }).map((history) => play(history).inbox);

function replay({ rulesOf, endsAt }: Inbox, records: readonly JournalRecord[], change?: Change): SessionReplay {
  const rules = (version: number, session: Parameters<typeof rulesOf>[2]) => rulesOf(TENANT, version, session);
  const again = new SessionReplay(SESSION, { rules, ...(change && { change }) });
  for (const record of records) again.take(record);
  again.end(endsAt);
  return again;
}

/** How far it was advanced without anything happening leaves no record. */
const settled = (session: SessionReplay["session"]) => session && { ...session, asOf: 0 };

const timeOf = (entry: Entry) => (entry.kind === "event" ? entry.occurrence.at : entry.at);

describe("with what it was recorded with", () => {
  test.prop([inboxes], { numRuns: 300 })(
    "every record comes out again, in every field, and so does the session",
    (inbox) => {
      const { sessions, records } = drain(inbox);
      const again = replay(inbox, records);
      expect([again.notReplayed, again.divergence]).toEqual([undefined, undefined]);
      expect(settled(again.session)).toEqual(settled(sessions.get(SESSION)));
    },
  );

  test.prop([inboxes, fc.nat(), fc.constantFrom("to", "changed", "effects", "rules", "outcome", "reason")])(
    "a record of which what followed was altered does not",
    (inbox, n, what) => {
      const { records } = drain(inbox);
      const place = n % records.length;
      const altered = { ...(records[place] as JournalRecord) };
      const before = JSON.stringify(altered);
      Object.assign(altered, {
        [what]: {
          to: "active",
          changed: { failedAttempts: 9 },
          effects: [],
          rules: "other",
          outcome: "ignored",
          reason: "why not",
        }[what],
      });
      fc.pre(JSON.stringify(altered) !== before);
      const again = replay(inbox, records.with(place, altered));
      expect(again.divergence ?? again.notReplayed).toBeDefined();
    },
  );

  test.prop([inboxes, fc.nat()])(
    "nor does one whose derived record is missing, and if it was the last, the session is another",
    (inbox, n) => {
      const { sessions, records } = drain(inbox);
      const derived = records.filter((record) => !isInput(record));
      fc.pre(derived.length > 0);
      const gone = derived[n % derived.length] as JournalRecord;
      const again = replay(
        inbox,
        records.filter((record) => record !== gone),
      );
      const isFound = (again.divergence ?? again.notReplayed) !== undefined;
      if (!isFound) expect(settled(again.session)).not.toEqual(settled(sessions.get(SESSION)));
    },
  );

  test.prop([inboxes, fc.nat()])("it can begin anywhere, with the session as it was there", (inbox, n) => {
    const { sessions, records } = drain(inbox);
    const inputs = records.filter(isInput);
    const cut = records.indexOf(inputs[n % inputs.length] as JournalRecord);
    const earlier = replay({ ...inbox, endsAt: 0 }, records.slice(0, cut));
    fc.pre(earlier.session !== undefined && earlier.divergence === undefined);
    const rules = (version: number, session: Parameters<typeof inbox.rulesOf>[2]) =>
      inbox.rulesOf(TENANT, version, session);
    const later = new SessionReplay(SESSION, {
      rules,
      begin: { session: earlier.session as NonNullable<SessionReplay["session"]>, ...earlier.policies },
    });
    for (const record of records.slice(cut)) later.take(record);
    later.end(inbox.endsAt);
    expect([later.notReplayed, later.divergence]).toEqual([undefined, undefined]);
    expect(settled(later.session)).toEqual(settled(sessions.get(SESSION)));
  });

  test.prop([inboxes])("records that begin in the middle can't be folded, and say so", (inbox) => {
    const { records } = drain(inbox);
    const from = records.findIndex(({ previous }) => previous !== undefined);
    fc.pre(from >= 0);
    expect(replay(inbox, records.slice(from)).notReplayed).toBe("historyMissing");
  });
});

describe("under other policies", () => {
  test.prop([inboxes, fc.nat(), fc.nat(6)], { numRuns: 300 })(
    "it ends where the same inputs would have led, had these been published then and nothing later",
    (inbox, n, other) => {
      const { records } = drain(inbox);
      const at = timeOf(inbox.entries[n % inbox.entries.length] as Entry) + 1;
      const published = inbox.entries.filter(({ kind }) => kind === "publish").length + 1;
      const version = 1 + (other % published);
      const entries = inbox.entries.filter((entry) => entry.kind !== "publish" || entry.at < at);
      const where = entries.findIndex((entry) => timeOf(entry) >= at);
      // A version that is not newer changes nothing, so it is published under a number of its own.
      const candidate = published + 1;
      const publish = { kind: "publish", tenant: TENANT, version: candidate, at } as const;
      const imagined: Inbox = {
        ...inbox,
        endsAt: Math.max(inbox.endsAt, at),
        entries: entries.toSpliced(where === -1 ? entries.length : where, 0, publish),
        rulesOf: (tenant, asked, session) => inbox.rulesOf(tenant, asked === candidate ? version : asked, session),
      };
      const again = replay(imagined, records, { version: candidate, at });
      expect(settled({ ...again.session, lastRecord: 0 } as never)).toEqual(
        settled({ ...drain(imagined).sessions.get(SESSION), lastRecord: 0 } as never),
      );
    },
  );
});
