/** Which guards said no is told of each record, as the chart asked them then. */
import { test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { guards } from "../../../machines/session/guards.js";
import { failedGuards } from "../../../src/replay/failed-guards.js";
import { NotReplayableError } from "../../../src/replay/why-session.js";
import { SESSION, TENANT, drain, histories, play } from "../fold/histories.js";

property.prop([histories().map((history) => play(history).inbox)], { numRuns: 100 })(
  "of every record, by names that are in the chart; and access is given where no verdict blocked",
  (inbox) => {
    const records = drain(inbox).records.filter(({ session, from }) => session === SESSION && from !== undefined);
    const failed = failedGuards(SESSION, records, (version, session) => inbox.rulesOf(TENANT, version, session));
    expect([...failed.keys()]).toEqual(records.map(({ seq }) => seq));
    for (const { seq, from, to, outcome } of records) {
      for (const name of failed.get(seq) ?? []) expect(guards).toHaveProperty(name);
      if (outcome !== "applied" || to !== "active" || from === "active") continue;
      expect(failed.get(seq)).toEqual(expect.arrayContaining(["verdictBlocks", "pinIsUnfit", "proofIsMissing"]));
    }
  },
);

test("records that do not come out again say so", () => {
  const { inbox } = play({ platform: "ios", firstRules: 0, moves: [] });
  const record = { seq: 7, session: SESSION, at: 1, event: { type: "app.launched" }, previous: 3, from: "locked" };
  expect(() =>
    failedGuards(SESSION, [record as never], (version, session) => inbox.rulesOf(TENANT, version, session)),
  ).toThrow(NotReplayableError);
});
