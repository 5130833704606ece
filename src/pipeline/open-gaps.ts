import { splitGap } from '../../machines/model/gaps.ts';
import { countBars, nextOpenTime } from '../../machines/model/interval.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import type { Gap, Row } from '../../machines/model/row.ts';
import { LIMITS } from '../binance/venue.ts';
import type { Instant } from './audits.ts';
import { BATCH_ROWS_MAX } from './row-buffer.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Between two askings about one gap, wall ms; the last for ever. Up to a quarter more. */
export const GAP_SPACING_MS: readonly number[] = [
  MINUTE / 4,
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  HOUR,
  6 * HOUR,
];
/** Gaps that are asked about; the store tells of the others when it is opened again. */
const GAPS_MAX = 10_000;
/** The store has no room: tried again after this, wall ms. */
const FULL_MS = 5_000;
/** A bar of a gap came by the stream: asked again so soon, but not more often than so, wall ms. */
const HINT_MS = 1_000;
const HINTS_MS = MINUTE;

/** Bars of an open gap that REST is asked for. */
export interface GapQuestion {
  readonly gap: Gap;
  /** How many from its beginning on. */
  readonly rows: number;
}

interface OpenGap {
  readonly gap: Gap;
  /** How often REST was asked for all of it. */
  tries: number;
  /** Monotonic ms. */
  notBefore: number;
  askedAt: number;
}

/**
 * Gaps that the exchange may fill yet, and when it is asked again: ever more rarely, and never for longer than a page
 * at a time. State only: who asks is `actors/recheck-gaps.ts`.
 */
export class OpenGaps {
  readonly #spacingMs: readonly number[];
  readonly #random: () => number;
  #gaps: OpenGap[] = [];

  constructor(options: { readonly random: () => number; readonly spacingMs?: readonly number[] }) {
    this.#random = options.random;
    this.#spacingMs = options.spacingMs ?? GAP_SPACING_MS;
  }

  get size(): number {
    return this.#gaps.length;
  }

  /** All of them. */
  gaps(): Gap[] {
    return this.#gaps.map(({ gap }) => gap);
  }

  /** Gaps that the store has, or rows that it has now. `now` is monotonic ms. */
  note(rows: readonly Row[], now: number): void {
    for (const row of rows) {
      if ('gap' in row) this.#add(row.gap, now);
      else if ('fill' in row) this.#cut(row.fill, row.fill.candles);
    }
  }

  /** A closed bar came by the stream that may lie in a gap: then REST may have it, too. */
  hint(candle: Candle, now: number): void {
    for (const one of this.#gaps)
      if (isOf(one.gap, candle) && splitGap(candle.interval, one.gap, [candle]).filled.length > 0)
        one.notBefore = Math.min(one.notBefore, Math.max(now + HINT_MS, one.askedAt + HINTS_MS));
  }

  /** What is to be asked now; undefined: nothing. Gaps of series that are not collected are left alone. */
  next(now: number, isCollected: (series: Series) => boolean): GapQuestion | undefined {
    let due: OpenGap | undefined;
    for (const one of this.#gaps) {
      if (one.notBefore > now || one.notBefore >= (due?.notBefore ?? Number.POSITIVE_INFINITY)) continue;
      if (isCollected(one.gap)) due = one;
    }
    if (due === undefined) return undefined;
    due.askedAt = now;
    const { gap } = due;
    const rows = countBars(gap.interval, gap.fromOpenTime, nextOpenTime(gap.interval, gap.toOpenTime));
    return { gap, rows: Math.min(rows, LIMITS.klinesRowsMax) };
  }

  /**
   * Final bars that REST has of what was asked, ascending. `offer` takes a row for the store, or not.
   * `isCut`: the answer ended at its limit, and says nothing of what is behind.
   */
  answered(
    question: GapQuestion,
    candles: readonly Candle[],
    isCut: boolean,
    time: Instant,
    offer: (row: Row) => boolean,
  ): void {
    const { gap } = question;
    const { symbol, interval, reason, fromOpenTime, toOpenTime } = gap;
    const found = candles.filter(({ openTime }) => openTime >= fromOpenTime && openTime <= toOpenTime);
    const filledAt = Math.round(time.exchangeNow);
    let taken = 0;
    for (; taken < found.length; taken += BATCH_ROWS_MAX) {
      const some = found.slice(taken, taken + BATCH_ROWS_MAX);
      if (!offer({ fill: { symbol, interval, reason, candles: some, filledAt } })) break;
    }
    const isFull = taken < found.length;
    const read = found.slice(0, taken).at(-1);
    for (const one of this.#cut(gap, found.slice(0, taken))) {
      if (isFull) one.notBefore = time.now + FULL_MS;
      else if (isCut && read !== undefined && one.gap.toOpenTime > read.openTime) one.notBefore = time.now;
      else {
        one.tries += 1;
        one.notBefore = this.#later(one.tries, time.now);
      }
    }
  }

  /** A question got no answer: the page is asked for again, later. */
  failed({ gap }: GapQuestion, now: number): void {
    for (const one of this.#gaps) if (one.gap === gap) one.notBefore = this.#later(one.tries, now);
  }

  #later(tries: number, now: number): number {
    const spacing = this.#spacingMs[Math.min(tries, this.#spacingMs.length - 1)] ?? HOUR;
    return now + spacing * (1 + this.#random() / 4);
  }

  #add(gap: Gap, now: number): void {
    const isKnown = this.#gaps.some(
      ({ gap: other }) =>
        isOf(other, gap) && other.fromOpenTime <= gap.toOpenTime && other.toOpenTime >= gap.fromOpenTime,
    );
    if (isKnown || this.#gaps.length >= GAPS_MAX) return;
    const notBefore = this.#later(0, now);
    const askedAt = Number.NEGATIVE_INFINITY;
    this.#gaps.push({ gap, tries: 0, notBefore, askedAt });
  }

  /** Takes bars, ascending, out of the gaps of a series; returns what is left of those that lie in `range`. */
  #cut(range: Series & Partial<Gap>, bars: readonly Candle[]): OpenGap[] {
    const touched: OpenGap[] = [];
    this.#gaps = this.#gaps.flatMap((one) => {
      if (!isOf(one.gap, range)) return [one];
      const { filled, open } = splitGap(one.gap.interval, one.gap, bars);
      if (filled.length === 0) {
        if (one.gap === range) touched.push(one);
        return [one];
      }
      const rest = open.map((run) => ({ ...one, gap: { ...one.gap, ...run } }));
      touched.push(...rest);
      return rest;
    });
    // A gap that is filled here and there may fall into any number of pieces.
    if (this.#gaps.length > GAPS_MAX) this.#gaps.length = GAPS_MAX;
    return touched;
  }
}

const isOf = (one: Series, other: Series): boolean =>
  one.symbol === other.symbol && one.interval === other.interval;
