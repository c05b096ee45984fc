/** Objects that say one key twice: readers differ in which one they believe. */

/** `JSON.parse` keeps the last of equal keys, so the text has more keys than the value. The text is known to be JSON. */
export function saysKeyTwice(text: string, value: unknown): boolean {
  return keysIn(text) !== keysOf(value);
}

const BACKSLASH = 0x5c;
const COLON = 0x3a;

function keysIn(text: string): number {
  let keys = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at)) {
    at = text.indexOf('"', at + 1);
    while (isEscaped(text, at)) at = text.indexOf('"', at + 1);
    at++;
    while (isSpace(text.charCodeAt(at))) at++;
    if (text.charCodeAt(at) === COLON) keys++;
  }
  return keys;
}

/** Behind an odd number of backslashes. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** Without recursion: how deep a value is nested, its sender decides. */
function keysOf(value: unknown): number {
  let keys = 0;
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== "object" || next === null) continue;
    const isList = Array.isArray(next);
    for (const key in next) {
      if (!isList) keys++;
      const inner: unknown = next[key as never];
      if (typeof inner === "object") left.push(inner);
    }
  }
  return keys;
}
