/** Why an event was not taken in: what is wrong, where, and how to put it right. Never the value itself. */

export const REFUSAL_CODES = [
  "event.not_json",
  "event.not_an_object",
  "event.duplicate_key",
  "event.source_not_allowed",
  "event.too_large",
  "event.too_deep",
  "event.invalid",
  "event.type_unknown",
  "event.type_reserved",
  "event.secret_field",
  "event.forbidden_key",
  "tenant.mismatch",
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

export interface Refusal {
  readonly code: RefusalCode;
  /** JSON pointer into the event; `""` is the event itself. */
  readonly path: string;
  /** What was found wrong, in a sentence without the value. */
  readonly message: string;
  /** What would be taken. */
  readonly fix: string;
}

/** Path segments as a JSON pointer (RFC 6901). */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
