/** What a trail says of a session with something left out, put in, or under other policies, is what folding all of it again says. */
import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import { type Policies, advance } from "../../../machines/advance.js";
import { receive } from "../../../machines/receive.js";
import { isInput } from "../../../machines/session-replay.js";
import type { Session } from "../../../machines/session/session.js";
import { encodeSession } from "../../../machines/session/snapshot.js";
import { type Input, SessionTrail } from "../../../src/replay/session-trail.js";
import { SESSION, TENANT, drain, histories, play } from "../fold/histories.js";

const trails = histories().map((history) => {
  const { inbox } = play(history);
  const { records } = drain(inbox);
  const inputs = records
    .filter((record) => record.session === SESSION && isInput(record))
    .map(({ seq, event, at, origin }): Input => ({ seq, event, at, ...(origin && { origin }) }));
  const policies = (version: number): Policies => ({
    base: version,
    broadcasts: [],
    rules: (asked, session) => inbox.rulesOf(TENANT, asked, session),
  });
  return { inputs, policies, until: inbox.endsAt };
});

function fold(inputs: readonly Input[], policies: Policies, until: number): Session | undefined {
  let session: Session | undefined;
  for (const input of inputs) session = receive(session, SESSION, input, policies, () => 0);
  return session && advance(session, until, policies, () => 0);
}

/** How many steps a session has behind it makes no difference to where it is. */
const place = (session: Session | undefined) =>
  session === undefined ? "nowhere" : encodeSession({ ...session, revision: 0, lastRecord: 0 });

test.prop([trails, fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 12 })), { maxLength: 8 })], {
  numRuns: 200,
})("what is left out one after the other, if it makes no difference", ({ inputs, policies, until }, cuts) => {
  const under = policies(1);
  const trail = new SessionTrail(inputs, { id: SESSION, policies: under, until });
  const wanted = place(fold(inputs, under, until));
  let left = inputs;
  for (const [n, size] of cuts) {
    if (left.length === 0) return;
    const from = n % left.length;
    const without = left.toSpliced(from, size);
    const goesOn = place(fold(without, under, until)) === wanted;
    const isLeftOut = trail.leaveOut(
      { from, size },
      () => true,
      ({ session }) => place(session) === wanted,
    );
    expect(isLeftOut).toBe(goesOn);
    if (goesOn) left = without;
    expect(trail.inputs).toEqual(left);
    expect(place(trail.arrival.session)).toEqual(place(fold(left, under, until)));
  }
});

test.prop([trails, fc.nat(200), fc.nat(3)], { numRuns: 200 })(
  "another course from an input on, and the session just before a moment",
  ({ inputs, policies, until }, n, dropped) => {
    const under = policies(1);
    const trail = new SessionTrail(inputs, { id: SESSION, policies: under, until });
    const from = n % (inputs.length + 1);
    const rest = inputs.slice(from + dropped);
    const courses = [...inputs.slice(0, from), ...rest];
    expect(place(trail.instead(from, rest, under))).toBe(place(fold(courses, under, until)));
    const at = inputs[from]?.at ?? until;
    expect(place(trail.before(from, at))).toBe(place(fold(inputs.slice(0, from), under, at - 1)));
  },
);
