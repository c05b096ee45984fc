import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { EVENTS } from "../../../machines/events/catalogue.js";
import { STATE_NAMES, type StateName, stateName } from "../../../machines/session/context.js";
import { encodeSession } from "../../../machines/session/snapshot.js";
import { SHARES, cast } from "../../../src/demo/cast.js";
import { DAY_END_MS, DAY_START_MS, NOON_MS } from "../../../src/demo/day.js";
import type { DemoEvent, DemoItem } from "../../../src/demo/working-day.js";
import { CloudEventEnvelope } from "../../../src/ingest/cloud-event.js";
import { type DayResult, dayOf, fold } from "./support.js";

const DEVICES = 400;
const day = dayOf(1, DEVICES);
const result = fold(day);

const eventsOf = (items: readonly DemoItem[]): DemoEvent[] =>
  items.flatMap((item) => (item.kind === "event" ? [item.event] : []));
const bytesOf = (items: readonly DemoItem[]): string =>
  createHash("sha256").update(JSON.stringify(items)).digest("hex");

describe("the working day", () => {
  test("the same seed gives the same bytes, another seed gives others", () => {
    expect(bytesOf(dayOf(7, 100))).toBe(bytesOf(dayOf(7, 100)));
    expect(bytesOf(dayOf(7, 100))).not.toBe(bytesOf(dayOf(8, 100)));
  });

  test("a device lives the same day in a small fleet as in a large one", () => {
    const [first] = cast(1, 1);
    const ofFirst = (items: readonly DemoItem[]) =>
      new Set(
        eventsOf(items)
          .filter(({ subject }) => subject.startsWith(`${first?.device}/`))
          .map(({ id }) => id),
      );
    expect(ofFirst(dayOf(1, 20))).toEqual(ofFirst(day));
  });

  test("there are about fifty events a device", () => {
    const perDevice = eventsOf(day).length / DEVICES;
    expect(perDevice).toBeGreaterThan(45);
    expect(perDevice).toBeLessThan(55);
  });

  test("every event is one that the boundary takes", () => {
    const isTaken = (event: DemoEvent): boolean => {
      const definition = EVENTS.get(event.type);
      return (
        definition !== undefined &&
        definition.emitters.length > 0 &&
        CloudEventEnvelope.safeParse(event).success &&
        definition.data.safeParse(event.data).success
      );
    };
    expect(eventsOf(day).filter((event) => !isTaken(event))).toEqual([]);
  });

  test("time goes on from event to event, within the day", () => {
    const seen = new Set<string>();
    let last = DAY_START_MS;
    let lastSubject = "";
    for (const { id, subject, time, type } of eventsOf(day)) {
      const at = Date.parse(time);
      // Sent again, or held up: then the device's own clock has just been moved on by what overtook it.
      if (at < last && !seen.has(id)) expect([subject, type]).toEqual([lastSubject, "pin.verified"]);
      seen.add(id);
      last = Math.max(last, at);
      lastSubject = subject;
    }
    expect(last).toBeLessThan(DAY_END_MS);
    expect(last).toBeGreaterThan(DAY_END_MS - 3_600_000);
  });

  test("the noon's policies are published once, between the last event before noon and the first after it", () => {
    const index = day.findIndex(({ kind }) => kind === "publish");
    expect(day.filter(({ kind }) => kind === "publish")).toEqual([{ kind: "publish", at: NOON_MS }]);
    const times = (items: readonly DemoItem[]) => eventsOf(items).map(({ time }) => Date.parse(time));
    expect(Math.max(...times(day.slice(0, index)))).toBeLessThan(NOON_MS);
    expect(times(day.slice(index + 1)).filter((at) => at < NOON_MS).length).toBeLessThan(5);
  });

  test("every hundred devices hold the same mix of storylines", () => {
    const counts: Record<string, number> = {};
    for (const { storyline } of cast(3, 100)) counts[storyline] = (counts[storyline] ?? 0) + 1;
    expect(counts).toEqual(SHARES);
  });

  test("devices, users and events have names of their own", () => {
    const characters = [...cast(1, 5_000)];
    const ids = characters.flatMap(({ device, users }) => [device, ...users]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe("what becomes of the working day", () => {
  test("every state is entered by at least one in a hundred sessions", () => {
    const entered = new Map<StateName, Set<string>>(STATE_NAMES.map((state) => [state, new Set()]));
    for (const { session, from, to, previous } of result.records) {
      if (from === undefined || to === undefined) continue;
      // A session begins where its first record says that it came from.
      if (previous === undefined) entered.get(stateName(from))?.add(session);
      if (stateName(from) !== stateName(to)) entered.get(stateName(to))?.add(session);
    }
    const tooFew = [...entered].filter(([, { size }]) => size < result.sessions.size / 100);
    expect(tooFew).toEqual([]);
  });

  test("the sums are right, and nothing is quarantined", () => {
    const { sent, accepted, duplicate, conflict, refused, counters } = result;
    expect(accepted + duplicate + conflict + refused).toBe(sent);
    const { applied = 0, ignored = 0, stale = 0, quarantined = 0 } = counters;
    expect(applied + ignored + stale + quarantined).toBe(accepted);
    expect(quarantined).toBe(0);
    expect(duplicate / sent).toBeGreaterThan(0.003);
    expect(duplicate / sent).toBeLessThan(0.007);
    for (const few of [conflict, ignored, stale]) {
      expect(few).toBeGreaterThan(0);
      expect(few / sent).toBeLessThan(0.02);
    }
  });

  test("only the bad lines are refused, each kind for its own reason", () => {
    expect(result.refused).toBe(day.filter(({ kind }) => kind === "raw").length);
    expect(result.refusals).toEqual({
      "event.type_unknown": 1,
      "event.secret_field": 1,
      malformed: 1,
      "event.type_reserved": 1,
    });
  });

  test("apps answer what they were really asked: most remediations are answered in the attempt they belong to", () => {
    const answers = result.records.filter(({ event }) => event.type === "remediation.completed");
    const current = answers.filter(({ outcome }) => outcome === "applied");
    expect(current.length / answers.length).toBeGreaterThan(0.8);
  });

  test("remediations succeed, fail and time out; phones are wiped; accounts are switched to in vain", () => {
    const ends = new Set(
      result.records.flatMap(({ event, from, to, effects }) =>
        from === to
          ? []
          : [
              `${event.type} ${from} ${to}`,
              ...effects.flatMap((effect) =>
                effect.type === "signOut" ? [`${event.type} ${effect.data.reason}`] : [],
              ),
            ],
      ),
    );
    expect([...ends]).toEqual(
      expect.arrayContaining([
        "remediation.completed remediating.attempt pinSetup",
        "remediation.completed remediationFailed",
        "remediation.timedOut remediationFailed",
        "account.switched noncompliant",
        "wipe.requested wipeRequested",
        "offlineGrace.expired locked noncompliant",
        "policy.changed locked pinSetup",
        "pin.rejected locked pinSetup",
        "license.revoked locked unenrolled.unmanaged",
      ]),
    );
  });

  test("the sessions end the same however devices are spread over partitions", () => {
    const ends = ({ sessions }: DayResult) =>
      [...sessions.values()].map((session) => encodeSession({ ...session, lastRecord: 0 })).sort();
    expect(ends(fold(day, (device) => device))).toEqual(ends(result));
  });
});
