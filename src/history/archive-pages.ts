/** Whole days of the archive for whoever fills a long hole: chosen, taken in turn, and left alone when it fails. */
import { candlesIn } from '../../machines/model/block.ts';
import { describe } from '../../machines/model/cleanup.ts';
import { countBars, DAY_MS, openTimeAt } from '../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Span } from '../../machines/model/spans.ts';
import { oddityLog } from '../actors/oddities.ts';
import { NO_DAYS, type PastDay, type PastDays, type PastPort } from '../actors/past-days.ts';
import { Turnstile } from '../actors/shared-work.ts';
import { dayIsPublished } from '../binance/archive.ts';
import type { Clock, Logger } from '../ports.ts';
import type { HistoryNote, HistorySource, Loaded, Piece } from './types.ts';

export interface ArchivePagesPorts {
  /** Undefined: the exchange has no archive, or none that can be had now. */
  readonly source: () => HistorySource | undefined;
  /** The exchange's time, ms; NaN while it is not known. */
  readonly exchangeNow: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Series that have their turn at a time: each holds a few days in memory. */
const SERIES_MAX = 4;
/** A day of fewer bars costs more as a file than as a part of a REST page. */
const DAY_BARS_MIN = 24;
/** So long an archive that can't be reached is left alone, wall ms. */
const PAUSE_MS = 5 * 60_000;

/** The days of the archive, by a {@link HistorySource}. */
export function archivePages(ports: ArchivePagesPorts): PastPort {
  const { clock, logger } = ports;
  const turns = new Turnstile(SERIES_MAX);
  const say = oddityLog(logger, clock);
  /** The day of each series that was given out last: what lacks in it is not asked of the archive again. */
  const given = new Map<string, number>();
  let pausedUntil = Number.NEGATIVE_INFINITY;

  /** What of a hole the archive is asked for: days that begin in it, end in it, and are published. */
  const daysIn = (series: Series, hole: Span): Span | undefined => {
    if (countBars(series.interval, 0, DAY_MS) < DAY_BARS_MIN || clock.now() < pausedUntil) return undefined;
    const midnight = openTimeAt('1d', hole.from + DAY_MS - 1);
    const from = given.get(seriesKey(series)) === midnight ? midnight + DAY_MS : midnight;
    const exchangeNow = ports.exchangeNow();
    const last = openTimeAt('1d', hole.to);
    let to = from;
    while (to < last && dayIsPublished(to, exchangeNow)) to += DAY_MS;
    return from < to ? { from, to } : undefined;
  };

  const sayAll = (notes: readonly HistoryNote[]): void => {
    for (const { symbol, interval, from, found, done, kind } of notes) {
      const day = new Date(from).toISOString().slice(0, 10);
      say(`archive: ${kind}`, { series: seriesKey({ symbol, interval }), day, found, done });
    }
  };

  const noteLoaded = (series: Series, { from, notes, unreached }: Loaded): void => {
    given.set(seriesKey(series), from);
    sayAll(notes);
    // Where REST could be asked, it was the archive that could not: the next turns do without it.
    if (unreached.length === 0 && notes.some(({ kind }) => kind === 'unreachable'))
      pausedUntil = clock.now() + PAUSE_MS;
  };

  /** The pieces of the plan that are files; none when it can't be made, for then REST says why. */
  const open = async (series: Series, days: Span, signal: AbortSignal) => {
    const source = ports.source();
    if (source === undefined) return undefined;
    const plan = await source.plan({ ...series, ...days, source: 'auto' }, signal);
    sayAll(plan.notes);
    const pieces = plan.pieces.filter(({ by }) => by !== 'rest');
    const loading = source.load({ ...plan, pieces }, signal)[Symbol.asyncIterator]();
    return new Run(pieces, loading, (loaded) => noteLoaded(series, loaded));
  };

  return {
    async during(series, hole, signal, work) {
      const days = daysIn(series, hole);
      if (days === undefined) return work(NO_DAYS);
      const complain = (error: unknown): void => {
        signal.throwIfAborted();
        say('past days are fetched by REST', { series: seriesKey(series), reason: describe(error) });
      };
      return turns.pass(signal, async () => {
        const run = await open(series, days, signal).catch(complain);
        if (run === undefined) return work(NO_DAYS);
        run.onError = complain;
        try {
          return await work(run);
        } finally {
          await run.close();
        }
      });
    },
  };
}

/** The files of one plan, each once, in order. */
class Run implements PastDays {
  #pieces: readonly Piece[];
  readonly #loading: AsyncIterator<Loaded>;
  readonly #onLoaded: (loaded: Loaded) => void;
  onError: (error: unknown) => void = () => {};

  constructor(pieces: readonly Piece[], loading: AsyncIterator<Loaded>, onLoaded: (loaded: Loaded) => void) {
    this.#pieces = pieces;
    this.#loading = loading;
    this.#onLoaded = onLoaded;
  }

  get from(): number {
    return this.#pieces[0]?.from ?? Number.POSITIVE_INFINITY;
  }

  async next(due: number): Promise<PastDay | undefined> {
    try {
      // REST may have gone on behind a piece when bars were lacking before it.
      while (this.from < due) await this.#take();
      return this.from === due ? dayOf(await this.#take()) : undefined;
    } catch (error) {
      this.#pieces = [];
      this.onError(error);
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#pieces = [];
    await this.#loading.return?.().catch(() => {});
  }

  async #take(): Promise<Loaded | undefined> {
    const { done, value } = await this.#loading.next();
    this.#pieces = done === true ? [] : this.#pieces.slice(1);
    if (done === true) return undefined;
    this.#onLoaded(value);
    return value;
  }
}

/** Undefined when there is no bar in it: then it is REST that says so. */
function dayOf(loaded: Loaded | undefined): PastDay | undefined {
  const candles = loaded?.blocks.flatMap((block) => [...candlesIn(block)]) ?? [];
  if (loaded === undefined || candles.length === 0) return undefined;
  // What could not be asked for is not lacking.
  const unreached = loaded.unreached[0]?.fromOpenTime ?? Number.POSITIVE_INFINITY;
  return {
    candles: candles.filter(({ openTime }) => openTime < unreached),
    to: Math.min(loaded.to, unreached),
  };
}
