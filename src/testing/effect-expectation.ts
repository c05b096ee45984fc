/** How a specification names an effect: by its type, by its message, or with its data. */
import type { Effect, EffectType } from "../../machines/effects/catalogue.js";
import type { MessageKey } from "../../machines/effects/messages.js";

/** An effect by its type, a notice by its message, or `effect(...)` for the data too. */
export type EffectExpectation = EffectType | `notify(${MessageKey})` | ExpectedEffect;

interface ExpectedEffect {
  readonly type: EffectType;
  /** Fields that must be there with these values; others may be there too. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** An effect together with some of its data: `effect("promptPin", { biometricAllowed: false })`. */
export function effect<Type extends EffectType>(
  type: Type,
  data: Partial<Extract<Effect, { type: Type }>["data"]>,
): ExpectedEffect {
  return { type, data };
}

/** Whether an effect that was given is the one that was expected. */
export function matches(expected: EffectExpectation, actual: Effect): boolean {
  if (typeof expected === "string") {
    return expected === actual.type || (actual.type === "notify" && expected === `notify(${actual.data.key})`);
  }
  const data = actual.data as Readonly<Record<string, unknown>>;
  return (
    expected.type === actual.type &&
    Object.entries(expected.data).every(([key, value]) => JSON.stringify(data[key]) === JSON.stringify(value))
  );
}

/** An effect on one line: `notify(pinWrong)`, `promptPin {"triesLeft":3}`. */
export function effectText(one: EffectExpectation | Effect): string {
  if (typeof one === "string") return one;
  if (one.type === "notify" && "key" in one.data) return `notify(${String(one.data.key)})`;
  return Object.keys(one.data).length === 0 ? one.type : `${one.type} ${JSON.stringify(one.data)}`;
}
