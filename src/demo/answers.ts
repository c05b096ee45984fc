/**
 * How an app and its person answer the effects of a session: what the app is told to do it does within seconds, what the person is
 * asked takes longer, and goes wrong more often.
 */
import type { Effect, EffectData } from "../../machines/effects/catalogue.js";
import type { PinDescriptor } from "../../machines/policy/pin-descriptor.js";
import type { PinRules } from "../../machines/policy/rules.js";
import { MINUTE_MS, SECOND_MS } from "./day.js";
import { updated } from "./device.js";
import type { Person, Script } from "./person.js";

const WRONG_PIN_SHARE = 0.06;
const UNFIT_PIN_SHARE = 0.06;
const PENDING_SHARE = 0.25;

/** Answers until nothing more is asked of the account that is shown, and no remediation runs. */
export function* answer(person: Person): Script {
  const { phone } = person;
  for (;;) {
    const effects = phone.takeEffects();
    for (const effect of effects) yield* answerOne(person, effect);
    if (effects.length > 0) continue;
    // The next attempt, or the end of the session, comes by a deadline.
    const deadline = phone.state === "remediating" ? phone.nextDeadline : null;
    if (deadline === null) return;
    yield Math.max(phone.now, deadline);
    phone.catchUp();
  }
}

function* answerOne(person: Person, effect: Effect): Script {
  switch (effect.type) {
    case "enroll":
      return yield* enroll(person);
    case "checkIn":
      return yield* checkIn(person);
    case "promptPinSetup":
      return yield* choosePin(person);
    case "promptPin":
      return yield* enterPin(person, effect.data);
    case "promptCredentials":
      return yield* enterCredentials(person);
    case "remediate":
      return yield* remediate(person, effect.data);
    case "wipe":
      yield person.in(1 * SECOND_MS, 10 * SECOND_MS);
      return person.phone.report({ type: "wipe.completed", requestId: effect.data.requestId });
    case "unregister":
      yield person.in(200, 1_500);
      return person.phone.report({ type: "enrollment.ended", result: "UNENROLLMENT_SUCCEEDED" });
    case "restartApp":
      yield person.in(2 * SECOND_MS, 6 * SECOND_MS);
      return person.phone.report({ type: "app.launched" });
    case "installCompanyPortal":
      return yield* installPortal(person);
    default:
    // The rest is shown, and needs no answer.
  }
}

function* enroll(person: Person): Script {
  yield person.in(500, 4 * SECOND_MS);
  const result = person.enrollments.shift() ?? "ENROLLMENT_SUCCEEDED";
  person.phone.report({ type: "enrollment.completed", result });
}

/** A check-in, and the device's report with it. */
export function* checkIn(person: Person): Script {
  const { phone, posture } = person;
  yield person.in(300, 2 * SECOND_MS);
  phone.report({ type: "checkin.succeeded", policy: phone.lastCheckinAt === 0 ? "new" : "unchanged" });
  phone.report({ type: "posture.reported", ...posture });
}

function* choosePin(person: Person): Script {
  const { phone, random } = person;
  if (phone.state !== "pinSetup") return;
  yield person.in(15 * SECOND_MS, 60 * SECOND_MS);
  if (phone.pinRules === null) return;
  if (random.chance(UNFIT_PIN_SHARE)) {
    phone.report({ type: "pin.set", descriptor: { ...fittingPin(phone.pinRules, 0), simple: true } });
    yield person.in(10 * SECOND_MS, 30 * SECOND_MS);
  }
  phone.report({ type: "pin.set", descriptor: fittingPin(phone.pinRules, person.extraPinLength) });
}

function fittingPin({ minLength, kind }: PinRules, extraLength: number): PinDescriptor {
  const hasLetter = kind === "passcode";
  return {
    length: minLength + extraLength,
    kind,
    simple: false,
    hasDigit: true,
    hasLetter,
    hasSymbol: hasLetter,
    matchesHistory: 0,
  };
}

function* enterPin(person: Person, { biometricAllowed }: EffectData<"promptPin">): Script {
  const { phone, random } = person;
  if (phone.state !== "locked") return;
  if (biometricAllowed && person.usesBiometrics && !person.hasForgottenPin) {
    yield person.in(1 * SECOND_MS, 3 * SECOND_MS);
    return phone.report({ type: "pin.verified", method: "biometric" });
  }
  const wrong = person.hasForgottenPin ? Infinity : random.chance(WRONG_PIN_SHARE) ? random.between(1, 2) : 0;
  for (let failedAttempts = 1; failedAttempts <= wrong; failedAttempts++) {
    yield person.in(3 * SECOND_MS, 9 * SECOND_MS);
    phone.report({ type: "pin.rejected", failedAttempts });
    // The attempts are spent: a new PIN is chosen, and remembered.
    if (phone.state !== "locked") {
      person.hasForgottenPin = false;
      return;
    }
  }
  yield person.in(2 * SECOND_MS, 6 * SECOND_MS);
  phone.report({ type: "pin.verified", method: "pin" });
}

function* enterCredentials(person: Person): Script {
  const { phone } = person;
  if (phone.state === "signedOut") return;
  yield person.in(10 * SECOND_MS, 45 * SECOND_MS);
  if (person.failsSignIn) {
    person.failsSignIn = false;
    return phone.report({ type: "auth.failed", errorCode: "invalid_grant" });
  }
  phone.report({ type: "auth.succeeded", method: "credentials", mfa: true });
}

function* remediate(person: Person, { attemptId }: EffectData<"remediate">): Script {
  const { phone, random } = person;
  if (person.remediation === "silent") {
    person.unanswered = attemptId;
    return;
  }
  yield person.in(8 * SECOND_MS, 45 * SECOND_MS);
  if (person.remediation === "fails") {
    return phone.report({ type: "remediation.completed", status: "NOT_COMPLIANT", attemptId });
  }
  if (random.chance(PENDING_SHARE)) {
    // The service is slow once; the next attempt finds it ready.
    return phone.report({ type: "remediation.completed", status: "PENDING", attemptId });
  }
  if (person.isOutdated) {
    person.posture = updated(phone.platform, person.posture);
    person.isOutdated = false;
    phone.report({ type: "posture.reported", ...person.posture });
  }
  phone.report({ type: "remediation.completed", status: "COMPLIANT", attemptId });
}

function* installPortal(person: Person): Script {
  yield person.in(1 * MINUTE_MS, 4 * MINUTE_MS);
  person.phone.report({ type: "companyPortal.installed", version: "5.0.6452.0" });
}
