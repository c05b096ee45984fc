/** Snapshots: what is stored is what was there, and what can't be read is never guessed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MACHINE_VERSION } from "../../../machines/session/chart.js";
import { SnapshotError, decodeSession, encodeSession } from "../../../machines/session/snapshot.js";
import { earliestTimer, type Session } from "../../../machines/session/session.js";
import { posture } from "../../../src/testing/index.js";
import { activeSession, MODERN_OS } from "../../support/builders.js";
import { histories, play } from "./histories.js";

const stored = () => JSON.parse(encodeSession(activeSession().session)) as Record<string, unknown>;
const kindOf = (text: string): string | undefined => {
  try {
    decodeSession(text);
  } catch (error) {
    if (error instanceof SnapshotError) return error.kind;
    throw error;
  }
  return undefined;
};

describe("a session", () => {
  test("comes back as it was, from any state", () =>
    fc.assert(
      fc.property(histories(), (history) => {
        for (const { after } of play(history).steps) {
          if (after === undefined) continue;
          const back = decodeSession(encodeSession(after));
          const { step: _, ...facts } = after.facts as Session["facts"] & { step: unknown };
          expect({ ...back, facts: { ...back.facts, step: undefined } }).toEqual({
            ...after,
            facts: { ...facts, step: undefined },
          });
          expect(encodeSession(back)).toBe(encodeSession(after));
        }
      }),
      { numRuns: 100 },
    ));

  test("comes back with its quarantine", () => {
    const quarantine = { reason: "a guard threw", at: 1_741_593_600_000 };
    expect(decodeSession(encodeSession({ ...activeSession().session, quarantine })).quarantine).toEqual(quarantine);
  });

  test("can be read by a person, and says which machine wrote it", () => {
    const text = encodeSession(activeSession(MODERN_OS, posture()).session);
    expect(text).toContain('"s":"active"');
    expect(JSON.parse(text)).toMatchObject({ v: MACHINE_VERSION, id: "contoso/phone-1/dana/azure-mobile" });
  });

  test("is small", () => expect(encodeSession(activeSession(MODERN_OS).session).length).toBeLessThan(500));
});

describe("what is refused", () => {
  test.each([
    ["no JSON", "v1|active"],
    ["no object", "[]"],
    ["nothing", "null"],
    ["no machine version", JSON.stringify({ ...stored(), v: undefined })],
    ["a state that this machine does not have", JSON.stringify({ ...stored(), s: "suspended" })],
    ["the ladder, where no session rests", JSON.stringify({ ...stored(), s: "settling" })],
    ["a parent state", JSON.stringify({ ...stored(), s: "remediating" })],
    ["no id", JSON.stringify({ ...stored(), id: undefined })],
    ["a revision that is none", JSON.stringify({ ...stored(), r: -1 })],
    ["a time that is none", JSON.stringify({ ...stored(), t: "now" })],
    ["deadlines that are none", JSON.stringify({ ...stored(), d: { retry: null } })],
    ["no facts", JSON.stringify({ ...stored(), f: null })],
    ["no platform", JSON.stringify({ ...stored(), f: {} })],
    ["a check-in that was never", JSON.stringify({ ...stored(), f: { pf: "ios", ci: "abc" } })],
    ["a PIN of another shape", JSON.stringify({ ...stored(), f: { pf: "ios", pin: "1234" } })],
  ])("%s: corrupt", (_what, text) => {
    expect(kindOf(text)).toBe("corrupt");
  });

  test("another version of the machine, by name: nobody guesses what it meant", () => {
    const text = JSON.stringify({ ...stored(), v: MACHINE_VERSION + 1 });
    expect(kindOf(text)).toBe("version");
    expect(() => decodeSession(text)).toThrow(`machine version ${MACHINE_VERSION + 1} wrote the snapshot`);
  });

  test("any damage: an error of ours, or a session, never a crash", () =>
    fc.assert(
      fc.property(fc.nat(), fc.string({ minLength: 1, maxLength: 3 }), (at, noise) => {
        const text = encodeSession(activeSession(MODERN_OS).session);
        const cut = at % text.length;
        kindOf(text.slice(0, cut) + noise + text.slice(cut + noise.length));
      }),
      { numRuns: 2_000 },
    ));
});

describe("the earliest deadline", () => {
  test("is the first that is armed", () => {
    const { session } = activeSession();
    expect(earliestTimer(session)).toBe(Math.min(...Object.values(session.timers)));
  });

  test("of a quarantined session is none", () =>
    expect(earliestTimer({ ...activeSession().session, quarantine: { reason: "x", at: 0 } })).toBeNull());
});
