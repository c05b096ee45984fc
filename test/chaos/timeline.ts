/** A chaos run as a picture: what was accepted and answered each second, what was broken meanwhile, and how long it took to get over it. */
import { escape, round, roundUp, style, timeMarks, widthOf } from "./ink.js";
import type { Tally } from "./load.js";
import { FAULTS, type Fault, type FaultKind } from "./nemesis.js";

export interface TimelineInput {
  readonly perSecond: readonly Tally[];
  readonly faults: readonly Fault[];
  readonly title: string;
}

const WIDTH = 1_000;
const LEFT = 150;
const RIGHT = 92;
const TOP = 84;
const EVENTS_HEIGHT = 130;
const ANSWERS_HEIGHT = 90;
const GAP = 34;
const ROW = 20;
/** A fault that is over at once is still to be seen. */
const NARROWEST = 3;

/** What breaks alike has one colour. */
const FAMILY: Record<FaultKind, "process" | "redis" | "network" | "around"> = {
  workerKilled: "process",
  workerPaused: "process",
  apiKilled: "process",
  apiPaused: "process",
  redisKilled: "redis",
  tailTorn: "redis",
  memoryFull: "redis",
  linkCut: "network",
  linkSilent: "network",
  repliesLost: "network",
  requestsLost: "network",
  linkSlow: "network",
  replySwallowed: "network",
  requestTorn: "network",
  queuesDeleted: "around",
  receiverDown: "around",
};
const FAMILIES = [
  ["process", "processes"],
  ["redis", "Redis"],
  ["network", "links"],
  ["around", "queues, receiver"],
] as const;
/** From the ground up. */
const ANSWERS = [
  ["allowed", "allowed"],
  ["denied", "denied"],
  ["doubted", "denied in doubt"],
] as const;

const COLOURS = {
  events: ["#2563eb", "#60a5fa"],
  allowed: ["#16a34a", "#4ade80"],
  denied: ["#94a3b8", "#64748b"],
  doubted: ["#f59e0b", "#fbbf24"],
  process: ["#e11d48", "#fb7185"],
  redis: ["#9333ea", "#c084fc"],
  network: ["#0891b2", "#22d3ee"],
  around: ["#b45309", "#fb923c"],
} as const;

/** An SVG document. */
export function timeline({ perSecond, faults, title }: TimelineInput): string {
  const seconds = Math.max(1, perSecond.length, ...faults.map(({ to }) => Math.ceil(to / 1_000)));
  const x = (ms: number): number => LEFT + Math.min(1, ms / 1_000 / seconds) * (WIDTH - LEFT - RIGHT);
  const rows = FAULTS.filter((kind) => faults.some((fault) => fault.kind === kind));
  const eventsTop = TOP;
  const answersTop = eventsTop + EVENTS_HEIGHT + GAP;
  const rowsTop = answersTop + ANSWERS_HEIGHT + GAP;
  const bottom = rowsTop + rows.length * ROW + 4;
  const height = bottom + 30;
  const chart = { perSecond, x };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    style(COLOURS),
    `<rect width="${WIDTH}" height="${height}" rx="8" class="ground"/>`,
    `<text class="title" x="20" y="30">${escape(title)}</text>`,
    ...legend(),
    ...axis(seconds, x, bottom),
    ...faults.map((fault) => span(fault, x, eventsTop, answersTop + ANSWERS_HEIGHT - eventsTop, 0.09)),
    ...eventsPanel(chart, eventsTop),
    ...answersPanel(chart, answersTop),
    ...faultsPanel(rows, faults, x, rowsTop),
    "</svg>",
    "",
  ].join("\n");
}

function legend(): string[] {
  const parts: string[] = [];
  let x = 20;
  const entry = (mark: (at: number) => string, words: string): void => {
    parts.push(mark(x), `<text class="soft" x="${x + 17}" y="56">${words}</text>`);
    x += 30 + widthOf(words);
  };
  const box = (fill: string, opacity = 1) => {
    return (at: number): string =>
      `<rect x="${at}" y="47" width="12" height="10" rx="2" class="fill-${fill}" opacity="${opacity}"/>`;
  };
  for (const [family, words] of FAMILIES) entry(box(family), words);
  entry(box("soft", 0.35), "until every device was heard again");
  for (const [name, words] of ANSWERS) entry(box(name), words);
  return parts;
}

function axis(seconds: number, x: (ms: number) => number, bottom: number): string[] {
  return timeMarks(seconds, 10).map(({ second, words }) => {
    const at = round(x(second * 1_000));
    return `<line class="line" x1="${at}" x2="${at}" y1="${TOP}" y2="${bottom}"/><text class="soft" x="${at}" y="${bottom + 16}" text-anchor="middle">${words}</text>`;
  });
}

interface Chart {
  readonly perSecond: readonly Tally[];
  readonly x: (ms: number) => number;
}

