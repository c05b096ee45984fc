/** Text fits a terminal of 80 columns. */
import { expect, test } from "vitest";
import { columns, duration, wrapLine } from "../../../src/cli/terminal.js";

test("columns are as wide as they need to be, and the last one wraps beneath itself", () => {
  const lines = columns([
    ["one", "a"],
    ["three", "word ".repeat(30).trim()],
  ]);
  expect(lines[0]).toBe("one    a");
  expect(lines[1]).toMatch(/^three {2}word/);
  expect(lines[2]).toMatch(/^ {7}word/);
  expect(lines.every((line) => line.length <= 80)).toBe(true);
});

test("a wrapped line goes on beneath its own text", () => {
  const lines = wrapLine(`  08:00:00  ${"word ".repeat(30).trim()}`, 10);
  expect(lines[0]).toMatch(/^ {2}08:00:00 {2}word/);
  expect(lines[1]).toMatch(/^ {12}word/);
  expect(lines.every((line) => line.length <= 80)).toBe(true);
});

test.each([
  [0, "0 ms"],
  [59_000, "59 s"],
  [3_599_000, "59 min 59 s"],
  [14_400_000, "4 h"],
  [90 * 86_400_000 - 1, "89 d 23 h"],
])("%d ms are %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});
