/** Accounts that come, go, or lose what binds them to policy. */
import { answer } from "../answers.js";
import { open, signIn, work } from "../habits.js";
import type { Person, Script } from "../person.js";

/**
 * A second account rests out of compliance, because it may not be managed beside the first or was not used for too long. Whoever
 * switches to it is signed out of it and told to sign in again.
 */
export function* switchesAccounts(person: Person): Script {
  const { phone, random } = person;
  yield* signIn(person);
  yield* work(person, person.between(8.5, 9.2));
  yield* open(person);

  phone.switchAccount();
  const isSecondManagedAccount = random.chance(0.5);
  if (isSecondManagedAccount) person.enrollments.push("WRONG_USER");
  yield* signIn(person);
  if (!isSecondManagedAccount) {
    yield* work(person, person.inMinutes(10, 25));
    yield* open(person);
  }

  phone.switchAccount();
  yield* answer(person);
  yield* work(person, isSecondManagedAccount ? person.between(10, 15) : person.between(14.7, 15.5));
  yield* open(person);

  phone.switchAccount();
  yield* answer(person);
  if (isSecondManagedAccount) {
    yield person.in(3_000, 20_000);
    phone.switchAccount();
    yield* answer(person);
  } else {
    yield person.inMinutes(1, 5);
    yield* signIn(person);
  }
  yield* work(person, person.leavesAt);
}

export function* handsOver(person: Person): Script {
  const { phone } = person;
  yield* signIn(person);
  yield* work(person, person.between(13, 14.5));
  phone.report({ type: "account.signedOut", initiator: "user" });
  yield* answer(person);
  yield person.inMinutes(10, 40);
  phone.showOther();
  yield* signIn(person);
  yield* work(person, person.leavesAt);
}

export function* unlicensed(person: Person): Script {
  const { phone, random } = person;
  person.enrollments.push("NOT_LICENSED");
  yield* signIn(person);
  if (random.chance(0.5)) {
    yield* work(person, person.between(9.5, 14));
    phone.report({ type: "license.granted" });
    yield* open(person);
  }
  yield* work(person, person.leavesAt);
}

export function* losesLicense(person: Person): Script {
  yield* signIn(person);
  yield* work(person, person.between(9.5, 15.5));
  person.phone.report({ type: "license.revoked" });
  yield* open(person);
  yield* work(person, person.leavesAt);
}

export function* isDisabled(person: Person): Script {
  const { phone, random } = person;
  yield* signIn(person);
  yield* work(person, person.between(9.5, 15.5));
  yield* open(person);
  const lastUse = phone.now;
  yield person.inMinutes(1, 10);
  phone.report({ type: "account.disabled" });
  if (random.chance(0.5)) phone.reportLate({ type: "pin.verified", method: "pin" }, lastUse);
  yield* answer(person);
  if (random.chance(0.5)) {
    yield person.inMinutes(30, 90);
    phone.report({ type: "account.enabled" });
    yield person.inMinutes(2, 20);
    yield* signIn(person);
    yield* work(person, person.leavesAt);
  }
}

export function* isForcedOut(person: Person): Script {
  yield* signIn(person);
  yield* work(person, person.between(9, 16));
  person.phone.report({ type: "session.signOutForced", note: "access review" });
  yield person.inMinutes(5, 40);
  yield* signIn(person);
  yield* work(person, person.leavesAt);
}
