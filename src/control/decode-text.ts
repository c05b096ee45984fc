/** Bytes of a file as text: tools write JSON as UTF-8 or UTF-16, with a byte order mark or without. */

/** Enough to see where the zero bytes of ASCII in UTF-16 stand. */
const SAMPLE_BYTES = 4;

/** @throws TypeError if the bytes are not text in the encoding that they seem to be in */
export function decodeText(bytes: Uint8Array): string {
  // Removes a byte order mark, too.
  return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
}

/** By the mark that the bytes begin with, or by where JSON's first characters have their zero bytes. */
export function encodingOf(bytes: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  // JSON begins with ASCII, of which UTF-16 makes one zero byte a character.
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  if (sample.length < 2) return "utf-8";
  if (first !== 0 && second === 0) return "utf-16le";
  return first === 0 && second !== 0 ? "utf-16be" : "utf-8";
}
