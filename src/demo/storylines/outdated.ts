/** Devices that meet the morning's rules and not the noon's. */
import { answer } from "../answers.js";
import { MINUTE_MS, NOON_MS, SECOND_MS } from "../day.js";
import { open, signIn, work } from "../habits.js";
import type { Person, RemediationManner, Script } from "../person.js";

export function* updatesInTime(person: Person): Script {
  yield* meetNoon(person, "complies");
  yield* work(person, person.leavesAt);
}

export function* cannotUpdate(person: Person): Script {
  yield* meetNoon(person, "fails");
  if (person.random.chance(0.4)) {
    // Another try does not make the device any newer.
    yield person.inMinutes(10, 90);
    yield* signIn(person);
  }
}

export function* neverAnswers(person: Person): Script {
  const { phone, random } = person;
  yield* meetNoon(person, "silent");
  if (person.unanswered !== undefined && random.chance(0.5)) {
    yield person.inMinutes(1, 10);
    phone.report({ type: "remediation.completed", status: "UNKNOWN", attemptId: person.unanswered });
  }
  if (random.chance(0.5)) {
    yield person.inMinutes(30, 120);
    person.remediation = "complies";
    yield* signIn(person);
    yield* work(person, person.leavesAt);
  }
}

/** Works until the stricter policies come, and stays until whatever they bring is over. */
function* meetNoon(person: Person, manner: RemediationManner): Script {
  const { phone } = person;
  person.remediation = manner;
  yield* signIn(person);
  yield* work(person, NOON_MS - 5 * MINUTE_MS);
  yield* open(person);
  yield Math.max(phone.now, NOON_MS + person.random.between(0, 20 * SECOND_MS));
  phone.catchUp();
  yield* answer(person);
}
