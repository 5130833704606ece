/** Whether a figure grows: a straight line through what was measured after the warm-up, and how sure that is. */
import type { Figure } from './figures.ts';

export interface Point {
  /** Wall ms. */
  readonly atMs: number;
  readonly value: number;
}

export interface Verdict {
  readonly outcome: 'flat' | 'grows' | 'too much' | 'not measured' | 'too short';
  /** By the line, in units; and what it is for sure (one chance in forty that it is less). */
  readonly growth: number;
  readonly growthLeast: number;
  /** How much it may be in that time. */
  readonly allowed: number;
  /** By the line, at its beginning and its end. */
  readonly from: Point;
  readonly to: Point;
  readonly most: number;
}

/** Whether the promise of bounds is broken, or was not looked at. */
export const isBad = (outcome: Verdict['outcome']): boolean =>
  ['grows', 'too much', 'not measured'].includes(outcome);

/** Neighbours are alike, as one fault shows in several: the line is drawn through medians of so many stretches. */
const STRETCHES = 24;
const STRETCHES_MIN = 8;
const HOUR_MS = 3_600_000;
/** Student's t for one in forty, at 6 and at 22 degrees of freedom: in between it is nearly straight. */
const T = { few: 2.45, many: 2.07 };

/** A quarter of the time, at least a minute: compiled code, buffers and pools that fill, and a backfill. */
export const warmUpMs = (forMs: number): number => Math.max(60_000, forMs / 4);

/** What becomes of a figure from `sinceMs` on. */
export function verdictOf(figure: Figure, points: readonly Point[], sinceMs: number): Verdict {
  const warm = points.filter(({ atMs }) => atMs >= sinceMs);
  const most = Math.max(...points.map(({ value }) => value), 0);
  const medians = mediansOf(warm);
  const [first, last] = [warm[0], warm.at(-1)];
  const allowed = figure.once + (figure.perHour ?? 0) * (((last?.atMs ?? 0) - (first?.atMs ?? 0)) / HOUR_MS);
  if (first === undefined || last === undefined || medians.length < STRETCHES_MIN) {
    const nowhere = { atMs: sinceMs, value: first?.value ?? 0 };
    const outcome = points.length === 0 ? 'not measured' : most > figure.most ? 'too much' : 'too short';
    return { outcome, growth: 0, growthLeast: 0, allowed, from: nowhere, to: nowhere, most };
  }
  const line = lineThrough(medians);
  const lastedMs = last.atMs - first.atMs;
  const at = (atMs: number): Point => ({ atMs, value: line.value + line.slope * (atMs - line.atMs) });
  const growth = line.slope * lastedMs;
  const growthLeast = Math.sign(growth) * Math.max(0, Math.abs(growth) - line.error * lastedMs);
  const facts = { growth, growthLeast, allowed, from: at(first.atMs), to: at(last.atMs), most };
  if (most > figure.most) return { outcome: 'too much', ...facts };
  if (lastedMs < figure.windowMs) return { outcome: 'too short', ...facts };
  return { outcome: figure.perHour !== undefined && growthLeast > allowed ? 'grows' : 'flat', ...facts };
}

/** Medians do not see the spikes of single faults. */
function mediansOf(points: readonly Point[]): Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return [];
  const stretchMs = (last.atMs - first.atMs) / STRETCHES || 1;
  const stretches = Map.groupBy(points, ({ atMs }) =>
    Math.min(STRETCHES - 1, Math.floor((atMs - first.atMs) / stretchMs)),
  );
  return [...stretches.values()].map((some) => ({
    atMs: some.reduce((sum, { atMs }) => sum + atMs, 0) / some.length,
    value: some.map(({ value }) => value).toSorted((a, b) => a - b)[some.length >> 1]!,
  }));
}

/** Least squares; `error` is how much the slope may be off, one chance in forty on each side. */
function lineThrough(points: readonly Point[]): {
  atMs: number;
  value: number;
  slope: number;
  error: number;
} {
  const count = points.length;
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, one) => sum + of(one), 0) / count;
  const atMs = mean((one) => one.atMs);
  const value = mean((one) => one.value);
  const spread = mean((one) => (one.atMs - atMs) ** 2) * count;
  const slope = (mean((one) => (one.atMs - atMs) * (one.value - value)) * count) / spread;
  const rest = mean((one) => (one.value - value - slope * (one.atMs - atMs)) ** 2) * count;
  const t = T.few + ((T.many - T.few) * Math.min(16, Math.max(0, count - 8))) / 16;
  return { atMs, value, slope, error: t * Math.sqrt(rest / (count - 2) / spread) };
}
