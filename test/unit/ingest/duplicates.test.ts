/** P2: an event that is sent again under its id changes nothing, however often, in whatever company, before or after it was committed. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import { POSTURE, SIX_DIGITS, TestDeployment, samplePolicy } from "../../support/deployment.js";

const POLICY = samplePolicy("contoso-ios-level2");
const SUBJECTS = ["phone-1/adele", "phone-1/bob", "phone-2/adele"];

const what = fc.constantFrom<readonly [string, object]>(
  ["account.signedIn", { platform: "ios", interactive: true }],
  ["enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }],
  ["posture.reported", POSTURE],
  ["posture.reported", { ...POSTURE, osVersion: "12.0" }],
  ["pin.set", { descriptor: SIX_DIGITS }],
  ["pin.verified", { method: "pin" }],
  ["app.backgrounded", {}],
  ["app.foregrounded", {}],
  ["token.revoked", { reason: "revoked" }],
  ["account.signedOut", { initiator: "user" }],
);
/** One thing that happens, so long after the one before; then, of all that was sent so far, what is sent again, and whether a worker comes by. */
const move = fc.record({
  what,
  subject: fc.constantFrom(...SUBJECTS),
  gapMs: fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.constant(45 * 60_000)),
  again: fc.array(fc.nat(), { maxLength: 4 }),
  isDrained: fc.boolean(),
});
type Move = typeof move extends fc.Arbitrary<infer Value> ? Value : never;

async function play(moves: readonly Move[], sendsAgain: boolean) {
  const store = new MemoryPartitionStore({ deployment: { partitionCount: 1, clock: "event" } });
  const deployment = new TestDeployment(store);
  await deployment.publish(1, [POLICY]);
  await deployment.getIn(SUBJECTS[0]);
  const sent: object[] = [];
  let duplicates = 0;
  for (const {
    what: [type, data],
    subject,
    gapMs,
    again,
    isDrained,
  } of moves) {
    deployment.now += gapMs;
    const event = deployment.event(type, data, subject);
    sent.push(event);
    await deployment.send(event);
    if (isDrained) await deployment.drainAll();
    if (!sendsAgain || again.length === 0) continue;
    const { totals } = await deployment.send(...again.map((place) => sent[place % sent.length] as object));
    expect(totals).toMatchObject({ accepted: 0, duplicate: totals.sent });
    duplicates += totals.duplicate;
  }
  await deployment.drainAll();
  const { head, seq, cursor } = await store.load(0, { entries: 1, bytes: 1 });
  const { snapshots } = await store.scan(0, null, 100);
  return { duplicates, came: { head, seq, cursor, snapshots, outbox: await store.outbox(0, null, 10_000) } };
}

test("duplicates change nothing: journal, sessions and effects are those of a stream without them", async () => {
  let duplicates = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 20 }), async (moves) => {
      const again = await play(moves, true);
      duplicates += again.duplicates;
      expect(again.came).toEqual((await play(moves, false)).came);
    }),
    { numRuns: 40 },
  );
  expect(duplicates).toBeGreaterThan(200);
});
