/** An axis: which numbers stand at it, and where a value is. */
export interface Axis {
  readonly ticks: readonly number[];
  /** Decimals that tell its ticks apart. */
  readonly decimals: number;
  /** Where a value lies, in pixels. */
  at(value: number): number;
}

/** Steps of 1, 2 or 5 times a power of ten. */
function stepFor(span: number, ticksMax: number): number {
  const least = span / ticksMax;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least * 0.999) ?? 10);
}

/** From whole step to whole step around all values; from zero when that is not far. */
export function valueAxis(values: readonly number[], ticksMax: number, from: number, to: number): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const base = low < high * 0.4 ? Math.min(0, low) : low;
  const step = stepFor(Math.max(high - base, Math.abs(high) * 0.02, 1e-9), ticksMax);
  const [first, last] = [
    Math.floor(base / step),
    Math.max(Math.ceil(high / step), Math.floor(base / step) + 1),
  ];
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  return axis(ticks, step, [first * step, last * step], from, to);
}

/** Exactly from 0 to `end`. */
export function timeAxis(end: number, ticksMax: number, from: number, to: number): Axis {
  const step = stepFor(end, ticksMax);
  const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step);
  return axis(ticks, step, [0, end], from, to);
}

const axis = (
  ticks: readonly number[],
  step: number,
  [low, high]: readonly [number, number],
  from: number,
  to: number,
): Axis => ({
  ticks,
  decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)),
  at: (value) => from + ((to - from) * (value - low)) / (high - low),
});
