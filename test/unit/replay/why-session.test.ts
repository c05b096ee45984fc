/** Why somebody is where they are: the cause is what can't be left out, the sentence names it, and what would have helped really would have. */
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { stateName } from "../../../machines/session/context.js";
import { type Why, whySession } from "../../../src/replay/why-session.js";
import { counterfactualWords, headline } from "../../../src/replay/why-words.js";
import { TENANT, SESSION, drain, histories, play } from "../fold/histories.js";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import type { JournalRecord } from "../../../machines/outcome.js";
import { isTombstone } from "../../../src/store/journal-chain.js";
import { POSTURE, TestDeployment, samplePolicy } from "../../support/deployment.js";

const clock = {
  time: (ms: number) => new Date(ms).toISOString().slice(11, 16),
  span: (ms: number) => `${ms / 3_600_000} h`,
};

property.prop([histories().map((history) => play(history).inbox)], { numRuns: 150 })(
  "of any history: the chain ends where the session is, none of its inputs can be left out, and what is said to keep access is no deny",
  (inbox) => {
    const { sessions, records } = drain(inbox);
    const session = sessions.get(SESSION);
    fc.pre(session !== undefined && session.quarantine === undefined);
    const why = whySession(SESSION, records, inbox.endsAt, (version, of) => inbox.rulesOf(TENANT, version, of));
    expect(why.state).toBe(session?.state);
    const last = why.chain.findLast(
      ({ from, to }) => from !== undefined && to !== undefined && stateName(from) !== stateName(to),
    );
    expect([last?.at, last?.event.type]).toEqual([why.by?.at, why.by?.event.type]);
    expect(why.keptAccess.every(({ decision }) => decision !== "deny")).toBe(true);
    expect(headline(why, clock)).toMatch(/^[A-Z].+\.$/);
    for (const one of why.keptAccess) expect(counterfactualWords(one, clock)).toMatch(/^with/);
  },
);

/** A story told to a deployment in memory, and why it ended as it did. */
async function story(tell: (deployment: TestDeployment) => Promise<void>): Promise<Why> {
  const store = new MemoryPartitionStore({ deployment: { partitionCount: 1, clock: "event" } });
  const deployment = new TestDeployment(store);
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
  await deployment.getIn();
  await tell(deployment);
  await deployment.drainAll();
  const { seq, clock: now } = await store.chunk(0, null, 1);
  const entries = await store.records(
    0,
    Array.from({ length: seq }, (_, n) => n + 1),
  );
  const records = entries.flatMap((entry) =>
    entry === null || isTombstone(entry) ? [] : [JSON.parse(entry.body) as JournalRecord],
  );
  return whySession("contoso/phone-1/adele/azure-mobile", records, now, (version, session) =>
    deployment.rules.rulesOf(TENANT, version, session),
  );
}

const MINUTE_MS = 60_000;
const eventsOf = ({ chain }: Why) => chain.map(({ event }) => event.type);

describe("stories", () => {
  test("a device that is too old: three attempts that failed, the policy and what it asks for", async () => {
    const why = await story(async (deployment) => {
      deployment.now += MINUTE_MS;
      await deployment.send(deployment.event("posture.reported", { ...POSTURE, osVersion: "16.7" }));
      deployment.now += 20 * MINUTE_MS;
      await deployment.send(deployment.event("app.launched"));
    });
    expect(headline(why, clock)).toMatch(
      /^Signed out at 08:\d\d because remediation of the OS version failed three times; policy "[^"]+" asks for [\d.]+ or newer, the device reported 16\.7\.$/,
    );
    expect(eventsOf(why).slice(0, 3)).toEqual(["account.signedIn", "enrollment.completed", "posture.reported"]);
    expect(eventsOf(why)).not.toContain("app.launched");
    const helped = why.keptAccess.map((one) => counterfactualWords(one, clock)).join("\n");
    expect(helped).toContain("with this before 08:05: the device reported itself: system 17.0");
    expect(helped).toContain("without this at 08:01: the device reported itself: system 16.7");
  });

  test("nobody checked in: since when, and until when it would have helped", async () => {
    const why = await story(async (deployment) => {
      deployment.now += 30 * MINUTE_MS;
      await deployment.send(deployment.event("checkin.succeeded"));
      deployment.now += 13 * 60 * MINUTE_MS;
      await deployment.send(deployment.event("connectivity.lost", {}, "phone-1/adele"));
    });
    expect(headline(why, clock)).toMatch(
      /^Blocked since \d\d:\d\d because of no check-in for too long: the last check-in was at 08:30, and [\d.]+ h are allowed\.$/,
    );
    expect(why.keptAccess[0]).toMatchObject({ kind: "with", event: { type: "checkin.succeeded" } });
  });

  test("an administrator's wipe: without it there would be access", async () => {
    const why = await story(async (deployment) => {
      deployment.now += MINUTE_MS;
      await deployment.send(deployment.event("wipe.requested", { requestId: "w1", scope: "app" }));
    });
    expect(headline(why, clock)).toBe(
      "Signed out at 08:01 because an administrator asked to remove the organisation's data.",
    );
    expect(why.keptAccess).toMatchObject([{ kind: "without", event: { type: "wipe.requested" }, decision: "allow" }]);
  });

  test("rules that changed: which version would have kept access", async () => {
    const why = await story(async (deployment) => {
      deployment.now += MINUTE_MS;
      await deployment.publish(2, [{ ...samplePolicy("contoso-ios-level2"), minimumRequiredOsVersion: "18.0" }]);
      await deployment.send(deployment.event("app.launched"));
    });
    expect(headline(why, clock)).toMatch(
      /^Being remediated since 08:01 because of the OS version .* asks for 18\.0 or newer, the device reported 17\.4\.1\.$/,
    );
    expect(why.keptAccess.map((one) => counterfactualWords(one, clock))).toContainEqual(
      expect.stringContaining("with policy version 1, had version 2 not come into force at 08:01"),
    );
  });

  test("what made no difference is left out, a published version, too; what is left is told as it was recorded", async () => {
    const why = await story(async (deployment) => {
      deployment.now += MINUTE_MS;
      await deployment.publish(2, [{ ...samplePolicy("contoso-ios-level2"), minimumPinLength: 8 }]);
      await deployment.send(deployment.event("app.launched"));
      deployment.now += MINUTE_MS;
      await deployment.send(deployment.event("session.signOutForced"));
    });
    expect(eventsOf(why)).toEqual(["account.signedIn", "session.signOutForced"]);
    expect(why.chain.at(-1)).toMatchObject({ seq: expect.any(Number), from: "pinSetup", to: "signedOut" });
  });

  test("somebody who has access: since when and by what", async () => {
    const why = await story(async () => undefined);
    expect(headline(why, clock)).toBe("Has access since 08:00: chose a PIN of 6 digits.");
    expect([why.keptAccess, why.tried]).toEqual([[], 0]);
  });
});
