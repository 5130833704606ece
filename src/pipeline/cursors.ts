import { nextOpenTime } from '../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import { KlineReader } from '../binance/kline-bytes.ts';
import { Cursor } from './cursor.ts';

/** The cursors of a collector, one per series. They stay where a symbol ends, for it may come back. */
export class Cursors {
  /** Finds the cursor of a frame by its bytes. */
  readonly reader = new KlineReader<Cursor>();
  readonly #graceMs: () => number;
  readonly #byKey = new Map<string, Cursor>();
  /** The same by symbol, then interval: no key has to be built for a frame. */
  readonly #bySymbol = new Map<string, Map<string, Cursor>>();
  /** Where the store stands with series that nobody has added yet. */
  readonly #marks = new Map<string, number>();

  /** `graceMs`: how long after its end the close of a bar is owed, exchange ms; asked once for each series. */
  constructor(graceMs: () => number) {
    this.#graceMs = graceMs;
  }

  /** The cursor of a series, made where there is none. One that had ended goes on: the symbol is listed again. */
  add(series: Series): Cursor {
    const known = this.#byKey.get(seriesKey(series));
    if (known !== undefined) {
      if (known.isEnded) known.reopen();
      return known;
    }
    const cursor = new Cursor(series, this.#graceMs());
    this.#byKey.set(cursor.key, cursor);
    const byInterval = this.#bySymbol.get(series.symbol) ?? new Map<string, Cursor>();
    byInterval.set(series.interval, cursor);
    this.#bySymbol.set(series.symbol, byInterval);
    this.reader.add(series, cursor);
    const mark = this.#marks.get(cursor.key);
    if (mark !== undefined) this.resume(series, mark);
    return cursor;
  }

  of({ symbol, interval }: { readonly symbol: string; readonly interval: string }): Cursor | undefined {
    return this.#bySymbol.get(symbol)?.get(interval);
  }

  /** The series has been collected up to the bar that opened at `openTime`. */
  resume(series: Series, openTime: number): void {
    const cursor = this.of(series);
    if (cursor === undefined) {
      this.#marks.set(seriesKey(series), openTime);
      return;
    }
    cursor.due = Math.max(cursor.due ?? 0, nextOpenTime(series.interval, openTime));
  }

  all(): Iterable<Cursor> {
    return this.#byKey.values();
  }
}
