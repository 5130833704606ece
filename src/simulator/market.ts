import { DAY_MS, type Interval, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { altered } from './alteration.ts';
import type { BarSource } from './source.ts';
import { append, emptyUnits, reset, toWire, type Units, type WireBar } from './units.ts';

/** Day sums kept; a day of minutes costs about a millisecond, a kept one some 200 bytes. */
const DAYS_KEPT = 20_000;

/** How a bar differs from what streams sent: so many alterations, then these values. */
interface Revision {
  readonly times: number;
  readonly values: RevisedValues;
}

export type RevisedValues = { readonly [K in keyof WireBar]?: WireBar[K] | undefined };

/**
 * All symbols of the exchange, and bars of any interval summed from their base bars. Days are cached, so
 * that a month or a year of weeks is cheap the second time.
 */
export class Market {
  readonly #sources: ReadonlyMap<string, BarSource>;
  readonly #days = new Map<string, Units>();
  readonly #revisions = new Map<string, Revision>();
  readonly #scratch = emptyUnits();

  constructor(sources: Iterable<BarSource>) {
    this.#sources = new Map(Array.from(sources, (source) => [source.info.symbol, source]));
  }

  get sources(): Iterable<BarSource> {
    return this.#sources.values();
  }

  source(symbol: string): BarSource | undefined {
    return this.#sources.get(symbol);
  }

  /** Whether bars of `interval` can be told from the base bars of `source`. */
  serves(source: BarSource, interval: Interval): boolean {
    return source.baseMs === 60_000 || nextOpenTime(interval, 0) % source.baseMs === 0 || interval === '1M';
  }

  /** Appends the final base bars that open in [from, to) to `into`. */
  add(source: BarSource, from: number, to: number, into: Units): void {
    let time = source.nextOpen(from);
    while (time < to) {
      if (time % DAY_MS === 0 && time + DAY_MS <= to) {
        append(into, this.#day(source, time));
        time += DAY_MS;
      } else {
        if (source.read(time, this.#scratch)) append(into, this.#scratch);
        time += source.baseMs;
      }
      // Recorded rows may have holes of years; the generator has none.
      if (source.verbatim !== undefined) time = source.nextOpen(time);
    }
  }

  /** The final bar, or undefined when the exchange has none. */
  bar(source: BarSource, interval: Interval, openTime: number): WireBar | undefined {
    const sum = this.#final(source, interval, openTime);
    if (sum === undefined) return undefined;
    const revision =
      this.#revisions.size === 0 ? undefined : this.#revisions.get(keyOf(source, interval, openTime));
    if (revision === undefined) return this.wire(source, interval, openTime, sum);
    const bar = toWire(altered(sum, revision.times), source.scale, interval, openTime);
    return { ...bar, ...revision.values } as WireBar;
  }

  /** The final bar as streams tell it: without later revisions. */
  barAsStreamed(source: BarSource, interval: Interval, openTime: number): WireBar | undefined {
    const sum = this.#final(source, interval, openTime);
    return sum && this.wire(source, interval, openTime, sum);
  }

  /** Gives a bar other final values, and again others each time. Larger bars keep theirs. */
  revise(source: BarSource, interval: Interval, openTime: number, values: RevisedValues = {}): void {
    const key = keyOf(source, interval, openTime);
    const before = this.#revisions.get(key);
    // With values given, only these change.
    const times = (before?.times ?? 0) + (Object.keys(values).length === 0 ? 1 : 0);
    this.#revisions.set(key, { times, values: { ...before?.values, ...values } });
  }

  /** Drops what is kept of a symbol: its base bars are others now. */
  forget(symbol: string): void {
    for (const key of this.#days.keys()) if (key.startsWith(`${symbol} `)) this.#days.delete(key);
  }

  /** The bar that contains `at`, after the trades up to `at`. */
  forming(source: BarSource, interval: Interval, at: number): WireBar | undefined {
    const openTime = openTimeAt(interval, at);
    if (nextOpenTime(interval, openTime) - 1 <= at) return this.bar(source, interval, openTime);
    if (!this.serves(source, interval)) return undefined;
    const sum = emptyUnits();
    const base = openTimeAt(source.baseInterval, at);
    this.add(source, openTime, base, sum);
    const last = emptyUnits();
    if (source.readForming(base, at, last)) append(sum, last);
    return sum.bars === 0 ? undefined : toWire(sum, source.scale, interval, openTime);
  }

  /** A final bar as text: in the recording's own words where it is one recorded row. */
  wire(source: BarSource, interval: Interval, openTime: number, sum: Units): WireBar {
    const recorded = interval === source.baseInterval ? source.verbatim?.(openTime) : undefined;
    return recorded ?? toWire(sum, source.scale, interval, openTime);
  }

  #final(source: BarSource, interval: Interval, openTime: number): Units | undefined {
    if (openTimeAt(interval, openTime) !== openTime) return undefined;
    if (!this.serves(source, interval)) return undefined;
    const sum = emptyUnits();
    this.add(source, openTime, nextOpenTime(interval, openTime), sum);
    return sum.bars === 0 ? undefined : sum;
  }

  #day(source: BarSource, day: number): Units {
    const key = `${source.info.symbol} ${day}`;
    const known = this.#days.get(key);
    if (known !== undefined) {
      this.#days.delete(key);
      this.#days.set(key, known);
      return known;
    }
    const sum = emptyUnits();
    reset(sum);
    for (let time = day; time < day + DAY_MS; time += source.baseMs) {
      if (source.read(time, this.#scratch)) append(sum, this.#scratch);
    }
    this.#days.set(key, sum);
    if (this.#days.size > DAYS_KEPT) {
      const oldest = this.#days.keys().next().value;
      if (oldest !== undefined) this.#days.delete(oldest);
    }
    return sum;
  }
}

const keyOf = (source: BarSource, interval: Interval, openTime: number): string =>
  `${source.info.symbol} ${interval} ${openTime}`;
