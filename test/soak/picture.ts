/** A soak run as a picture: a panel for each kind of figure, a line for each figure. */
import { escape, round, roundUp, style, timeMarks, widthOf } from "../chaos/ink.js";
import { FIGURES, type FigureName, type Unit } from "./figures.js";
import type { Sighting } from "./trend.js";

export interface PictureInput {
  readonly sightings: readonly Sighting[];
  readonly title: string;
}

const WIDTH = 1_000;
const COLUMNS = 2;
const MARGIN = 20;
const LEFT = 62;
const PANEL_WIDTH = (WIDTH - 2 * MARGIN) / COLUMNS;
const PANEL_HEIGHT = 118;
const HEAD = 44;
const ROW = HEAD + PANEL_HEIGHT + 34;
const TOP = 48;
/** Lines of a panel, at most: those that are highest. */
const MOST_LINES = 6;
const LEGEND_GAP = 30;

const COLOURS = {
  a: ["#2563eb", "#60a5fa"],
  b: ["#e11d48", "#fb7185"],
  c: ["#16a34a", "#4ade80"],
  d: ["#9333ea", "#c084fc"],
  e: ["#b45309", "#fb923c"],
  f: ["#0891b2", "#22d3ee"],
} as const;
const COLOUR_NAMES = Object.keys(COLOURS);

/** An SVG document. */
export function picture({ sightings, title }: PictureInput): string {
  const kinds = (Object.keys(FIGURES) as FigureName[]).filter((kind) => namesOf(kind, sightings).length > 0);
  const height = TOP + Math.ceil(kinds.length / COLUMNS) * ROW + 6;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    style(COLOURS),
    `<rect width="${WIDTH}" height="${height}" rx="8" class="ground"/>`,
    `<text class="title" x="${MARGIN}" y="30">${escape(title)}</text>`,
    ...kinds.flatMap((kind, n) =>
      panel(kind, sightings, MARGIN + (n % COLUMNS) * PANEL_WIDTH, TOP + Math.floor(n / COLUMNS) * ROW),
    ),
    "</svg>",
    "",
  ].join("\n");
}

function panel(kind: FigureName, sightings: readonly Sighting[], left: number, top: number): string[] {
  const { unit, what } = FIGURES[kind];
  const names = namesOf(kind, sightings);
  const seconds = Math.max(1, (sightings.at(-1)?.at ?? 0) / 1_000);
  const values = names.flatMap((name) => sightings.map(({ figures }) => figures.get(name) ?? 0));
  const scale = unit === "bytes" ? 1_048_576 : 1;
  const most = roundUp(Math.max(1, ...values) / scale) * scale;
  const right = left + PANEL_WIDTH - 16;
  const ground = top + HEAD + PANEL_HEIGHT;
  const x = (ms: number): number => left + LEFT + (ms / 1_000 / seconds) * (right - left - LEFT);
  const y = (value: number): number => ground - (value / most) * PANEL_HEIGHT;
  let legendX = left;
  const legend = names.flatMap((name, n) => {
    const words = wordsOfFigure(name, kind);
    if (words === "") return [];
    const at = legendX;
    legendX += LEGEND_GAP + widthOf(words);
    return [
      `<rect x="${round(at)}" y="${top + 26}" width="12" height="10" rx="2" class="fill-${COLOUR_NAMES[n]}"/>`,
      `<text class="soft" x="${round(at + 17)}" y="${top + 35}">${escape(words)}</text>`,
    ];
  });
  return [
    `<text class="head" x="${left}" y="${top + 16}">${what}</text>`,
    ...legend,
    ...timeMarks(Math.floor(seconds), 6).map(({ second, words }) => {
      const at = round(x(second * 1_000));
      return `<line class="line" x1="${at}" x2="${at}" y1="${top + HEAD}" y2="${ground}"/><text class="soft" x="${at}" y="${ground + 15}" text-anchor="middle">${words}</text>`;
    }),
    `<line class="line" x1="${left + LEFT}" x2="${right}" y1="${top + HEAD}" y2="${top + HEAD}"/>`,
    `<line class="line" x1="${left + LEFT}" x2="${right}" y1="${ground}" y2="${ground}"/>`,
    `<text class="soft" x="${left + LEFT - 6}" y="${top + HEAD + 4}" text-anchor="end">${wordsOf(most, unit)}</text>`,
    `<text class="soft" x="${left + LEFT - 6}" y="${ground + 4}" text-anchor="end">0</text>`,
    ...names.map((name, n) => {
      const points = sightings.flatMap(({ at, figures }) => {
        const value = figures.get(name);
        return value === undefined ? [] : [`${round(x(at))},${round(y(value))}`];
      });
      return `<polyline points="${points.join(" ")}" class="stroke-${COLOUR_NAMES[n]}" fill="none" stroke-width="1.6" stroke-linejoin="round"/>`;
    }),
  ];
}

/** `held partition.seen` → `seen`: what no other of the kind is called. */
const wordsOfFigure = (name: string, kind: FigureName): string => name.slice(kind.length + 1).replace("partition.", "");

/** The highest figures of a kind, as many as there is room to name. */
function namesOf(kind: FigureName, sightings: readonly Sighting[]): readonly string[] {
  const highest = new Map<string, number>();
  for (const { figures } of sightings) {
    for (const [name, value] of figures) {
      if (name.split(" ", 1)[0] === kind) highest.set(name, Math.max(value, highest.get(name) ?? 0));
    }
  }
  const ranked = [...highest].toSorted(([, a], [, b]) => b - a).map(([name]) => name);
  let room = PANEL_WIDTH;
  return ranked
    .slice(0, MOST_LINES)
    .filter((name) => (room -= LEGEND_GAP + widthOf(wordsOfFigure(name, kind))) > 0)
    .toSorted();
}

function wordsOf(value: number, unit: Unit): string {
  return unit === "bytes" ? `${Number((value / 1_048_576).toFixed(2))} MiB` : value.toLocaleString("en");
}
