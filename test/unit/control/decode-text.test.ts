/** Exports come in the encodings of the tools that wrote them. */
import { expect, test } from "vitest";
import { decodeText } from "../../../src/control/decode-text.js";

const TEXT = '{"displayName":"Größe ✓"}';
const utf16 = (order: "le" | "be", mark: boolean): Uint8Array => {
  const bytes = Buffer.from((mark ? "\uFEFF" : "") + TEXT, "utf16le");
  return order === "le" ? bytes : bytes.swap16();
};

test.each([
  ["UTF-8", Buffer.from(TEXT)],
  ["UTF-8 with a byte order mark", Buffer.from(`\uFEFF${TEXT}`)],
  ["UTF-16, little end first", utf16("le", true)],
  ["UTF-16, big end first", utf16("be", true)],
  ["UTF-16, little end first, without a mark", utf16("le", false)],
  ["UTF-16, big end first, without a mark", utf16("be", false)],
])("%s", (_, bytes) => expect(decodeText(bytes)).toBe(TEXT));

test("bytes that are no text are refused", () => {
  expect(() => decodeText(Uint8Array.of(0x7b, 0xff, 0x7d))).toThrow(TypeError);
});

test.each([[[]], [[0x7b]]])("as little as %j is read", (bytes) => {
  expect(decodeText(Uint8Array.from(bytes))).toBe(String.fromCodePoint(...bytes));
});
