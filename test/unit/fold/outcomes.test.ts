/** Outcomes other than "applied": what does not fit, what comes too late, and what breaks. */
import { describe, expect, test } from "vitest";
import { decide } from "../../../machines/decision.js";
import { foldBatch, type Entry } from "../../../machines/fold-batch.js";
import { newSession, step } from "../../../machines/fold.js";
import type { Rules } from "../../../machines/policy/rules.js";
import type { Session } from "../../../machines/session/session.js";
import {
  after,
  authSucceeded,
  compliant,
  enrolled,
  late,
  noncompliant,
  pinCancelled,
  pinRejected,
  pinSet,
  pinVerified,
  posture,
  rules,
  signedIn,
  signedOut,
  tokenRevoked,
} from "../../../src/testing/index.js";
import { activeSession, lockedSession, MODERN_OS, pinlessSession, PLAIN } from "../../support/builders.js";

describe("an event that a state does not answer", () => {
  test("is recorded as ignored, with the state", () => {
    const ignored = activeSession().when(pinVerified()).is("ignored").leadsTo("active").givesExactly();
    expect(ignored.records[0]).toMatchObject({
      reason: "active does not answer pin.verified",
      from: "active",
      to: "active",
    });
  });

  test("changes nothing but the time", () => {
    const before = activeSession();
    const then = before.when(after({ minutes: 1 }), pinSet());
    expect({ ...then.session, asOf: 0, lastRecord: 0 }).toEqual({ ...before.session, asOf: 0, lastRecord: 0 });
  });

  test("does not count as a restriction", () =>
    activeSession()
      .when(pinCancelled(), late(signedIn(), { minutes: 1 }))
      .is("applied")
      .leadsTo("locked"));
});

describe("a relaxing event that is older than the last restricting one", () => {
  test("is stale", () =>
    lockedSession(PLAIN, pinRejected())
      .when(late(pinVerified(), { seconds: 1 }))
      .is("stale")
      .leadsTo("locked")
      .givesExactly());

  test("whatever it would relax", () => {
    activeSession(PLAIN, tokenRevoked())
      .when(late(authSucceeded(), { seconds: 1 }))
      .is("stale")
      .leadsTo("locked");
    activeSession(PLAIN, signedOut())
      .when(late(signedIn(), { seconds: 1 }))
      .is("stale")
      .leadsTo("signedOut");
    activeSession({ settings: { dispositions: { mamVerdict: "wait" } } }, noncompliant())
      .when(late(compliant(), { seconds: 1 }))
      .is("stale")
      .leadsTo("noncompliant");
  });

  test("is applied when it is as old, or younger", () => {
    lockedSession(PLAIN, pinRejected()).when(pinVerified()).is("applied").leadsTo("active");
    lockedSession(PLAIN, pinRejected(), after({ seconds: 2 }))
      .when(late(pinVerified(), { seconds: 1 }))
      .is("applied")
      .leadsTo("active");
  });

  test("restricting ones are obeyed however old they are", () =>
    activeSession(PLAIN, tokenRevoked(), authSucceeded())
      .when(late(tokenRevoked(), { days: 1 }))
      .is("applied")
      .leadsTo("locked"));

  test("a producer whose clock runs ahead does not make all that follows look old", () => {
    const before = activeSession();
    const aDayAhead = { source: "service", id: "1", time: before.now + 86_400_000, entry: "1-0" };
    const { session } = step(
      before.session,
      { event: { type: "token.revoked", reason: "revoked" }, at: before.now, origin: aDayAhead },
      before.rules,
    );
    expect(session?.restrictedAt).toBe(before.now);
  });
});

describe("a report that is older than the last restricting event", () => {
  const blocked = () =>
    activeSession({ ...MODERN_OS, dispositions: { ...MODERN_OS.dispositions, osVersion: "wait" } }).when(
      posture({ osVersion: "16" }),
    );

  test("is stale where it would lift a cause", () =>
    blocked()
      .when(late(posture(), { seconds: 1 }))
      .is("stale")
      .leadsTo("noncompliant"));

  test("is applied where it only restricts", () =>
    activeSession(MODERN_OS, tokenRevoked())
      .when(late(posture({ osVersion: "16" }), { seconds: 1 }))
      .is("applied")
      .leadsTo("remediating"));
});

describe("what throws", () => {
  /** Rules that can't be read where `property` is asked for. */
  function poisoned(property: keyof Rules, under: Rules): Rules {
    return Object.defineProperty({ ...under, hash: `poisoned-${property}` }, property, {
      get: () => {
        throw new Error(`${property} is poison`);
      },
    });
  }

  test.each(["pin", "conditions", "offline", "credentialsRequired"] as const)(
    "quarantines the session, never the caller (%s)",
    (property) => {
      const before = activeSession();
      const { session, record } = step(
        before.session,
        { event: { type: "app.launched" }, at: before.now },
        poisoned(property, PLAIN),
      );
      expect(record).toMatchObject({ outcome: "quarantined", effects: [], from: "active", to: "active" });
      expect(record.reason).toContain("poison");
      expect(decide(session as Session, PLAIN, before.now)).toMatchObject({
        decision: "deny",
        reasons: ["session.quarantined"],
      });
    },
  );

  test("also where only the verdict is judged, and the chart does not ask", () => {
    const before = activeSession(PLAIN, signedOut());
    const { record } = step(
      before.session,
      { event: { type: "threat.levelChanged", level: "high", partner: "x" }, at: before.now },
      poisoned("conditions", PLAIN),
    );
    expect(record.outcome).toBe("quarantined");
  });

  test("a quarantined session stands still: events are recorded, deadlines do not pass", () => {
    const stuck = activeSession().when(poisoned("pin", PLAIN));
    expect(stuck.session.quarantine?.reason).toContain("policy.changed in active");
    stuck
      .when(rules(), pinVerified(), after({ days: 100 }), signedIn())
      .is("quarantined")
      .leadsTo("active")
      .givesExactly()
      .decides("deny", "session.quarantined");
  });

  test("the other sessions of the batch go on", () => {
    const at = activeSession().now;
    const ids = ["contoso/phone-1/ann/app", "contoso/phone-2/bob/app"];
    const bad = poisoned("pin", PLAIN);
    const entries = ids.map((session, n): Entry => ({
      kind: "event",
      session,
      occurrence: {
        event: { type: "enrollment.completed", result: "ENROLLMENT_SUCCEEDED" },
        at,
        origin: { source: "app", id: String(n), time: at, entry: `${at}-${n}` },
      },
    }));
    const outcome = foldBatch(
      {
        policies: { contoso: { base: 1, broadcasts: [] } },
        horizon: at,
        entries,
        due: [],
        sessions: new Map(ids.map((id) => [id, newSession(id, "ios", () => PLAIN, at)])),
        seq: 0,
      },
      (_tenant, _version, { id }) => (id === ids[0] ? bad : PLAIN),
    );
    expect(outcome.sessions.get(ids[0] ?? "")?.quarantine).toBeDefined();
    expect(outcome.sessions.get(ids[1] ?? "")?.state).toBe("pinSetup");
  });
});

test("effects of one step come in the order in which things happen", () =>
  pinlessSession(PLAIN, pinSet(), enrolled())
    .when(signedOut())
    .givesExactly("unregister", "wipe", "blockAccess", "signOut"));
