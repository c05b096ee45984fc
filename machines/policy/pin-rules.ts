/** Whether a PIN, known by its descriptor, is what the rules ask for. */
import type { PinDescriptor } from "./pin-descriptor.js";
import type { PinRules } from "./rules.js";

export const PIN_VIOLATIONS = [
  "tooShort",
  "wrongKind",
  "simple",
  "needsLetterOrSymbol",
  "needsDigit",
  "needsLetter",
  "needsSymbol",
  "inHistory",
] as const;
export type PinViolation = (typeof PIN_VIOLATIONS)[number];

/** What is wrong with a PIN that is being set; empty: it fits. */
export function pinViolations(pin: PinRules, descriptor: PinDescriptor): readonly PinViolation[] {
  const violations = storedPinViolations(pin, descriptor);
  const { matchesHistory } = descriptor;
  return matchesHistory >= 1 && matchesHistory <= pin.historyCount ? [...violations, "inHistory"] : violations;
}

/** What is wrong with a PIN that was set before these rules. Its history does not count: it is not new. */
export function storedPinViolations(pin: PinRules, descriptor: PinDescriptor): readonly PinViolation[] {
  const { length, simple, hasDigit, hasLetter, hasSymbol } = descriptor;
  const violations: PinViolation[] = [];
  if (length < pin.minLength) violations.push("tooShort");
  // A numeric rule means digits only: the app offers a number pad, on which a passcode could not be entered.
  const contradictsKind = descriptor.kind === "numeric" && (hasLetter || hasSymbol);
  if (descriptor.kind !== pin.kind || contradictsKind) violations.push("wrongKind");
  if (pin.simpleBlocked && simple) violations.push("simple");
  if (pin.kind === "passcode" && descriptor.kind === "passcode") {
    if (!pin.simpleBlocked) {
      if (!hasLetter && !hasSymbol) violations.push("needsLetterOrSymbol");
    } else {
      if (!hasDigit) violations.push("needsDigit");
      if (!hasLetter) violations.push("needsLetter");
      if (!hasSymbol) violations.push("needsSymbol");
    }
  }
  return violations;
}
