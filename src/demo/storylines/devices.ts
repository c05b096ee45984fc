/** Trouble with the device: tampered with, infected, lost, or out of reach. */
import { answer } from "../answers.js";
import { MINUTE_MS } from "../day.js";
import { open, signIn, work } from "../habits.js";
import type { Person, Script } from "../person.js";

export function* jailbreaks(person: Person): Script {
  const { phone } = person;
  yield* signIn(person);
  yield* work(person, person.between(9.5, 15.5));
  person.posture = { ...person.posture, rooted: true };
  person.remediation = "fails";
  yield* open(person);
  phone.report({ type: "posture.reported", ...person.posture });
  yield* answer(person);
}

export function* catchesMalware(person: Person): Script {
  const { phone } = person;
  yield* signIn(person);
  yield* work(person, person.between(9.5, 15.5));
  phone.report({ type: "threat.levelChanged", level: "high", partner: "Defender" });
  phone.report({ type: "compliance.evaluated", verdict: "noncompliant", scope: "device", cause: "threatLevel" });
  yield* answer(person);
  phone.report({ type: "threat.levelChanged", level: "secured", partner: "Defender" });
  yield* open(person);
  yield* work(person, person.leavesAt);
}

export function* losesPhone(person: Person): Script {
  const { phone, random } = person;
  yield* signIn(person);
  yield* work(person, person.between(10.5, 15));
  yield* open(person);
  const lastUse = phone.now;
  yield person.inMinutes(20, 90);
  phone.report({ type: "wipe.requested", requestId: random.guid(), scope: "app" });
  // Sent before it was lost, held up by a bad connection.
  if (random.chance(0.4)) phone.reportLate({ type: "pin.verified", method: "pin" }, lastUse);
  yield person.inMinutes(5, 60);
  phone.report({ type: "app.launched" });
  yield* answer(person);
  if (random.chance(0.5)) {
    // Found again, and empty.
    yield person.inMinutes(20, 120);
    yield* signIn(person);
    yield* work(person, person.leavesAt);
  }
}

export function* outOfReach(person: Person): Script {
  const { phone } = person;
  yield* signIn(person);
  yield* work(person, person.between(9.5, 10.8));
  phone.report({ type: "connectivity.lost" });
  yield person.in(255 * MINUTE_MS, 330 * MINUTE_MS);
  phone.report({ type: "connectivity.restored" });
  yield* open(person);
  yield* work(person, person.leavesAt);
}
