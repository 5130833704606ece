import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { countBars, DAY_MS, nextOpenTime } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import { firstOpenFrom } from '../../machines/model/ledger.ts';
import type { Gap } from '../../machines/model/row.ts';
import { type Span, shift, spanOf, unite, within } from '../../machines/model/spans.ts';
import { COUNT_BARS, FIRST_CANDLE, FIRST_GAP, OPEN_GAPS_BETWEEN, OPEN_TIMES } from './schema.ts';

const THREE_DAYS_MS = 3 * DAY_MS;

/**
 * What of a series a store has, bar by bar, told by counting keys: 20 million a second. Rows at times at which no bar of
 * the interval opens count for nothing. Reads alone, on whatever connection it is given.
 */
export class Coverage {
  readonly #count: StatementSync;
  readonly #openTimes: StatementSync;
  readonly #firstCandle: StatementSync;
  readonly #firstGap: StatementSync;
  readonly #openGaps: StatementSync;

  constructor(database: DatabaseSync) {
    this.#count = database.prepare(COUNT_BARS);
    this.#openTimes = database.prepare(OPEN_TIMES);
    this.#firstCandle = database.prepare(FIRST_CANDLE);
    this.#firstGap = database.prepare(FIRST_GAP);
    this.#openGaps = database.prepare(OPEN_GAPS_BETWEEN);
  }

  /**
   * The first open time at or after `time`. Undefined for a series of `3d` of which nothing is there: only its own
   * bars say from which day its threes are counted.
   */
  firstOpen(series: Series, time: number): number | undefined {
    if (series.interval !== '3d') return firstOpenFrom(series.interval, time);
    const any = this.firstIn(series, { from: 0, to: Number.MAX_SAFE_INTEGER });
    return any === undefined ? undefined : any + Math.ceil((time - any) / THREE_DAYS_MS) * THREE_DAYS_MS;
  }

  /** Bars stored of [from, to), which begins at an open time. */
  count({ symbol, interval }: Series, { from, to }: Span): number {
    const lengthMs = interval === '1M' ? 1 : nextOpenTime(interval, 0);
    return Number(this.#count.get(symbol, interval, from, to, from, lengthMs)?.['n']);
  }

  /** Open times stored of [from, to), ascending. */
  *openTimes({ symbol, interval }: Series, { from, to }: Span): Generator<number, void, undefined> {
    for (const row of this.#openTimes.iterate(symbol, interval, from, to)) yield Number(row['openTime']);
  }

  /** Gaps that are open, as far as they say something of [from, to). */
  gaps({ symbol, interval }: Series, { from, to }: Span): readonly Gap[] {
    return this.#openGaps.all(symbol, interval, from, to - 1) as unknown as Gap[];
  }

  /** The first bar of [from, to) that is stored or named as missing. */
  firstIn({ symbol, interval }: Series, { from, to }: Span): number | undefined {
    const times = [this.#firstCandle, this.#firstGap].flatMap((statement) => {
      const found = statement.get(symbol, interval, from, to)?.['openTime'];
      return typeof found === 'number' ? [Math.max(from, found)] : [];
    });
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** How many bars of [from, to), which begins at an open time, are neither stored nor named as missing. */
  lacks(series: Series, span: Span): number {
    const wanted = (part: Span): number => countBars(series.interval, part.from, part.to);
    let lacking = wanted(span) - this.count(series, span);
    if (lacking <= 0) return 0;
    const named = unite(this.gaps(series, span).map((gap) => within(spanOf(series.interval, gap), span)));
    // A bar may have come by another way than by filling its gap.
    for (const part of named) lacking -= wanted(part) - this.count(series, part);
    return lacking;
  }

  /** The first open time at or behind `from`, itself one, that is neither stored nor named as missing. */
  wholeUntil(series: Series, from: number): number {
    return this.#reach(series, from, 1);
  }

  /** The open time from which on nothing is lacking up to, not including, the one given. */
  wholeFrom(series: Series, to: number): number {
    return this.#reach(series, to, -1);
  }

  /** Goes on while nothing is lacking: in steps that double, and halve once one was too long. */
  #reach(series: Series, start: number, direction: 1 | -1): number {
    let [at, bars, isFound] = [start, 1, false];
    while (bars >= 1) {
      const end = shift(series.interval, at, bars * direction);
      if (this.lacks(series, { from: Math.min(at, end), to: Math.max(at, end) }) === 0) at = end;
      else isFound = true;
      bars = isFound ? Math.floor(bars / 2) : bars * 2;
    }
    return at;
  }
}
