/** Whether a figure grows: a straight line through what was measured after the warm-up, and how sure that is. */
import type { Figure } from './figures.ts';

export interface Point {
  /** Wall ms. */
  readonly atMs: number;
  readonly value: number;
}

export interface Verdict {
  readonly outcome: 'flat' | 'grows' | 'too much' | 'not measured' | 'too short';
  /** Units an hour: of the line, and the least that it is for sure (one chance in forty that it is less). */
  readonly perHour: number;
  readonly perHourLeast: number;
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
  if (points.length === 0) {
    const nowhere = { atMs: sinceMs, value: 0 };
    return { outcome: 'not measured', perHour: 0, perHourLeast: 0, from: nowhere, to: nowhere, most: 0 };
  }
  const warm = points.filter(({ atMs }) => atMs >= sinceMs);
  const most = Math.max(...points.map(({ value }) => value), 0);
  const medians = mediansOf(warm);
  const none = { atMs: sinceMs, value: warm[0]?.value ?? 0 };
  const lasted = (warm.at(-1)?.atMs ?? sinceMs) - sinceMs;
  if (medians.length < STRETCHES_MIN)
    return {
      outcome: most > figure.most ? 'too much' : 'too short',
      perHour: 0,
      perHourLeast: 0,
      from: none,
      to: none,
      most,
    };
  const line = lineThrough(medians);
  const at = (atMs: number): Point => ({ atMs, value: line.value + line.slope * (atMs - line.atMs) });
  const [from, to] = [at(warm[0]!.atMs), at(warm.at(-1)!.atMs)];
  const slopeLeast = line.slope - Math.sign(line.slope) * Math.min(Math.abs(line.slope), line.error);
  const grows =
    figure.perHour !== undefined &&
    slopeLeast * HOUR_MS > figure.perHour &&
    slopeLeast * (to.atMs - from.atMs) > figure.noise;
  const outcome =
    most > figure.most ? 'too much' : lasted < figure.windowMs ? 'too short' : grows ? 'grows' : 'flat';
  return { outcome, perHour: line.slope * HOUR_MS, perHourLeast: slopeLeast * HOUR_MS, from, to, most };
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
