/** A chaos run as a picture: how many events were accepted each second, and what was broken meanwhile. */
import { FAULTS, type Fault } from "./nemesis.js";

export interface TimelineInput {
  /** Accepted in each second. */
  readonly perSecond: readonly number[];
  readonly faults: readonly Fault[];
  readonly title: string;
}

const WIDTH = 1_000;
const LEFT = 130;
const CHART_HEIGHT = 120;
const ROW = 18;
const TOP = 40;

/** An SVG document. */
export function timeline({ perSecond, faults, title }: TimelineInput): string {
  const seconds = Math.max(1, perSecond.length);
  const x = (ms: number): number => LEFT + (ms / 1_000 / seconds) * (WIDTH - LEFT - 10);
  const most = Math.max(1, ...perSecond);
  const y = (n: number): number => TOP + CHART_HEIGHT * (1 - n / most);
  const points = perSecond.map((n, second) => `${round(x(second * 1_000 + 500))},${round(y(n))}`).join(" ");
  const rows = FAULTS.filter((kind) => faults.some((fault) => fault.kind === kind));
  const rowY = (kind: string): number => TOP + CHART_HEIGHT + 24 + rows.indexOf(kind as (typeof rows)[number]) * ROW;
  const height = TOP + CHART_HEIGHT + 40 + rows.length * ROW;
  const ticks = Array.from({ length: Math.floor(seconds / 30) + 1 }, (_, n) => n * 30);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="10" y="20" font-size="14">${title}</text>`,
    `<text x="10" y="${TOP + 10}">events a second</text><text x="10" y="${TOP + 26}" fill="#777">most: ${most}</text>`,
    ...ticks.map((second) => {
      const at = round(x(second * 1_000));
      return `<line x1="${at}" x2="${at}" y1="${TOP}" y2="${height - 16}" stroke="#eee"/><text x="${at}" y="${height - 4}" fill="#777" text-anchor="middle">${second} s</text>`;
    }),
    `<polyline points="${points}" fill="none" stroke="#2563eb" stroke-width="1.5"/>`,
    ...rows.map((kind) => `<text x="10" y="${rowY(kind) + 4}">${kind}</text>`),
    ...faults.map(({ kind, what, from, to }) => {
      const width = Math.max(3, round(x(to) - x(from)));
      return `<rect x="${round(x(from))}" y="${rowY(kind) - 6}" width="${width}" height="12" rx="2" fill="#dc2626"><title>${kind}: ${what}</title></rect>`;
    }),
    "</svg>",
    "",
  ].join("\n");
}

const round = (value: number): number => Math.round(value * 10) / 10;
