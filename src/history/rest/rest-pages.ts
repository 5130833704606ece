import type { CandleBlock } from '../../../machines/model/block.ts';
import { pickRows } from '../../../machines/model/block-runs.ts';
import { closeTimeOf, countBars, isAligned, nextOpenTime } from '../../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../../machines/model/kline.ts';
import type { Span } from '../../../machines/model/spans.ts';
import { RestRefused } from '../../../machines/rest-session.machine.ts';
import type { RestPort } from '../../actors/rest-port.ts';
import { isGone } from '../../binance/gone.ts';
import { readKlineRows } from '../../binance/kline-rows.ts';
import { klineRowsRequest, pageRows } from '../../binance/rest.ts';
import { ExchangeError } from '../../errors.ts';

/** Rows of the usual page, which has the most of them for its weight (protocol reference 2.2). */
export const PAGE_ROWS = 499;
/** Pages of one span under way at a time. */
const PAGES_AT_ONCE = 3;
/** Answers without a row, one after the other, that end a span: one alone may be a copy that lags. */
const EMPTY_MAX = 3;
/** Times that a page is asked for whose answer is of other bars. */
const WRONG_MAX = 3;
/** Spans, one after the other, that could not be asked for: then it is given up. */
const FAILURES_MAX = 3;

/** What REST has of a span. */
export interface Asked {
  /** Ascending, each in memory of its own. */
  readonly blocks: readonly CandleBlock[];
  /** From there on it could not be asked, and why. */
  readonly failure?: { readonly from: number; readonly error: unknown };
  /** Rows that can't be where they claim to be, and were not taken. */
  readonly misplaced: number;
}

interface Page extends Span {
  readonly answer: Promise<{ readonly block: CandleBlock } | { readonly error: unknown }>;
}

/**
 * Asks REST for long spans of one series, page by page. All bars of a span must have ended. Several spans may be asked
 * for at the same time.
 */
export class RestPages {
  readonly #rest: RestPort;
  readonly #series: Series;
  /** An answer said that there is nothing in it: nobody has to ask again. */
  #nothing: Span = { from: 0, to: 0 };
  #failures = 0;

  constructor(rest: RestPort, series: Series) {
    this.#rest = rest;
    this.#series = series;
  }

  /** False after a span that could not be asked for, until one could. */
  get isReachable(): boolean {
    return this.#failures === 0;
  }

  /**
   * The bars of [from, to), both open times. Rejects with the signal's reason, with `KLINES_NO_PROGRESS` for answers
   * that are of other bars than those asked for, and when asking again has become pointless.
   */
  async ask(span: Span, signal?: AbortSignal): Promise<Asked> {
    const asked = await this.#ask(span, signal);
    if (asked.failure === undefined) this.#failures = 0;
    else if (isFinal(asked.failure.error) || ++this.#failures >= FAILURES_MAX) throw asked.failure.error;
    return asked;
  }

  async #ask(span: Span, signal?: AbortSignal): Promise<Asked> {
    const { interval } = this.#series;
    const blocks: CandleBlock[] = [];
    const ahead: Page[] = [];
    let misplaced = 0;
    let empties = 0;
    let next = this.#behindNothing(span.from);
    // Pages that are no longer needed when it ends.
    const over = new AbortController();
    const end = (): void => over.abort(signal?.reason);
    signal?.addEventListener('abort', end, { once: true });
    const begin = (from: number, to: number): Page => ({
      from,
      to,
      answer: this.#page(from, to, over.signal),
    });
    try {
      signal?.throwIfAborted();
      while (next < span.to || ahead.length > 0) {
        while (next < span.to && ahead.length < PAGES_AT_ONCE) {
          const to = this.#pageEnd(next, span.to);
          ahead.push(begin(next, to));
          next = to;
        }
        const page = ahead.shift() as Page;
        const answer = await page.answer;
        signal?.throwIfAborted();
        if ('error' in answer) {
          // The exchange has forgotten the symbol: it has nothing more of it.
          if (isGone(answer.error)) return { blocks, misplaced };
          return { blocks, failure: { from: page.from, error: answer.error }, misplaced };
        }
        const { rows, columns } = answer.block;
        if (rows === 0) {
          if (++empties >= EMPTY_MAX) {
            this.#nothing = { from: page.from, to: Number.POSITIVE_INFINITY };
            break;
          }
          continue;
        }
        empties = 0;
        const first = columns.openTime[0] as number;
        if (first >= page.to) {
          // The next bar there is: what lies before it need not be asked for.
          this.#nothing = { from: page.from, to: first };
          while (ahead[0] !== undefined && ahead[0].to <= first) ahead.shift();
          if (ahead.length === 0) next = Math.max(next, first);
          continue;
        }
        const taken = wellPlaced(answer.block, page);
        misplaced += taken.misplaced;
        if (taken.block.rows > 0) blocks.push(taken.block);
        // Fewer rows than asked for, and not up to the end: the rest is asked for by itself.
        const last = nextOpenTime(interval, columns.openTime[rows - 1] as number);
        if (rows < countBars(interval, page.from, page.to) && last < page.to)
          ahead.unshift(begin(last, page.to));
      }
      return { blocks, misplaced };
    } finally {
      signal?.removeEventListener('abort', end);
      over.abort();
    }
  }

