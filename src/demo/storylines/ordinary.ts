/** A day without trouble. */
import { signIn, work } from "../habits.js";
import type { Person, Script } from "../person.js";

export function* ordinary(person: Person): Script {
  const { phone, random } = person;
  if (random.chance(0.01)) {
    // The service has heard of the account before the app has: there is no session to tell.
    phone.report({ type: "compliance.evaluated", verdict: "compliant", scope: "device" });
    yield person.inMinutes(1, 5);
  }
  yield* signIn(person);
  yield* work(person, person.leavesAt);
}
