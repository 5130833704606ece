/** Bars that lack in what is exported: a file has no place where it could say so. */
import type { CandleBlock } from '../../machines/model/block.ts';
import type { Run } from '../../machines/model/gaps.ts';
import { countBars, nextOpenTime } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';

/** What was seen of a series, as its blocks went by. */
export class Holes {
  readonly #series: Series;
  #first: number | undefined;
  #last: number | undefined;
  /** Places where bars lack, and how many do. */
  places = 0;
  bars = 0;
  /** The first of them: bars that open in [from, to), ms. */
  example: { readonly from: number; readonly to: number } | undefined;

  constructor(series: Series) {
    this.#series = series;
  }

  /** Open time of the first bar, ms. */
  get first(): number | undefined {
    return this.#first;
  }

  /** Open time of the last bar so far, ms. */
  get last(): number | undefined {
    return this.#last;
  }

  /** The next bars, ascending. */
  pass({ rows, columns: { openTime } }: CandleBlock): void {
    const { interval } = this.#series;
    for (let row = 0; row < rows; row++) {
      const time = openTime[row] as number;
      this.#first ??= time;
      const due = this.#last === undefined ? time : nextOpenTime(interval, this.#last);
      if (time > due) this.#add(due, time);
      this.#last = time;
    }
  }

  /** A gap that is named in the store: what of it lies before the first bar and behind the last one counts, too. */
  name({ fromOpenTime, toOpenTime }: Run, from: number, to: number): void {
    const { interval } = this.#series;
    const begin = Math.max(fromOpenTime, from);
    const end = Math.min(nextOpenTime(interval, toOpenTime), to);
    if (this.#first === undefined || this.#last === undefined) {
      this.#add(begin, end);
      return;
    }
    this.#add(begin, Math.min(end, this.#first));
    this.#add(Math.max(begin, nextOpenTime(interval, this.#last)), end);
  }

  #add(from: number, to: number): void {
    const bars = countBars(this.#series.interval, from, to);
    if (bars === 0) return;
    this.places++;
    this.bars += bars;
    this.example ??= { from, to };
  }
}
