/** The virtual clock: time stands still until a test moves it, and then deadlines pass in their order. */
import { describe, expect, test } from "vitest";
import {
  after,
  asUserVersion,
  backgrounded,
  dueIn,
  enrolled,
  givenSession,
  licenseGranted,
  licenseRevoked,
  ofSession,
  pinSet,
  pinVerified,
  posture,
  remediationCompleted,
  noncompliant,
  rules,
  signedIn,
  virtualClock,
} from "gatehouse/testing";

const RULES = rules({ recheckAfterMs: 1_200_000, offline: { blockAfterMs: 7_200_000, wipeAfterMs: null } });
const ACTIVE = [signedIn(), posture(), enrolled(), pinSet()];

describe("the virtual clock", () => {
  test("lets the deadlines of all its sessions pass, in the order in which they are due", () => {
    const clock = virtualClock(new Date("2026-03-02T08:00:00Z"));
    const one = clock.session(RULES, ...ACTIVE);
    clock.advance("10 m");
    const other = clock.session(RULES, ...ACTIVE, backgrounded());
    clock.advance("5 m");
    one.happens(backgrounded());

    const fired = clock.advance("3 h");

    expect(fired.map(({ session, event, at, to }) => [session, event.type, new Date(at).toISOString(), to])).toEqual([
      [other.id, "access.recheckDue", "2026-03-02T08:30:00.000Z", "locked"],
      [one.id, "access.recheckDue", "2026-03-02T08:35:00.000Z", "locked"],
      [other.id, "biometric.timedOut", "2026-03-02T08:40:00.000Z", "locked"],
      [one.id, "biometric.timedOut", "2026-03-02T08:45:00.000Z", "locked"],
      [one.id, "offlineGrace.expired", "2026-03-02T10:00:00.000Z", "noncompliant"],
      [other.id, "offlineGrace.expired", "2026-03-02T10:10:00.000Z", "noncompliant"],
    ]);
    expect([one.state, other.state]).toEqual(["noncompliant", "noncompliant"]);
    expect(new Date(clock.now).toISOString()).toBe("2026-03-02T11:15:00.000Z");
  });

  test("stops short of a deadline that is not due yet, and fires one that is due at that very moment", () => {
    const clock = virtualClock();
    const phone = clock.session(RULES, ...ACTIVE, backgrounded());
    expect(clock.advance({ minutes: 19, seconds: 59, ms: 999 })).toEqual([]);
    expect(phone.state).toBe("active");
    expect(clock.advance("1 ms").map(({ event }) => event.type)).toContain("access.recheckDue");
    expect(phone.effects.map(({ type }) => type)).toContain("promptPin");
  });

  test("goes to the next deadline by itself", () => {
    const clock = virtualClock();
    const begun = clock.now;
    const phone = clock.session(RULES, ...ACTIVE);
    expect(clock.nextDeadline).toEqual({ session: phone.id, name: "offlineGrace", dueAt: begun + 7_200_000 });
    expect(clock.advanceToNext()).toMatchObject([{ event: { type: "offlineGrace.expired" } }]);
    expect(clock.now).toBe(begun + 7_200_000);
    expect(virtualClock().advanceToNext()).toEqual([]);
  });

  test("an advance in pieces is the same as one in one go", () => {
    const live = () => {
      const clock = virtualClock();
      return { clock, phone: clock.session(RULES, ...ACTIVE, backgrounded()) };
    };
    const [whole, pieces] = [live(), live()];
    const fired = whole.clock.advance("5 h");
    expect(["1 m", "29 m", "0 s", "4 h 30 m"].flatMap((span) => pieces.clock.advance(span))).toEqual(fired);
    expect(pieces.phone.scenario.session).toEqual(whole.phone.scenario.session);
  });

  test("a session's effects are those since something last happened", () => {
    const clock = virtualClock();
    const phone = clock.session(RULES, ...ACTIVE, backgrounded());
    clock.advance("1 h");
    expect(phone.effects.map(({ type }) => type)).toEqual(["blockAccess", "promptPin"]);
    phone.happens(pinVerified());
    expect(phone.effects.map(({ type }) => type)).toEqual(["grantAccess"]);
    clock.advance("1 m");
    expect(phone.effects).toEqual([]);
  });

  test("a clock at no time is refused", () =>
    expect(() => virtualClock(new Date("no date"))).toThrow("a clock at NaN: give a date"));
});

describe("time in words", () => {
  test.each([
    ["3 h", 10_800_000],
    ["1d 2h 30m", 95_400_000],
    ["90 s", 90_000],
    ["250 ms", 250],
    ["1 m 5 ms", 60_005],
  ])("%s", (words, ms) => expect(after(words)).toEqual({ pauseMs: ms }));

  test.each(["", "3", "3 hours", "an hour", "-3 h", "1.5 h", "3 h ago"])("%j is refused, with an example", (words) =>
    expect(() => after(words)).toThrow('such as "1 d 2 h 30 m"'),
  );
});

describe("what a history can be made of besides", () => {
  test("a session goes by the name that it is given", () => {
    const scenario = givenSession(ofSession("tenant-1/device-1/user-1/app-1"), RULES, signedIn());
    expect(scenario.session.id).toBe("tenant-1/device-1/user-1/app-1");
    expect(() => scenario.when(ofSession("tenant-1/device-1/user-2/app-1"))).toThrow("named once");
    expect(() => ofSession("device-1/user-1")).toThrow("give tenant/device/user/app");
  });

  test("an event about the user that is older than what the session knows of the user is stale", () => {
    const known = [asUserVersion(licenseRevoked(), 1), asUserVersion(licenseGranted(), 2)];
    const told = givenSession(RULES, signedIn(), ...known).leadsTo("unenrolled.checking");
    told.when(asUserVersion(licenseRevoked(), 1)).is("stale").leadsTo("unenrolled.checking");
  });

  test("a deadline that is spread by chance can be set", () => {
    const waiting = givenSession(RULES, ...ACTIVE, noncompliant(), remediationCompleted("NETWORK_FAILURE"));
    const moved = waiting.when(dueIn("backoff", "40 s"));
    moved.when(after("39 s")).leadsTo("remediating.backoff");
    moved.when(after("40 s")).leadsTo("remediating.attempt");
    expect(() => moved.when(dueIn("retry", "1 m"))).toThrow("no deadline retry is armed, so it can't be moved; armed:");
  });
});
