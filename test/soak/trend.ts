/** Whether a figure grows: a straight line through what was seen, and what it says of how long it can go on. */
import { DELIVERED_KEPT } from "../../src/effects/delivery-queue.js";
import { FIGURES, type FigureName, type Look, type Unit } from "./figures.js";

export interface Sighting {
  /** Ms since the run began. */
  readonly at: number;
  readonly figures: Look;
}

export interface Trend {
  /** `rss worker-1`. */
  readonly figure: string;
  readonly unit: Unit;
  readonly first: number;
  readonly last: number;
  /** Over the second half, as is all that follows. */
  readonly mean: number;
  /** Least squares. */
  readonly slopePerHour: number;
  /** How much of a rise that is over the half. */
  readonly rise: number;
  /** Up to this rise it is flat; `null`: it may grow. */
  readonly allowed: number | null;
  /** `bounded`: it rises, and stays below what Gatehouse keeps of it at most. */
  readonly verdict: "flat" | "bounded" | "grows" | "reported";
}

/** Of its mean a figure may rise by so much within half a run. */
const ALLOWED_SHARE = 0.1;
/** The heap saws: what is left after a collection is the least of some looks in a row. */
const HEAP_LOOKS = 6;
const HOUR_MS = 3_600_000;
/** What takes longer than a run to fill, and how much of it is kept at most: the one endpoint's log of deliveries. */
const BOUNDS: ReadonlyMap<string, number> = new Map([
  ["held delivery.delivered", DELIVERED_KEPT],
  ["held delivery.deliveries", DELIVERED_KEPT + 1_000],
]);

export function trends(sightings: readonly Sighting[]): readonly Trend[] {
  const names = new Set(sightings.flatMap(({ figures }) => [...figures.keys()]));
  return [...names].map((figure) => trendOf(figure, sightings)).toSorted(byKind);
}

function trendOf(figure: string, sightings: readonly Sighting[]): Trend {
  const kind = figure.split(" ", 1)[0] as FigureName;
  const { unit, allowance } = FIGURES[kind];
  // A kind of key that is not there has no keys.
  const isOfRedis = kind === "keys" || kind === "held";
  const all = sightings.flatMap(({ at, figures }) => {
    const value = figures.get(figure) ?? (isOfRedis ? 0 : undefined);
    return value === undefined ? [] : [{ at, value }];
  });
  const points = kind === "heap" ? least(all, HEAP_LOOKS) : all;
  const endsAt = sightings.at(-1)?.at ?? 0;
  const half = points.filter(({ at }) => at >= endsAt / 2);
  const mean = meanOf(half.map(({ value }) => value));
  const slope = slopeOf(half);
  const rise = slope * ((half.at(-1)?.at ?? 0) - (half[0]?.at ?? 0));
  const allowed = allowance === null ? null : Math.max(allowance, ALLOWED_SHARE * mean);
  return {
    figure,
    unit,
    first: all[0]?.value ?? 0,
    last: all.at(-1)?.value ?? 0,
    mean: Math.round(mean),
    slopePerHour: Math.round(slope * HOUR_MS),
    rise: Math.round(rise),
    allowed: allowed === null ? null : Math.round(allowed),
    verdict: verdictOf(),
  };

  function verdictOf(): Trend["verdict"] {
    if (allowed === null) return "reported";
    if (rise <= allowed) return "flat";
    const bound = BOUNDS.get(figure);
    return bound !== undefined && all.every(({ value }) => value <= bound) ? "bounded" : "grows";
  }
}

interface Point {
  readonly at: number;
  readonly value: number;
}

/** The least of each so many in a row. */
function least(points: readonly Point[], many: number): readonly Point[] {
  const found: Point[] = [];
  for (let n = 0; n < points.length; n += many) {
    const some = points.slice(n, n + many);
    found.push(some.reduce((lower, point) => (point.value < lower.value ? point : lower)));
  }
  return found;
}

/** Of the line with the least squares, per ms; 0 for fewer than two points. */
export function slopeOf(points: readonly Point[]): number {
  const at = meanOf(points.map((point) => point.at));
  const value = meanOf(points.map((point) => point.value));
  const spread = points.reduce((sum, point) => sum + (point.at - at) ** 2, 0);
  if (spread === 0) return 0;
  return points.reduce((sum, point) => sum + (point.at - at) * (point.value - value), 0) / spread;
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function byKind(a: Trend, b: Trend): number {
  const order = Object.keys(FIGURES);
  const rank = ({ figure }: Trend): number => order.indexOf(figure.split(" ", 1)[0] ?? "");
  return rank(a) - rank(b) || a.figure.localeCompare(b.figure);
}
