import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isSaidByExchange } from '../../machines/model/gap-reasons.ts';
import { barBefore, type Run, splitGap } from '../../machines/model/gaps.ts';
import type { Interval } from '../../machines/model/interval.ts';
import { type Candle, type Series, sameValues } from '../../machines/model/kline.ts';
import type { Fill, Gap, Revision } from '../../machines/model/row.ts';
import { type Span, spanOf, unite, without } from '../../machines/model/spans.ts';
import {
  BARS_BETWEEN,
  DELETE_GAP,
  EXTEND_GAP,
  FIND_REVISION,
  GAP_AT,
  INSERT_GAP,
  INSERT_GAP_PIECE,
  INSERT_REVISION,
  OPEN_GAPS_BETWEEN,
  READ_CANDLE,
  UPDATE_CANDLE,
} from './schema.ts';

type Value = number | string;
type KnownGap = Gap & { readonly filledAt: number | null };
type Bar = Pick<Candle, 'openTime' | 'closeTime'>;

const keyOf = (c: Candle): [string, string, number] => [c.symbol, c.interval, c.openTime];
const valuesOf = (c: Candle): Value[] => [
  c.open,
  c.high,
  c.low,
  c.close,
  c.volume,
  c.closeTime,
  c.quoteVolume,
  c.count,
  c.takerBuyVolume,
  c.takerBuyQuoteVolume,
  c.source,
];

/** Stores a bar unless it is there. */
export const insertCandle = (statement: StatementSync, candle: Candle): void => {
  statement.run(...keyOf(candle), ...valuesOf(candle));
};

/**
 * What changes that was stored before, inside the transaction of the caller: gaps whose bars turned up, and bars
 * that the exchange has corrected. What is done already is not done again.
 */
export class Corrections {
  readonly #insertCandle: StatementSync;
  readonly #openGaps: StatementSync;
  readonly #barsBetween: StatementSync;
  readonly #insertGap: StatementSync;
  readonly #gapAt: StatementSync;
  readonly #extendGap: StatementSync;
  readonly #deleteGap: StatementSync;
  readonly #insertPiece: StatementSync;
  readonly #readCandle: StatementSync;
  readonly #updateCandle: StatementSync;
  readonly #findRevision: StatementSync;
  readonly #insertRevision: StatementSync;

  constructor(database: DatabaseSync, insert: StatementSync) {
    this.#insertCandle = insert;
    this.#openGaps = database.prepare(OPEN_GAPS_BETWEEN);
    this.#barsBetween = database.prepare(BARS_BETWEEN);
    this.#insertGap = database.prepare(INSERT_GAP);
    this.#gapAt = database.prepare(GAP_AT);
    this.#extendGap = database.prepare(EXTEND_GAP);
    this.#deleteGap = database.prepare(DELETE_GAP);
    this.#insertPiece = database.prepare(INSERT_GAP_PIECE);
    this.#readCandle = database.prepare(READ_CANDLE);
    this.#updateCandle = database.prepare(UPDATE_CANDLE);
    this.#findRevision = database.prepare(FIND_REVISION);
    this.#insertRevision = database.prepare(INSERT_REVISION);
  }

  /** Names bars that are missing. An outage that goes on is found bar by bar, and is one gap all the same. */
  name(gap: Gap): void {
    const { symbol, interval, fromOpenTime, toOpenTime, reason, detectedAt } = gap;
    const gapAt = (openTime: number) => this.#gapAt.get(symbol, interval, openTime) as KnownGap | undefined;
    // Sent again: it is known, and may have been filled since.
    if (gapAt(fromOpenTime) !== undefined) return;
    const before = gapAt(barBefore(interval, fromOpenTime));
    if (before === undefined || before.filledAt !== null || before.reason !== reason)
      this.#insertGap.run(symbol, interval, fromOpenTime, toOpenTime, reason, detectedAt);
    else this.#extendGap.run(toOpenTime, symbol, interval, before.fromOpenTime);
  }

  /**
   * Names those bars of a gap that are not there and not named yet. What the exchange says now takes the place of what
   * it said earlier, and of what was named without asking it.
   */
  nameWhatLacks(gap: Gap): void {
    const { interval } = gap;
    const span = spanOf(interval, gap);
    const stored = this.#bars(gap, gap).map((bar) => ({ from: bar.openTime, to: bar.closeTime + 1 }));
    let lacking = without([span], unite(stored));
    for (const known of this.#open(gap, gap)) {
      const place = spanOf(interval, known);
      if (!isNews(gap, known)) {
        lacking = without(lacking, [place]);
        continue;
      }
      const rest = without([place], lacking);
      if (rest.length === 1 && rest[0]?.from === place.from && rest[0].to === place.to) continue;
      this.#deleteGap.run(gap.symbol, interval, known.fromOpenTime);
      for (const part of rest) this.#put(known, runOf(interval, part), null);
    }
    for (const part of lacking) this.#put(gap, this.#joined(gap, runOf(interval, part), null), null);
  }

