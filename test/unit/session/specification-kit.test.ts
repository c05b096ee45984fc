/** The kit that specifications are written in: its events are real ones, and it fails when it should, saying why. */
import { describe, expect, test } from "vitest";
import { EVENTS, OUTSIDE_EVENT_TYPES, type SessionEvent } from "../../../machines/events/catalogue.js";
import * as builders from "../../../src/testing/events.js";
import * as kit from "../../../src/testing/index.js";
import { activeSession, PLAIN } from "../../support/builders.js";

const { after, effect, givenSession, late, noPolicy, pinSet, rules, signedIn, SpecificationError } = kit;

/** What every builder makes by default. */
const built: SessionEvent[] = Object.entries(builders).flatMap(([name, builder]) => {
  if (typeof builder !== "function" || name === "threatLevel") return [];
  const made = (builder as () => SessionEvent | kit.SceneEvent)();
  return typeof made === "function" ? [made({ rules: PLAIN })] : [made];
});
built.push(kit.threatLevel("low"));

describe("builders", () => {
  test("there is one for every event that can be reported, and one for what a session is told of its user", () => {
    const types = [...OUTSIDE_EVENT_TYPES, "user.changed"];
    expect([...new Set(built.map(({ type }) => type))].sort()).toEqual(types.sort());
  });

  test.each(built.map((event) => [event.type, event] as const))("%s is what the catalogue describes", (type, event) => {
    const { type: _, ...data } = event;
    expect(EVENTS.get(type)?.data.safeParse(data).error).toBeUndefined();
  });

  test("rules can be given as Graph says it or as they are, and the latter win", () => {
    const both = rules({ policy: { minimumPinLength: 5, simplePinBlocked: true }, pin: { minLength: 7 } });
    expect(both.pin).toMatchObject({ minLength: 7, simpleBlocked: true });
    expect(both.hash).not.toBe(rules().hash);
    expect(rules().hash).toBe(rules({}).hash);
  });

  test("a policy that can't be meant is refused by name", () => {
    expect(() => rules({ policy: { minimumPinLength: 99 } })).toThrow(
      "minimumPinLength is 99: give a whole number from 4 to 16",
    );
    expect(() => rules({ policy: { minimumPinLength: "6" } })).toThrow(
      'policy.minimumPinLength: "6" is not a whole number from 4 to 16',
    );
    expect(() => rules({ policy: { pinRequired: false }, pin: { minLength: 5 } })).toThrow("set pinRequired");
  });

  test("a span is of whole milliseconds, and not negative", () => {
    expect(after({ days: 1, hours: 2, minutes: 3, seconds: 4, ms: 5 })).toEqual({ pauseMs: 93_784_005 });
    expect(() => after({ minutes: -1 })).toThrow(RangeError);
  });
});

describe("a specification that does not hold", () => {
  const failure = (run: () => unknown): InstanceType<typeof SpecificationError> => {
    try {
      run();
    } catch (error) {
      if (error instanceof SpecificationError) return error;
      throw error;
    }
    throw new Error("it held");
  };

  test.each([
    ["state", () => activeSession().leadsTo("locked"), "locked", "active"],
    ["cause", () => activeSession().because("rooted"), "rooted", "none"],
    ["outcome", () => activeSession().when(kit.pinVerified()).is("applied"), "applied", /^ignored/],
    ["decision", () => activeSession().decides("deny"), "deny", /^allow/],
    ["reasons", () => activeSession().decides("allow", "unmanaged"), "… unmanaged …", ["access.granted"]],
    ["effects", () => activeSession().when(signedIn()).leadsTo("locked", "wipe"), "… wipe …", undefined],
    ["effects", () => activeSession().when(signedIn()).givesExactly("promptPin"), ["promptPin"], undefined],
    ["effects", () => activeSession().when(signedIn()).givesNo("promptPin"), "no promptPin", undefined],
    [
      "effects",
      () =>
        activeSession()
          .when(signedIn())
          .givesEffects(effect("promptPin", { triesLeft: 1 })),
      undefined,
      undefined,
    ],
    ["deadline retry", () => activeSession().arms("retry", { minutes: 1 }), "in 1m", "none"],
    ["deadline offlineGrace", () => activeSession().armsNo("offlineGrace"), "none", "in 1d"],
    ["session", () => givenSession().leadsTo("active"), "one", undefined],
  ] as const)("about the %s says what was expected and what was there", (what, run, expected, actual) => {
    const error = failure(run);
    expect(error.what).toBe(what);
    if (expected !== undefined) expect(error.expected).toEqual(expected);
    if (actual instanceof RegExp) expect(error.actual).toMatch(actual);
    else if (actual !== undefined) expect(error.actual).toEqual(actual);
  });

  test("tells the whole story", () => {
    const { message } = failure(() => givenSession(PLAIN, signedIn()).when(pinSet()).leadsTo("active"));
    expect(message).toBe(
      [
        "state",
        "  expected  active",
        "  actual    unenrolled.checking",
        "what happened",
        '  2025-03-10 08:00:00  account.signedIn {"platform":"ios"}  [unenrolled.checking]',
        '      blockAccess {"cause":"unenrolled.checking"}',
        "      enroll",
        "      checkIn",
        '  2025-03-10 08:00:00  pin.set {"descriptor":{"length":4,"kind":"numeric","simple":false,"hasDigit":true,"hasLetter":false,"hasSymbol":false,"matchesHistory":0}}  [unenrolled.checking] ignored: unenrolled.checking does not answer pin.set',
      ].join("\n"),
    );
  });
});

describe("a scenario", () => {
  test("stays as it is, so that several can go on from one", () => {
    const one = activeSession();
    one.when(signedIn()).leadsTo("locked");
    one.leadsTo("active");
  });

  test("counts what happened since the last `when` alone", () =>
    activeSession().when(signedIn()).givesEffects("promptPin").when(kit.launched()).givesExactly());

  test("lets deadlines pass at their own time", () => {
    const { records } = activeSession({ recheckAfterMs: 600_000 }, kit.backgrounded()).when(after({ hours: 5 }));
    expect(records.map(({ event, at }) => [event.type, new Date(at).toISOString()])).toEqual([
      ["access.recheckDue", "2025-03-10T08:10:00.000Z"],
      ["biometric.timedOut", "2025-03-10T08:30:00.000Z"],
    ]);
  });

  test("knows when an event happened before it was accepted", () => {
    const { records } = activeSession().when(late(kit.launched(), { minutes: 2 }));
    expect(records[0]?.origin?.time).toBe(activeSession().now - 120_000);
  });

  test("without rules is of a session that no policy covers", () =>
    givenSession(signedIn(), kit.enrolled()).leadsTo("unenrolled.unmanaged"));

  test("begins under its first rules; later ones are published", () =>
    givenSession(signedIn(), noPolicy(), kit.enrolled()).when(rules()).leadsTo("unenrolled.checking", "enroll"));
});
