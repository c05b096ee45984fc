/** How the runs' pictures are drawn: readable on light and on dark ground, whichever the reader has, by any program that shows an SVG. */

/** On light ground, and on dark. */
type Colour = readonly [string, string];

const TEXT = {
  ink: ["#1f2937", "#e2e8f0"],
  soft: ["#6b7280", "#94a3b8"],
} as const satisfies Record<string, Colour>;
const GROUND: Colour = ["#ffffff", "#0f172a"];
const LINE: Colour = ["#e5e7eb", "#263247"];

/** The classes `fill-<name>` and `stroke-<name>` of each colour, and those of texts. */
export function style(colours: Readonly<Record<string, Colour>>): string {
  const rules = (ground: 0 | 1): string =>
    [
      `.ground{fill:${GROUND[ground]}}`,
      `.line{stroke:${LINE[ground]}}`,
      `text{fill:${TEXT.ink[ground]}}`,
      `.soft{fill:${TEXT.soft[ground]}}`,
      ...Object.entries({ ...colours, soft: TEXT.soft }).map(
        ([name, colour]) => `.fill-${name}{fill:${colour[ground]}}.stroke-${name}{stroke:${colour[ground]}}`,
      ),
    ].join("\n");
  return [
    "<style>",
    'text{font:12px system-ui,-apple-system,"Segoe UI","Helvetica Neue",sans-serif}',
    ".title{font-size:17px;font-weight:600}.head{font-weight:600}.soft{font-size:11px}",
    rules(0),
    `@media (prefers-color-scheme:dark){${rules(1)}}`,
    "</style>",
  ].join("\n");
}

/** About what a small text takes, in px. */
export const widthOf = (text: string): number => text.length * 5.9;

/** For places in a drawing. */
export const round = (value: number): number => Math.round(value * 10) / 10;

export const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** Rounded up to two figures. */
export function roundUp(n: number): number {
  const unit = 10 ** (Math.floor(Math.log10(n)) - 1);
  return Math.ceil(n / unit - 1e-9) * unit;
}

/** Where an axis of so many seconds has its marks, and what they say: at most `most` and one. */
export function timeMarks(
  seconds: number,
  most: number,
): readonly { readonly second: number; readonly words: string }[] {
  const every =
    [5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600].find((step) => seconds / step <= most) ?? 2 * 3_600;
  return Array.from({ length: Math.floor(seconds / every) + 1 }, (_, n) => {
    const second = n * every;
    return { second, words: `${Math.floor(second / 60)}:${String(second % 60).padStart(2, "0")}` };
  });
}