  #behindNothing(from: number): number {
    const { from: begin, to } = this.#nothing;
    return from >= begin && from < to ? to : from;
  }

  #pageEnd(from: number, end: number): number {
    const { interval } = this.#series;
    const rows = pageRows(countBars(interval, from, end));
    let to = from;
    for (let row = 0; row < rows && to < end; row++) to = nextOpenTime(interval, to);
    return to;
  }

  /** Never rejects: pages that are ahead may fail before anybody waits for them. */
  async #page(from: number, to: number, signal: AbortSignal): Page['answer'] {
    const series = this.#series;
    const request = klineRowsRequest(series, from, countBars(series.interval, from, to), 'background');
    try {
      for (let asked = 1; ; asked++) {
        const block = readKlineRows(series, await this.#rest.ask(request, signal));
        if (ascendsFrom(block, from)) return { block };
        if (asked >= WRONG_MAX) throw ofOtherBars(series, from);
      }
    } catch (error) {
      return { error };
    }
  }
}

function ascendsFrom({ rows, columns: { openTime } }: CandleBlock, from: number): boolean {
  let least = from;
  for (let row = 0; row < rows; row++) {
    if ((openTime[row] as number) < least) return false;
    least = (openTime[row] as number) + 1;
  }
  return true;
}

/** The rows of a page that are on the grid of the series. Values of REST are believed; places are not. */
function wellPlaced(block: CandleBlock, { from, to }: Span): { block: CandleBlock; misplaced: number } {
  const { rows, interval, columns } = block;
  const picked: number[] = [];
  let misplaced = 0;
  for (let row = 0; row < rows; row++) {
    const openTime = columns.openTime[row] as number;
    if (openTime < from || openTime >= to) continue;
    const isPlaced =
      isAligned(interval, openTime) && columns.closeTime[row] === closeTimeOf(interval, openTime);
    if (isPlaced) picked.push(row);
    else misplaced++;
  }
  return { block: pickRows(block, picked), misplaced };
}

/** Whether the same question would only be answered so again, or it is no matter of asking at all. */
const isFinal = (error: unknown): boolean =>
  error instanceof ExchangeError
    ? !error.retryable || error.code === NO_PROGRESS
    : !(error instanceof RestRefused && error.code === 'REST_PAUSED');

const NO_PROGRESS = 'KLINES_NO_PROGRESS';

const ofOtherBars = (series: Series, from: number): ExchangeError =>
  new ExchangeError(
    `klines of ${seriesKey(series)}: the answer does not ascend from ${new Date(from).toISOString()}, the time asked for`,
    { code: NO_PROGRESS, status: 200, retryable: true },
  );
