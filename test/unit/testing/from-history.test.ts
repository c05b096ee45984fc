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
  file(run, ...Object.values(kit));
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
      { numRuns: 50 },
    ));

  test("can go on where the history ends", () => {
    const { scenario } = kit.fromHistory(ofScenario(activeSession()));
    scenario.when(kit.backgrounded(), kit.after("1 d")).leadsTo("noncompliant").because("offlineGrace");
  });

  test("fails when the session comes to something else", () => {
    const { source } = kit.fromHistory(ofScenario(activeSession()));
    expect(() => runs(source.replace('.leadsTo("active")', '.leadsTo("locked")'))).toThrow(kit.SpecificationError);
    expect(() => runs(source.replace("minLength: 4", "minLength: 8"))).toThrow(
      /expected[^]*"minLength":4[^]*actual[^]*"minLength":8/,
    );
  });

  test("reads like one that was written by hand", () => {
    const history = activeSession({}, kit.backgrounded(), kit.after("3 h 2 m"), kit.late(kit.pinVerified(), "5 m"));
    const { source } = kit.fromHistory(ofScenario(history));
    expect(source.slice(source.indexOf("test("))).toContain(
      [
        '    .when({ type: "app.backgrounded" })',
        '    .leadsTo("active")',
        "    .givesExactly()",
        '    .when(after("30m"))',
        '    .leadsTo("locked")',
        "    .givesExactly(",
        '      effect("blockAccess", { cause: "locked" }),',
        '      effect("promptPin", { biometricAllowed: false, triesLeft: 5 }),',
        "    )",
        '    .when(after("2h 32m"), late({ type: "pin.verified", method: "pin" }, "5m"))',
        '    .leadsTo("active")',
        '    .givesExactly("grantAccess")',
        '    .decides("allow", "access.granted");',
      ].join("\n"),
    );
  });
});

describe("what a specification says of the real session", () => {
  const SECRET = "Dana Smith of Contoso";
  const secretRules = kit.rules({
    policies: [{ id: "7c1e8a52-77aa-4e6b-9aca-b59aad8b80b5", name: `${SECRET} only` }],
    conditionalAccess: [
      { policy: { id: "ca-dana", name: SECRET }, operator: "OR", controls: ["compliantDevice", "dana-control"] },
    ],
    conditions: [
      {
        kind: "deviceModel",
        cause: "deviceModel",
        action: "warn",
        property: "allowedIosDeviceModels",
        allowed: ["dana's phone"],
      },
    ],
  });
  const scenario = kit.givenSession(
    kit.ofSession("contoso/dana-phone/dana.smith/dana-app"),
    secretRules,
    kit.signedIn({ accountId: "Dana.Smith", interactive: true }),
    kit.membershipChanged({ groups: ["dana-group", "group-of-dana"] }),
    kit.licenseGranted({ skuId: "dana-sku" }),
    kit.enrolled({ rawCode: 4711 }),
    kit.posture({ model: "Dana's Phone", manufacturer: `${SECRET} Ltd`, osVersion: "17.4.1", appVersion: SECRET }),
    kit.pinSet({ setAt: "1999-12-31T23:59:59Z" }),
    kit.threatLevel("secured", SECRET),
    kit.accountRemoved({ accountId: "dana.brother" }),
    kit.authFailed({ errorCode: SECRET }),
    kit.conditionalAccessDenied("mfa", "dana-terms"),
    kit.policyRemoved({ policyIds: ["7c1e8a52-77aa-4e6b-9aca-b59aad8b80b5"] }),
    kit.wipeRequested({ requestId: "ticket-dana" }),
    { type: "wipe.failed", requestId: "ticket-dana", error: SECRET },
    kit.signOutForced({ note: SECRET }),
  );
  const { source, replaced } = kit.fromHistory(ofScenario(scenario));

  test("is nothing that names it: no id, no name, no text, no time", () => {
    expect(source).not.toMatch(/dana|smith|contoso|7c1e8a52|1999|2025|4711|ticket/i);
    expect(replaced).toBeGreaterThan(15);
    runs(source);
  });

  test("is the same placeholder for the same thing, whichever way it is written", () => {
    expect(source).toContain('ofSession("tenant-1/device-1/user-1/app-1")');
    expect(source).toContain('accountId: "user-1"');
    expect(source).toContain('accountId: "user-2"');
    expect(source).toContain('allowed: ["model-1"]');
    expect(source).toContain('model: "model-1"');
    expect(source).toContain('policyIds: ["policy-1"]');
    expect(source).toContain('{ type: "membership.changed", groups: ["group-1", "group-2"] }');
    expect(source).toContain('osVersion: "17.4.1"');
    expect(source).toContain('appVersion: "appVersion-1"');
  });
});

describe("a history that can't become a specification", () => {
  const whole = ofScenario(activeSession({}, kit.launched()));

  test.each([
    ["was trimmed", { cut: "trimmed" as const }, /no longer holds/, /take a session that began later/],
    [
      "was erased",
      { cut: "erased" as const, erased: 3 },
      /3 records of this session were erased/,
      /can't be brought back/,
    ],
    ["was erased in the middle", { erased: 2 }, /2 records of this session were erased/, /can't be brought back/],
    ["was read up to a limit", { cut: "limit" as const }, /first record/, /without a limit/],
    ["lacks its beginning", { records: whole.records.slice(2) }, /first record/, /without a limit/],
    ["has no record", { records: [] }, /first record/, /without a limit/],
  ])("is one that %s: it says what is missing and what to do", (_what, changed, message, fix) => {
    const error = (() => {
      try {
        kit.fromHistory({ ...whole, ...changed });
        return undefined;
      } catch (thrown) {
        return thrown as kit.HistoryCutError;
      }
    })();
    expect(error).toBeInstanceOf(kit.HistoryCutError);
    expect(error?.message).toMatch(message);
    expect(error?.fix).toMatch(fix);
  });

  test("is one of a session that was quarantined: it says since which record", () => {
    const records = whole.records.map((one) => (one.seq < 4 ? one : { ...one, outcome: "quarantined" as const }));
    expect(() => kit.fromHistory({ ...whole, records, rules: [] })).toThrow(kit.HistoryQuarantinedError);
    expect(() => kit.fromHistory({ ...whole, records })).toThrow(/^record 4: the session was quarantined/);
  });

  test("is one that comes to something else today: it says which record, and what was recorded", () => {
    const records = whole.records.map((one) =>
      one.event.type === "pin.set" ? { ...one, to: "locked" as const } : one,
    );
    expect(() => kit.fromHistory({ ...whole, records })).toThrow(
      /^record 4: recorded was .* pin\.set applied pinSetup → locked \[.*, but played again it is .* pinSetup → active/,
    );
    expect(() => kit.fromHistory({ ...whole, rules: [] })).toThrow(kit.HistoryDiffersError);
  });
});
