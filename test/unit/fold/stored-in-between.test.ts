/** What a record says of an event does not depend on whether the session was written and read again just before. */
import { expect, test } from "vitest";
import { step } from "../../../machines/fold.js";
import { decodeSession, encodeSession } from "../../../machines/session/snapshot.js";
import * as kit from "../../../src/testing/index.js";
import { PLAIN, activeSession } from "../../support/builders.js";

const POSTURE = { osVersion: "17.4.1", sdkVersion: "19.7.2", deviceLock: "high", rooted: false } as const;

test("the same posture reported again is no change, although a stored one has its fields in another order", () => {
  const { session } = activeSession(PLAIN, kit.posture(POSTURE));
  const report = { event: kit.posture(POSTURE)({ rules: PLAIN, session }), at: session.asOf };
  const stored = decodeSession(encodeSession(session));
  expect(Object.keys(stored.facts.posture ?? {})).not.toEqual(Object.keys(session.facts.posture ?? {}));
  const { record } = step(session, report, PLAIN);
  expect([record.outcome, record.changed]).toEqual(["applied", undefined]);
  expect(step(stored, report, PLAIN).record).toEqual(record);
});
