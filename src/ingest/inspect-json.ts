/**
 * The first look at anything from outside, before any schema: how big and deep it is, and whether a field's very name
 * forbids it. A PIN, password or token must not get as far as a validation message.
 */
import { type Refusal, jsonPointer } from "./refusal.js";

export const LIMITS = {
  /** One event as JSON, bytes. */
  eventBytes: 16 * 1024,
  depth: 16,
  /** Characters of one string. */
  stringLength: 512,
} as const;

/** Names, without case, `_` and `-`, under which somebody could send a secret. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  "pin",
  "pincode",
  "pinvalue",
  "newpin",
  "oldpin",
  "passcode",
  "passphrase",
  "password",
  "passwd",
  "pwd",
  "secret",
  "clientsecret",
  "token",
  "accesstoken",
  "refreshtoken",
  "idtoken",
  "bearer",
  "credential",
  "credentials",
  "otp",
  "digits",
]);

/** Names that reach an object's prototype in careless code. */
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** The first thing that forbids the value, or `undefined`. */
export function inspectJson(value: unknown): Refusal | undefined {
  const found = inspect(value, []);
  if (typeof found !== "number") return found;
  // Measuring means writing it out; next to no event comes near enough to the limit to need that.
  if (found <= LIMITS.eventBytes || Buffer.byteLength(JSON.stringify(value)) <= LIMITS.eventBytes) return undefined;
  return tooLarge(LIMITS.eventBytes);
}

export const tooLarge = (maxBytes: number): Refusal => ({
  code: "event.too_large",
  path: "",
  message: `more than ${maxBytes / 1024} KiB of JSON`,
  fix: `Keep each within ${maxBytes} bytes.`,
});

/** The most bytes of JSON that one character, and that a value or name around its characters, can take. */
const CHARACTER_BYTES = 6;
const VALUE_BYTES = 26;

/** The first refusal, or the bytes that the value takes as JSON at most. */
function inspect(value: unknown, path: readonly PropertyKey[]): Refusal | number {
  if (typeof value === "string") {
    if (value.length <= LIMITS.stringLength) return value.length * CHARACTER_BYTES + VALUE_BYTES;
    return {
      code: "event.too_large",
      path: jsonPointer(path),
      message: `a string of ${value.length} characters`,
      fix: `Keep strings within ${LIMITS.stringLength} characters.`,
    };
  }
  if (typeof value === "number" || typeof value === "bigint") {
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return VALUE_BYTES;
    return {
      code: "event.invalid",
      path: jsonPointer(path),
      message: "a number that can't be held exactly",
      fix: "Send whole numbers between -2^53 and 2^53.",
    };
  }
  if (typeof value !== "object" || value === null) return VALUE_BYTES;
  if (path.length >= LIMITS.depth) {
    return {
      code: "event.too_deep",
      path: jsonPointer(path),
      message: `nested deeper than ${LIMITS.depth} levels`,
      fix: "Send flat events; no event type nests this deep.",
    };
  }
  let bytes = VALUE_BYTES;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = inspect(value[index], [...path, index]);
      if (typeof found !== "number") return found;
      bytes += found;
    }
    return bytes;
  }
  for (const key of Object.keys(value)) {
    const found = inspectName(key, path) ?? inspect((value as Record<string, unknown>)[key], [...path, key]);
    if (typeof found !== "number") return found;
    bytes += found + key.length * CHARACTER_BYTES + VALUE_BYTES;
  }
  return bytes;
}

/** Verdicts by name, remembered: producers use the same few hundred names over and over. Bounded, as names come from outside. */
const verdicts = new Map<string, Refusal["code"] | null>();
const MAX_VERDICTS = 2_000;

function inspectName(key: string, path: readonly PropertyKey[]): Refusal | undefined {
  let code = verdicts.get(key);
  if (code === undefined) {
    code = FORBIDDEN_NAMES.has(key)
      ? "event.forbidden_key"
      : SECRET_NAMES.has(key.toLowerCase().replace(/[_-]/g, ""))
        ? "event.secret_field"
        : null;
    if (verdicts.size < MAX_VERDICTS) verdicts.set(key, code);
  }
  if (code === null) return undefined;
  return code === "event.secret_field"
    ? {
        code,
        path: jsonPointer([...path, key]),
        message: "a field whose name says that it holds a secret",
        fix: "Send no PIN, password or token. A PIN is told by its descriptor: length, kind, simple, hasDigit, hasLetter, hasSymbol, matchesHistory.",
      }
    : {
        code,
        path: jsonPointer([...path, key]),
        message: "a field name that is not allowed",
        fix: "Rename the field; `__proto__`, `constructor` and `prototype` are never taken.",
      };
}
