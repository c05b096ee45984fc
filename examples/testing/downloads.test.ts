/** How a backend tests itself with `gatehouse/testing`: no Redis, no waiting. docs/testing.md goes through it. */
import fc from "fast-check";
import "gatehouse/testing/vitest";
import { eventStream, sessionHistory } from "gatehouse/testing/fast-check";
import {
  after,
  backgrounded,
  brokenInvariants,
  collectCoverage,
  enrolled,
  givenSession,
  pinRejected,
  pinSet,
  pinVerified,
  posture,
  rules,
  signedIn,
  virtualClock,
} from "gatehouse/testing";
import { afterAll, describe, expect, test } from "vitest";
import { answerDownload } from "./downloads.js";
import { inRequests } from "./reports.js";

const RULES = rules({ policy: { minimumRequiredOsVersion: "17.0", minimumPinLength: 6 }, recheckAfterMs: 1_800_000 });
const ready = givenSession(RULES, signedIn(), enrolled(), posture({ osVersion: "17.4" }), pinSet({ length: 6 }));

const coverage = collectCoverage();
afterAll(() => {
  coverage.stop();
  // All that a session with access answers when it is used: this suite takes it. coverage.table() says what it never took.
  coverage.requireAtLeast(1, {
    states: ["active"],
    events: ["app.backgrounded", "posture.reported", "access.recheckDue"],
  });
});

describe("a download", () => {
  test("is handed out to a session in order", () => {
    expect(ready).toBeIn("active");
    expect(ready).toHaveAccess();
    expect(answerDownload(ready.decision)).toMatchObject({ status: 200 });
  });

  test("waits for the PIN after half an hour in the background", () => {
    const away = ready.when(backgrounded(), after("30 m"));
    expect(away).toBeChallenged("pin.required");
    expect(away).toHaveEmitted("promptPin", { triesLeft: 5 });
    expect(answerDownload(away.decision)).toEqual({ status: 401, tellThePerson: "Enter your PIN." });
    expect(away.when(pinVerified())).toHaveAccess();
  });

  test("is refused to a device below the required version", () => {
    const outdated = ready.when(posture({ osVersion: "16.7" }));
    expect(outdated).toBeDenied("noncompliant.osVersion");
    expect(outdated).toHaveEmitted("remediate");
    expect(answerDownload(outdated.decision).status).toBe(403);
  });

  test("ends by itself when the time comes that the decision named", () => {
    const clock = virtualClock();
    const phone = clock.session(RULES, signedIn(), enrolled(), posture(), pinSet({ length: 6 }), backgrounded());
    const { openUntil } = answerDownload(phone.decision);
    expect(openUntil).toBe(clock.now + 1_800_000);

    clock.advance("29 m");
    expect(phone).toHaveAccess();
    clock.advance("1 m");
    expect(phone).toBeIn("locked");
    phone.happens(pinRejected());
    expect(phone).toHaveEmitted("notify", { key: "pinWrong" });
  });

  test("is handed out only where access was given, whatever happened before", () =>
    fc.assert(
      fc.property(sessionHistory({ maxLength: 20 }), (history) => {
        const session = givenSession(RULES, ...history);
        expect(brokenInvariants(session)).toEqual([]);
        if (answerDownload(session.decision).status === 200) expect(session).toHaveAccess();
      }),
    ));
});

test("reports are sent on in their order, a bounded number at a time", () =>
  fc.assert(
    fc.property(eventStream({ sessions: 2, length: 12 }), fc.integer({ min: 1, max: 5 }), (stream, atMost) => {
      const requests = inRequests(stream, atMost);
      expect(requests.flat()).toEqual(stream);
      expect(requests.every((request) => request.length > 0 && request.length <= atMost)).toBe(true);
    }),
  ));
