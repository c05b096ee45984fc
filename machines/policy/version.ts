/**
 * Versions of operating systems and apps, as devices and policies write them: `17`, `17.4.1`, `10.0.19041.1`. An iOS rapid
 * response adds a letter, `16.4.1.a` or `16.4.1 (a)`, and comes after the version without one.
 */
export interface Version {
  /** From the most significant; a missing part counts as 0. */
  readonly parts: readonly number[];
  /** Letter of a rapid response, lower case; `""`: none. */
  readonly suffix: string;
}

// Nine digits a part keep every part a safe integer; eight parts are twice what any store allows.
const VERSION = /^(\d{1,9}(?:\.\d{1,9}){0,7})(?:\.([a-z])| ?\(([a-z])\))?$/i;

/** `undefined`: the text is not a version. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text.trim());
  if (match?.[1] === undefined) return undefined;
  return { parts: match[1].split(".").map(Number), suffix: (match[2] ?? match[3] ?? "").toLowerCase() };
}

/** Negative: `a` is older than `b`; 0: they are equal (`17` equals `17.0`); positive: newer. */
export function compareVersions(a: Version, b: Version): number {
  const length = Math.max(a.parts.length, b.parts.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (a.parts[index] ?? 0) - (b.parts[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.suffix === b.suffix) return 0;
  return a.suffix < b.suffix ? -1 : 1;
}
