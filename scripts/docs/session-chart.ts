/**
 * docs/session-chart.svg: the session chart, drawn from itself. The settle ladder with its rungs, the seven states, and in each state the
 * events that it answers on its own.
 */
import { format } from "node:util";
import { STATE_NAMES, type StateName } from "../../machines/session/context.js";
import { sessionChart } from "../../machines/session/chart.js";

interface Row {
  readonly event: string;
  readonly guard: string | undefined;
  readonly target: string | undefined;
}

interface RawTransition {
  readonly guard?: string;
  readonly target?: string;
  readonly actions?: unknown;
}

interface RawState {
  readonly on?: Readonly<Record<string, RawTransition | readonly RawTransition[]>>;
  readonly always?: RawTransition | readonly RawTransition[];
  readonly after?: Readonly<Record<string, RawTransition | readonly RawTransition[]>>;
  readonly states?: Readonly<Record<string, RawState>>;
}

const config = sessionChart.config as unknown as RawState;
const states = config.states as Readonly<Record<StateName | "settling", RawState>>;

const list = <Item>(one: Item | readonly Item[]): readonly Item[] => (Array.isArray(one) ? one : [one as Item]);

/** A transition's target as a reader names it, without XState's markers. */
const targetName = (target: string | undefined): string | undefined => target?.replace(/^(#session)?\./, "");

function rowsOf(state: RawState): readonly Row[] {
  const rows = (event: string, transitions: RawTransition | readonly RawTransition[]): readonly Row[] =>
    list(transitions)
      .filter(({ target, actions }) => target !== undefined || actions !== undefined)
      .map(({ guard, target }) => ({ event, guard, target: targetName(target) }));
  return [
    ...rows("at once", state.always ?? []),
    ...Object.entries(state.on ?? {}).flatMap(([event, transitions]) => rows(event, transitions)),
    ...Object.entries(state.after ?? {}).flatMap(([delay, transitions]) => rows(`after ${delay}`, transitions)),
    ...Object.entries(state.states ?? {}).flatMap(([child, inner]) =>
      rowsOf(inner).map((row) => ({ ...row, event: `${child}: ${row.event}` })),
    ),
  ];
}

const ROW_HEIGHT = 17;
const LADDER = { x: 24, width: 250 };
const BOX = { x: 400, width: 610 };
const COLOURS: Readonly<Record<StateName, string>> = {
  signedOut: "#6b7280",
  noncompliant: "#b91c1c",
  remediating: "#c2410c",
  unenrolled: "#475569",
  pinSetup: "#1d4ed8",
  locked: "#7c3aed",
  active: "#15803d",
};
const MEANINGS: Readonly<Record<StateName, string>> = {
  signedOut: "the session ended; a sign-in begins it anew",
  noncompliant: "a verdict that blocks stands",
  remediating: "one remediation attempt runs",
  unenrolled: "no policy is in force for this account",
  pinSetup: "a policy is in force, no acceptable PIN",
  locked: "PIN or credentials are due",
  active: "corporate data may be shown",
};
/** Top to bottom as the ladder leads to them. */
const ORDER: readonly StateName[] = [
  "signedOut",
  "noncompliant",
  "remediating",
  "unenrolled",
  "pinSetup",
  "locked",
  "active",
];

const escape = (text: string): string =>
  text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? sign);

function text(x: number, y: number, words: string, attributes = ""): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escape(words)}</text>`;
}

function draw(): string {
  const parts: string[] = [];
  const boxTop = new Map<StateName, number>();
  let y = 70;
  for (const name of ORDER) {
    const rows = rowsOf(states[name]);
    const height = 34 + Math.max(1, rows.length) * ROW_HEIGHT + 8;
    boxTop.set(name, y);
    parts.push(
      `<rect x="${BOX.x}" y="${y}" width="${BOX.width}" height="${height}" rx="8" fill="#fff" stroke="${COLOURS[name]}" stroke-width="2"/>`,
      text(BOX.x + 14, y + 23, name, `class="state" fill="${COLOURS[name]}"`),
      text(BOX.x + BOX.width - 14, y + 23, MEANINGS[name], 'class="note" text-anchor="end"'),
    );
    rows.forEach(({ event, guard, target }, index) => {
      const rowY = y + 34 + (index + 0.75) * ROW_HEIGHT;
      parts.push(text(BOX.x + 14, rowY, event, 'class="event"'));
      if (guard !== undefined) parts.push(text(BOX.x + 270, rowY, guard, 'class="guard"'));
      parts.push(text(BOX.x + 440, rowY, target === undefined ? "stays" : `→ ${target}`, 'class="target"'));
    });
    if (rows.length === 0) parts.push(text(BOX.x + 14, y + 46, "answers what every state answers", 'class="note"'));
    y += height + 14;
  }
  const bottom = y;

  const rungs = list(states.settling.always ?? []).filter(({ target }) => target !== undefined);
  const rungGap = (bottom - 150) / rungs.length;
  parts.push(
    `<rect x="${LADDER.x}" y="70" width="${LADDER.width}" height="${bottom - 84}" rx="8" fill="#f8fafc" stroke="#0f172a" stroke-width="2"/>`,
    text(LADDER.x + 14, 93, "settling", 'class="state"'),
    text(LADDER.x + 14, 110, "the ladder: the first rung that holds", 'class="note"'),
  );
  rungs.forEach(({ guard, target = "" }, index) => {
    const rungY = 140 + index * rungGap;
    const [state = ""] = target.split(".");
    const colour = COLOURS[state as StateName];
    const endY = (boxTop.get(state as StateName) ?? 0) + 17;
    const startX = LADDER.x + LADDER.width;
    parts.push(
      text(LADDER.x + 14, rungY + 4, `${index + 1}. ${guard ?? "else"}`, 'class="event"'),
      format(
        '<path d="M %d %d C %d %d, %d %d, %d %d" fill="none" stroke="%s" stroke-width="1.6" marker-end="url(#arrow)"/>',
        startX,
        rungY,
        startX + 60,
        rungY,
        BOX.x - 60,
        endY,
        BOX.x - 3,
        endY,
        colour,
      ),
    );
  });

  const settles = Object.entries(config.on ?? {}).filter(([, transitions]) =>
    list(transitions).some(({ target }) => target === ".settling"),
  ).length;
  const total = Object.keys(config.on ?? {}).length;
  const width = BOX.x + BOX.width + 24;
  const height = bottom + 16;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Statechart of a session">`,
    "<style>text{font:13px ui-sans-serif,system-ui,sans-serif;fill:#0f172a}.state{font-weight:700;font-size:16px}.note{fill:#64748b;font-size:12px}.event{font-size:12px}.guard{font-size:12px;fill:#64748b;font-style:italic}.target{font-size:12px;font-weight:600}</style>",
    '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M 0 0 L 10 5 L 0 10 z" fill="#334155"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(24, 30, "A session, as machines/session/chart.ts defines it", 'class="state"'),
    text(
      24,
      50,
      `In every state but signedOut ${total} events are answered alike; ${settles} of them record facts and ask the ladder anew. Each box adds what that state answers on its own.`,
      'class="note"',
    ),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

/** @throws Error if the chart has a state that the picture does not know */
export function sessionChartPicture(): string {
  if (STATE_NAMES.length !== ORDER.length) throw new Error("the picture does not show every state");
  return draw();
}