function eventsPanel({ perSecond, x }: Chart, top: number): string[] {
  const most = roundUp(Math.max(1, ...perSecond.map(({ events }) => events)));
  const y = (n: number): number => top + EVENTS_HEIGHT * (1 - n / most);
  const points = perSecond.map(({ events }, second) => `${round(x(second * 1_000 + 500))},${round(y(events))}`);
  return [
    ...panelFrame(top, EVENTS_HEIGHT, most, "events", "accepted a second"),
    area(points, perSecond.length, x, top + EVENTS_HEIGHT, "events", 0.14),
    `<polyline points="${points.join(" ")}" class="stroke-events" fill="none" stroke-width="1.8" stroke-linejoin="round"/>`,
  ];
}

function answersPanel({ perSecond, x }: Chart, top: number): string[] {
  const most = roundUp(Math.max(1, ...perSecond.map(({ allowed, denied, doubted }) => allowed + denied + doubted)));
  const y = (n: number): number => top + ANSWERS_HEIGHT * (1 - n / most);
  const layers: string[] = [];
  const ground = perSecond.map(() => 0);
  for (const [name] of ANSWERS) {
    const at = (second: number, n: number): string => `${round(x(second * 1_000 + 500))},${round(y(n))}`;
    const lower = ground.map((n, second) => at(second, n)).toReversed();
    perSecond.forEach((second, n) => (ground[n] = (ground[n] ?? 0) + second[name]));
    const upper = ground.map((n, second) => at(second, n));
    layers.push(`<polygon points="${[...upper, ...lower].join(" ")}" class="fill-${name}" opacity="0.85"/>`);
  }
  return [...panelFrame(top, ANSWERS_HEIGHT, most, "decisions", "given a second"), ...layers];
}

function panelFrame(top: number, height: number, most: number, head: string, unit: string): string[] {
  const bottom = top + height;
  return [
    `<line class="line" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${top}" y2="${top}"/>`,
    `<line class="line" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${bottom}" y2="${bottom}"/>`,
    `<text class="head" x="20" y="${top + 24}">${head}</text><text class="soft" x="20" y="${top + 40}">${unit}</text>`,
    `<text class="soft" x="${LEFT - 8}" y="${top + 4}" text-anchor="end">${most.toLocaleString("en")}</text>`,
    `<text class="soft" x="${LEFT - 8}" y="${bottom + 4}" text-anchor="end">0</text>`,
  ];
}

function faultsPanel(
  rows: readonly FaultKind[],
  faults: readonly Fault[],
  x: (ms: number) => number,
  top: number,
): string[] {
  return [
    `<text class="soft" x="${WIDTH - 16}" y="${top - 8}" text-anchor="end">recovery, at most</text>`,
    ...rows.flatMap((kind, n) => {
      const middle = top + n * ROW + ROW / 2;
      const those = faults.filter((fault) => fault.kind === kind);
      const longest = Math.max(...those.map(({ recoveryMs }) => recoveryMs ?? 0));
      return [
        `<line class="line" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${middle}" y2="${middle}"/>`,
        `<text x="20" y="${middle + 4}">${wordsOf(kind)}</text>`,
        `<text class="soft" x="${LEFT - 8}" y="${middle + 4}" text-anchor="end">×${those.length}</text>`,
        ...those.flatMap((fault) => [
          recovery(fault, x, middle),
          span(fault, x, middle - 6, 12, 1, `${wordsOf(kind)}: ${fault.what}`),
        ]),
        `<text class="soft" x="${WIDTH - 16}" y="${middle + 4}" text-anchor="end">${(longest / 1_000).toFixed(1)} s</text>`,
      ];
    }),
  ];
}

function recovery({ kind, to, recoveryMs = 0 }: Fault, x: (ms: number) => number, middle: number): string {
  const width = round(Math.max(0, x(to + recoveryMs) - x(to)));
  return `<rect x="${round(x(to))}" y="${middle - 4}" width="${width}" height="8" class="fill-${FAMILY[kind]}" opacity="0.35"/>`;
}

function span(
  { kind, from, to }: Fault,
  x: (ms: number) => number,
  top: number,
  height: number,
  opacity: number,
  words?: string,
): string {
  const width = Math.max(NARROWEST, round(x(to) - x(from)));
  const title = words === undefined ? "" : `<title>${escape(words)}</title>`;
  return `<rect x="${round(x(from))}" y="${top}" width="${width}" height="${height}"${height < 20 ? ' rx="2"' : ""} class="fill-${FAMILY[kind]}" opacity="${opacity}">${title}</rect>`;
}

function area(
  points: readonly string[],
  seconds: number,
  x: (ms: number) => number,
  ground: number,
  fill: string,
  opacity: number,
): string {
  if (seconds === 0) return "";
  const corners = [`${round(x(500))},${ground}`, ...points, `${round(x(seconds * 1_000 - 500))},${ground}`];
  return `<polygon points="${corners.join(" ")}" class="fill-${fill}" opacity="${opacity}"/>`;
}

/** `workerKilled` as people say it. */
const wordsOf = (kind: FaultKind): string =>
  kind
    .replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replace(/^redis/, "Redis")
    .replace(/^api/, "API");
