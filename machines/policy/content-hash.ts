/**
 * Names a JSON value by its content: equal content, equal hash, in every process and release. It serves to tell rules apart and
 * is no security boundary: whoever can choose the content can make two values with one hash.
 */

/** JSON with sorted keys and without `undefined` members, so that equal content has one spelling. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}

const DIGITS = 10;
const HALF = 36 ** DIGITS;

/** 20 characters of `0-9a-z`: two independent mixes of 51 bits. */
export function contentHash(value: unknown): string {
  const text = canonicalJson(value);
  return half(text, 0x2f6e2b1) + half(text, 0x5bd1e995);
}

function half(text: string, seed: number): string {
  // Two 32-bit lanes, each multiplied by its own odd constant, and stirred into each other once more at the end.
  let a = seed ^ 0x9e3779b9;
  let b = seed ^ text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x85ebca6b);
    b = Math.imul(b ^ unit, 0xc2b2ae35);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ (b >>> 16), 0x27d4eb2f);
  b = Math.imul(b ^ (a >>> 15), 0x165667b1);
  a ^= a >>> 13;
  b ^= b >>> 16;
  const bits53 = (b >>> 11) * 2 ** 32 + (a >>> 0);
  return (bits53 % HALF).toString(36).padStart(DIGITS, "0");
}