  /** Stores the bars; of the open gaps that they lie in, what is there now is filled, and the rest stays open. */
  fill({ symbol, interval, candles, filledAt }: Fill): void {
    const [first, last] = [candles[0], candles.at(-1)];
    if (first === undefined || last === undefined) return;
    for (const candle of candles) insertCandle(this.#insertCandle, candle);
    const range = { fromOpenTime: first.openTime, toOpenTime: last.openTime };
    for (const gap of this.#open({ symbol, interval }, range)) this.#cut(gap, candles, filledAt);
  }

  /** The same with bars that are stored already, as far as they open in `range`. Returns how many lay in open gaps. */
  fillFrom(series: Series, range: Run, filledAt: number): number {
    let filled = 0;
    for (const gap of this.#open(series, range)) {
      const bars = this.#bars(series, {
        fromOpenTime: Math.max(range.fromOpenTime, gap.fromOpenTime),
        toOpenTime: Math.min(range.toOpenTime, gap.toOpenTime),
      });
      this.#cut(gap, bars, filledAt);
      filled += bars.length;
    }
    return filled;
  }

  /** Cuts a gap at the bars of it that are there now. */
  #cut(gap: Gap, bars: readonly Bar[], filledAt: number): void {
    const { filled, open } = splitGap(gap.interval, gap, bars);
    if (filled.length === 0) return;
    this.#deleteGap.run(gap.symbol, gap.interval, gap.fromOpenTime);
    for (const run of open) this.#put(gap, run, null);
    // A long gap is filled by the hundred, and ends as the one row that it was.
    for (const run of filled) this.#put(gap, this.#joined(gap, run, filledAt), filledAt);
  }

  /** A piece of a gap with the one right before it, where that is one of the same finding, open or filled as it is. */
  #joined({ symbol, interval, reason, detectedAt }: Gap, run: Run, filledAt: number | null): Run {
    const at = barBefore(interval, run.fromOpenTime);
    const before = this.#gapAt.get(symbol, interval, at) as KnownGap | undefined;
    const isSame =
      before?.reason === reason &&
      before.detectedAt === detectedAt &&
      (before.filledAt === null) === (filledAt === null);
    return isSame ? { fromOpenTime: before.fromOpenTime, toOpenTime: run.toOpenTime } : run;
  }

  #put({ symbol, interval, reason, detectedAt }: Gap, run: Run, filledAt: number | null): void {
    this.#insertPiece.run(symbol, interval, run.fromOpenTime, run.toOpenTime, reason, detectedAt, filledAt);
  }

  #open({ symbol, interval }: Series, { fromOpenTime, toOpenTime }: Run): readonly Gap[] {
    return this.#openGaps.all(symbol, interval, fromOpenTime, toOpenTime) as unknown as Gap[];
  }

  #bars({ symbol, interval }: Series, { fromOpenTime, toOpenTime }: Run): readonly Bar[] {
    return this.#barsBetween.all(symbol, interval, fromOpenTime, toOpenTime) as unknown as Bar[];
  }

  /** Corrects a stored bar and keeps what it was; nothing when it is so already. */
  revise({ after, seenAt }: Revision): void {
    const [key, text] = [keyOf(after), JSON.stringify(after)];
    // Sent again after a later revision has taken it back, it must not count twice.
    if (this.#findRevision.get(...key, text, seenAt) !== undefined) return;
    const stored = this.#readCandle.get(...key) as unknown as Candle | undefined;
    if (stored === undefined || sameValues(stored, after)) return;
    // What the file had, not what was thought of it.
    this.#insertRevision.run(...key, JSON.stringify({ ...stored }), text, after.source, seenAt);
    this.#updateCandle.run(...valuesOf(after), ...key);
  }
}

/** Whether a finding says more of a bar than the one that is known. */
const isNews = (gap: Gap, known: Gap): boolean =>
  isSaidByExchange(gap.reason) && (!isSaidByExchange(known.reason) || gap.detectedAt > known.detectedAt);

const runOf = (interval: Interval, { from, to }: Span): Run => ({
  fromOpenTime: from,
  toOpenTime: barBefore(interval, to),
});
