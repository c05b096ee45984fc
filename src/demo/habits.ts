/** What everybody does all day: sign in, use the app for a while, put the device away, come back. */
import { answer, checkIn } from "./answers.js";
import { MINUTE_MS, SECOND_MS } from "./day.js";
import type { Person, Script } from "./person.js";

/** An app in use contacts the service this often. */
const CHECKIN_INTERVAL_MS = 30 * MINUTE_MS;

export function* signIn(person: Person): Script {
  const { phone, random } = person;
  phone.report({
    type: "account.signedIn",
    platform: phone.platform,
    accountId: phone.user,
    interactive: true,
    mfa: random.chance(0.7),
  });
  yield* answer(person);
}

/** Takes the device in hand. */
export function* open(person: Person): Script {
  const { phone, random } = person;
  phone.report({ type: random.chance(0.06) ? "app.launched" : "app.foregrounded" });
  if (isManaged(person) && phone.now >= phone.lastCheckinAt + CHECKIN_INTERVAL_MS) yield* checkIn(person);
  yield* answer(person);
}

/** Uses the app on and off; ends with the device put away, or the session over. */
export function* work(person: Person, until: number): Script {
  const { phone } = person;
  while (phone.state !== "signedOut") {
    yield* use(person);
    // Noon may have passed meanwhile.
    phone.catchUp();
    yield* answer(person);
    phone.report({ type: "app.backgrounded" });
    const back = pause(person);
    if (back >= until) break;
    yield back;
    yield* open(person);
  }
  yield Math.max(phone.now, until);
}

/** Until the app is taken up again: mostly minutes, sometimes a meeting, seldom a long lunch. */
function pause(person: Person): number {
  const { random } = person;
  const length = random.between(1, 100);
  if (length <= 40) return person.inMinutes(2, 24);
  if (length <= 88) return person.inMinutes(32, 75);
  return person.inMinutes(75, 130);
}

function* use(person: Person): Script {
  const { phone, random } = person;
  yield person.inMinutes(1, 14);
  if (random.chance(0.02)) {
    phone.report({ type: "connectivity.lost" });
    yield person.in(20 * SECOND_MS, 4 * MINUTE_MS);
    phone.report({ type: "connectivity.restored" });
  }
  if (random.chance(0.004)) phone.report({ type: "biometrics.changed" });
  if (random.chance(0.004)) {
    phone.report({ type: "device.rebooted" });
    yield* answer(person);
  }
  // A second tap on the prompt that is already gone.
  if (random.chance(0.005)) phone.report({ type: "pin.verified", method: "pin" });
}

/** The app has, or is about to have, policy for the account; an app without one does not check in. */
function isManaged({ phone }: Person): boolean {
  return phone.state !== "unenrolled" && phone.state !== "signedOut";
}
