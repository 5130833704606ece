import { hash, mix, unit } from './hash.ts';
import type { BarSource } from './source.ts';
import { describeSymbol, ONBOARD_DATE, type SymbolShape, shapeOf } from './symbols.ts';
import { setFlat, type Units } from './units.ts';

const MINUTE = 60_000;
const FIRST_MINUTE = ONBOARD_DATE / MINUTE;
/** Trade ids: at most 12 steps of 40 trades a minute, so a thousand a minute never collide. */
const IDS_PER_MINUTE = 1000;
const ID_EPOCH = Date.UTC(2019, 0, 1) / MINUTE;

/**
 * Octaves of value noise: period in minutes and amplitude as a share of the base price. The amplitudes sum
 * to less than 0.7, so a price never nears zero. No transcendental function takes part: + − × ÷ are exact
 * to the bit on every machine, `Math.exp` is not.
 */
const OCTAVES = [
  [1, 0.0003],
  [4, 0.0006],
  [15, 0.001],
  [60, 0.002],
  [240, 0.004],
  [1440, 0.012],
  [7200, 0.03],
  [43_200, 0.1],
  [259_200, 0.25],
] as const;

/** Price noise at minute boundaries, with a memo of the lattice cell last used in each octave. */
class PriceNoise {
  readonly #shape: SymbolShape;
  readonly #cell = new Float64Array(OCTAVES.length).fill(Number.NaN);
  readonly #left = new Float64Array(OCTAVES.length);
  readonly #right = new Float64Array(OCTAVES.length);

  constructor(shape: SymbolShape) {
    this.#shape = shape;
  }

  /** Price at the start of `minute` (minutes since the epoch), in ticks. */
  at(minute: number): number {
    let sum = 0;
    for (let i = 0; i < OCTAVES.length; i++) {
      const [period, amplitude] = OCTAVES[i] as (typeof OCTAVES)[number];
      const cell = Math.floor(minute / period);
      if (this.#cell[i] !== cell) {
        this.#cell[i] = cell;
        this.#left[i] = this.#lattice(i, cell);
        this.#right[i] = this.#lattice(i, cell + 1);
      }
      const f = minute / period - cell;
      const smooth = f * f * (3 - 2 * f);
      const left = this.#left[i] as number;
      sum += amplitude * (left + ((this.#right[i] as number) - left) * smooth);
    }
    return Math.max(1, Math.round(this.#shape.baseTicks * (1 + sum)));
  }

  #lattice(octave: number, cell: number): number {
    return unit(hash(this.#shape.key, cell, octave + 101)) * 2 - 1;
  }
}

/** Invents the minutes of one symbol: a pure function of seed, symbol and time, in any order of asking. */
export function generatedSource(seed: number, symbol: string, quiet = false): BarSource {
  const shape = shapeOf(seed, symbol, quiet);
  const noise = new PriceNoise(shape);
  const stepKey = mix(shape.key + 1);
  const idleKey = mix(shape.key + 2);
  /** The last even and the last odd minute whose close was asked for: a bar needs its own and the one before. */
  const memoMinutes = [Number.NaN, Number.NaN];
  const memoCloses = [0, 0];

  const idle = (minute: number): boolean =>
    shape.idlePerMille > 0 && hash(idleKey, minute) % 1000 < shape.idlePerMille;

  /** Close of a minute in ticks: the noise at its end, or what stood before when nothing was traded. */
  const closeOf = (minute: number): number => {
    if (quiet) return shape.baseTicks;
    const slot = minute & 1;
    if (memoMinutes[slot] === minute) return memoCloses[slot] as number;
    let traded = minute;
    while (idle(traded)) traded--;
    const close = noise.at(traded + 1);
    memoMinutes[slot] = minute;
    memoCloses[slot] = close;
    return close;
  };

  const stepsIn = (minute: number): number => 8 + (hash(stepKey, minute, 99) % 5);
  const offsetOf = (h: number, step: number, steps: number): number =>
    Math.floor(((step + 0.05 + 0.9 * ((h >>> 18) / 16_384)) * MINUTE) / steps);

  /** The minute after its trades up to `untilOffset` ms behind its start. */
  const fill = (minute: number, untilOffset: number, out: Units): void => {
    const open = closeOf(minute - 1);
    setFlat(out, open);
    if (idle(minute)) return;
    const close = closeOf(minute);
    const steps = stepsIn(minute);
    const swing = 2 + shape.baseTicks * 0.0008;
    for (let step = 0; step < steps; step++) {
      const h = hash(stepKey, minute, step);
      if (offsetOf(h, step, steps) > untilOffset) break;
      const g = mix(h + 0x51ed270b);
      let price = open;
      if (step === steps - 1) price = close;
      else if (step > 0) {
        const drift = ((close - open) * step) / (steps - 1);
        price = Math.max(1, Math.round(open + drift + ((h & 0xffff) / 65_536 - 0.5) * swing));
      }
      const u = (g & 0xffff) / 65_536;
      const lots = 1 + Math.floor(shape.maxLots * u * u);
      if (price > out.high) out.high = price;
      if (price < out.low) out.low = price;
      out.close = price;
      out.volume += lots;
      out.quote += price * lots;
      if ((h & 0x10000) !== 0) {
        out.takerVolume += lots;
        out.takerQuote += price * lots;
      }
      out.count += 1 + ((g >>> 16) % shape.maxTrades);
    }
    if (out.count === 0) return;
    out.firstId = (minute - ID_EPOCH) * IDS_PER_MINUTE;
    out.lastId = out.firstId + out.count - 1;
  };

  const minuteOf = (time: number): number => Math.floor(time / MINUTE);

  return {
    info: describeSymbol(symbol, shape.scale, ONBOARD_DATE),
    scale: shape.scale,
    baseInterval: '1m',
    baseMs: MINUTE,
    read(openTime, out) {
      const minute = minuteOf(openTime);
      if (minute < FIRST_MINUTE) return false;
      fill(minute, MINUTE, out);
      return true;
    },
    readForming(openTime, at, out) {
      const minute = minuteOf(openTime);
      if (minute < FIRST_MINUTE) return false;
      fill(minute, at - openTime, out);
      return true;
    },
    tradeBetween(from, until) {
      if (quiet) return Infinity;
      for (let minute = Math.max(FIRST_MINUTE, minuteOf(from)); minute * MINUTE < until; minute++) {
        if (idle(minute)) continue;
        const steps = stepsIn(minute);
        for (let step = 0; step < steps; step++) {
          const time = minute * MINUTE + offsetOf(hash(stepKey, minute, step), step, steps);
          if (time >= until) return Infinity;
          if (time >= from) return time;
        }
      }
      return Infinity;
    },
    nextOpen: (time) => Math.max(FIRST_MINUTE, Math.ceil(time / MINUTE)) * MINUTE,
    previousOpen: (time) => (minuteOf(time) < FIRST_MINUTE ? -Infinity : minuteOf(time) * MINUTE),
  };
}
