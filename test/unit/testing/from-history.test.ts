/** A recorded history becomes a specification: it passes, names nobody, and says so when it can't be made. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JournalRecord } from "../../../machines/outcome.js";
import type { Rules } from "../../../machines/policy/rules.js";
import * as kit from "gatehouse/testing";
import { drain, histories, type History, play, SESSION } from "../fold/histories.js";
import { activeSession } from "../../support/builders.js";

/** Runs the text of a test file as vitest would: its imports are the kit, its test is called. */
function runs(source: string): void {
  const body = source.replaceAll(/^import .*$/gm, "");
  const names = Object.keys(kit);
  // oxlint-disable-next-line typescript/no-implied-eval -- the text of a test file is what this is about
  const file = new Function("test", ...names, body) as (...given: readonly unknown[]) => void;
  let called = 0;
  const run = (_name: string, specification: () => void): void => {
    called++;
    specification();
  };
  file(run, ...names.map((name) => kit[name as keyof typeof kit]));
  expect(called).toBe(1);
}

function recorded(history: History): kit.RecordedHistory {
  const { inbox, steps } = play(history);
  const { records } = drain(inbox);
  const rules = new Map<string, Rules>();
  for (const { rules: one } of steps) rules.set(one.hash, one);
  const version = (n: number) => inbox.rulesOf("contoso", n, undefined as never);
  const first = version(1);
  rules.set(first.hash, first);
  return { session: SESSION, records: ofOne(records), rules: [...rules.values()] };
}

/** Without those of before there was a session. */
const ofOne = (records: readonly JournalRecord[]) => records.filter(({ from }) => from !== undefined);

const ofScenario = (scenario: kit.Scenario): kit.RecordedHistory => ({
  session: scenario.id,
  records: scenario.history,
  rules: [scenario.rules],
});

describe("a specification made from a history", () => {
  test("comes to what was recorded, whatever was", () =>
    fc.assert(
      fc.property(histories(), (history) => {
        const past = recorded(history);
        if (past.records.length === 0) return;
        const { source, scenario } = kit.fromHistory(past);
        runs(source);
        expect(scenario.history.map(({ event, outcome, to }) => [event.type, outcome, to])).toEqual(
          past.records.map(({ event, outcome, to }) => [event.type, outcome, to]),
        );
      }),
      { numRuns: 150 },
    ));
});
