/** Trouble with what a person must know or prove. */
import { answer } from "../answers.js";
import { open, signIn, work } from "../habits.js";
import type { Person, Script } from "../person.js";

export function* forgetsPin(person: Person): Script {
  yield* signIn(person);
  yield* work(person, person.between(9, 14.5));
  // Away for longer than the recheck interval.
  yield person.inMinutes(31, 60);
  person.hasForgottenPin = true;
  yield* open(person);
  yield* work(person, person.leavesAt);
}

export function* changesPassword(person: Person): Script {
  const { phone, random } = person;
  yield* signIn(person);
  yield* work(person, person.between(9.5, 15.5));
  yield* open(person);
  const lastUse = phone.now;
  yield person.inMinutes(2, 10);
  phone.report({ type: "token.revoked", reason: "passwordChanged" });
  if (random.chance(0.5)) phone.reportLate({ type: "pin.verified", method: "pin" }, lastUse);
  person.failsSignIn = random.chance(0.25);
  yield* answer(person);
  if (phone.state === "signedOut") {
    yield person.inMinutes(5, 30);
    yield* signIn(person);
  }
  yield* work(person, person.leavesAt);
}

export function* isDeniedByConditionalAccess(person: Person): Script {
  const { phone, random } = person;
  yield* signIn(person);
  yield* work(person, person.between(9.5, 15.5));
  yield* open(person);
  const control = random.pick(["mfa", "compliantDevice", "block"]);
  phone.report({ type: "ca.evaluated", result: "denied", enforced: true, unsatisfied: [control] });
  yield* answer(person);
  if (phone.state === "signedOut") {
    yield person.inMinutes(30, 90);
    phone.report({ type: "ca.evaluated", result: "granted", enforced: true });
    yield person.inMinutes(1, 15);
    yield* signIn(person);
  }
  yield* work(person, person.leavesAt);
}

export function* startsWithTrouble(person: Person): Script {
  const { phone, random } = person;
  if (phone.platform === "android") person.enrollments.push("COMPANY_PORTAL_REQUIRED");
  else person.enrollments.push(random.pick(["AUTHORIZATION_NEEDED", "ENROLLMENT_FAILED"] as const));
  yield* signIn(person);
  if (phone.state === "unenrolled") {
    yield person.inMinutes(10, 40);
    yield* signIn(person);
  }
  yield* work(person, person.leavesAt);
}
