import { fromPromise } from 'xstate';
import type { RepairResult } from '../../machines/kline-stream.types.ts';
import { describe } from '../../machines/model/cleanup.ts';
import { EXCHANGE_UNREACHED } from '../../machines/model/gap-reasons.ts';
import { countBars } from '../../machines/model/interval.ts';
import { type Candle, type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Span } from '../../machines/model/spans.ts';
import { isGone } from '../binance/gone.ts';
import { klinesRequest, readKlines, type VenueRequest } from '../binance/rest.ts';
import { LIMITS } from '../binance/venue.ts';
import { ExchangeError } from '../errors.ts';
import type { Cursor } from '../pipeline/cursor.ts';
import { finalOnly } from '../pipeline/final-only.ts';
import type { HistoryQueue } from '../pipeline/owing.ts';
import type { Clock, Logger } from '../ports.ts';
import type { ExchangeClock } from '../transport/exchange-clock.ts';
import { oddityLog } from './oddities.ts';
import type { PastDays, PastPort } from './past-days.ts';
import { type PourPorts, pourBars } from './pour-bars.ts';
import type { RestPort } from './rest-port.ts';

export interface RepairPorts extends PourPorts {
  readonly rest: RestPort;
  readonly past: PastPort;
  readonly clock: Clock;
  readonly exchangeClock: ExchangeClock;
  readonly logger: Logger;
  /** REST has no bar behind the last one, or does not know the symbol: it may have ended. */
  readonly onLack?: (symbol: string) => void;
}

/** Pages and days of one repair; what is left is the next one's, after the others of the queue had their turn. */
const PAGES_MAX = 20;
const DAYS_MAX = 60;
/** One row more than is missing: the open bar, which comes unmarked as the last. */
const OPEN_ROW = 1;
/** A last row that ended so lately may be a copy that lags: the stream, or the next question, tells, exchange ms. */
const STALE_MS = 15_000;
/** More missing bars than this are history, which must not be in the way of what closes now. */
const LIVE_BARS_MAX = 100;
/** So long bars of the stream wait for a REST that does not answer, wall ms. */
const UNANSWERED_MS = 3 * 60_000;

/** Fetches what is owed to a series, in order. Only bars that had certainly ended when REST was asked count. */
export const repairActor = (ports: RepairPorts) => {
  const warn = oddityLog(ports.logger, ports.clock);
  const queue: HistoryQueue = { movedAt: Number.NEGATIVE_INFINITY };
  return fromPromise<RepairResult, Series>(async ({ input: series, signal }) => {
    const cursor = ports.pipeline.cursor(series);
    if (cursor === undefined) return { owed: 0, taken: 0 };
    try {
      const hole = holeOf(ports, cursor);
      if (isHistory(cursor, hole)) cursor.owing.waitsIn = queue;
      const result = await ports.past.during(series, hole, signal, (days) =>
        repair(ports, cursor, days, signal),
      );
      cursor.owing.unansweredSince = undefined;
      return result;
    } catch (error) {
      if (!signal.aborted) {
        warn('bars that are owed could not be fetched', {
          series: seriesKey(series),
          reason: describe(error),
        });
        giveUpWaiting(ports, cursor);
      }
      throw error;
    } finally {
      cursor.owing.leaveQueue(cursor.due);
      cursor.retell();
    }
  });
};

/**
 * Bars of the stream that wait behind a hole wait for REST, but not without end: then the hole is named, they go on, and
 * what the exchange has of the hole comes later, as a gap that is filled.
 */
function giveUpWaiting({ clock, pipeline }: RepairPorts, cursor: Cursor): void {
  const now = clock.now();
  cursor.owing.unansweredSince ??= now;
  const { due, firstHeld } = cursor;
  if (due === undefined || firstHeld === undefined || firstHeld <= due) return;
  if (now - cursor.owing.unansweredSince >= UNANSWERED_MS)
    pipeline.passOver(cursor, firstHeld, EXCHANGE_UNREACHED);
}

/** What is missing of a series and has certainly ended, or lies before bars that are held. */
function holeOf({ clock, exchangeClock }: RepairPorts, cursor: Cursor): Span {
  const ended = cursor.endedBefore(exchangeClock.earliestAt(clock.now()), 0);
  const to = Math.min(Math.max(ended, cursor.firstHeld ?? 0), cursor.endOpen);
  return { from: cursor.due ?? to, to };
}

async function repair(
  ports: RepairPorts,
  cursor: Cursor,
  days: PastDays,
  signal: AbortSignal,
): Promise<RepairResult> {
  let taken = 0;
  let [pagesLeft, daysLeft] = [PAGES_MAX, DAYS_MAX];
  while (pagesLeft > 0 && daysLeft > 0 && cursor.due !== undefined) {
    const hole = holeOf(ports, cursor);
    // Nothing, or not known: before the first reading of the exchange's time no bar has certainly ended.
    if (!(countBars(cursor.series.interval, hole.from, hole.to) > 0)) break;
    const day = await days.next(cursor.due);
    if (day === undefined) pagesLeft -= 1;
    else daysLeft -= 1;
    const fresh =
      day === undefined
        ? await takePage(ports, cursor, days.from, signal)
        : await pourBars(ports, cursor, day.candles, day.to, signal);
    taken += fresh;
    if (fresh === 0) break;
    if (cursor.owing.waitsIn !== undefined) cursor.owing.waitsIn.movedAt = ports.clock.now();
  }
  // Without the grace: what has ended but may yet come by the stream is not owed.
  return { owed: owedNow(ports, cursor), taken };
}

/** Takes a page of REST from the bar due on, of bars that open before `end`. Returns how many were new. */
async function takePage(
  ports: RepairPorts,
  cursor: Cursor,
  end: number,
  signal: AbortSignal,
): Promise<number> {
  const { clock, exchangeClock, pipeline } = ports;
  const sentAt = clock.now();
  const hole = holeOf(ports, cursor);
  const candles = await fetchFrom(ports, cursor, hole, end, signal);
  if (candles[0] !== undefined) cursor.alignTo(candles[0].openTime);
  // The request may have waited in the queue: what had ended by now is judged by when it left, at the earliest.
  const final = finalOnly(
    candles,
    exchangeClock.earliestAt(sentAt),
    STALE_MS,
    exchangeClock.provenAt(sentAt),
  );
  // What is there and not yet final is not lacking, nor what is not owed yet: REST has the newest bars seconds late.
  const owed = cursor.endedBefore(exchangeClock.earliestAt(sentAt), cursor.graceMs);
  const known = Math.min(owed, end, candles[final.length]?.openTime ?? toldUntil(candles));
  if (candles.length === 0) ports.onLack?.(cursor.series.symbol);
  return isHistory(cursor, hole)
    ? pourBars(ports, cursor, final, known, signal)
    : pipeline.fill(cursor, final, known, exchangeClock.now());
}

/** An answer that is as long as it can be says nothing of what is behind its last bar. */
const toldUntil = (candles: readonly Candle[]): number =>
  candles.length < LIMITS.klinesRowsMax
    ? Number.POSITIVE_INFINITY
    : (candles.at(-1)?.closeTime ?? Number.NaN) + 1;

const isHistory = ({ series }: Cursor, { from, to }: Span): boolean =>
  countBars(series.interval, from, to) > LIVE_BARS_MAX;

/** One page from the bar due on, ascending. @throws {ExchangeError} for a page that is of other bars. */
async function fetchFrom(
  { rest, onLack }: RepairPorts,
  cursor: Cursor,
  { from: due, to }: Span,
  end: number,
  signal: AbortSignal,
): Promise<Candle[]> {
  const { series } = cursor;
  // Behind the end it is somebody else's, and nothing there is open.
  const rows =
    end < to ? countBars(series.interval, due, end) : countBars(series.interval, due, to) + OPEN_ROW;
  const request: VenueRequest = {
    ...klinesRequest(series, due, rows),
    priority: isHistory(cursor, { from: due, to }) ? 'background' : 'live',
  };
  try {
    const candles = readKlines(series, await rest.ask(request, signal));
    const isProgress = candles.every(
      ({ openTime }, index) => openTime >= due && openTime > (candles[index - 1]?.openTime ?? 0),
    );
    if (isProgress) return candles;
    throw new ExchangeError('klines: the answer does not ascend from the time that was asked for', {
      code: 'KLINES_NO_PROGRESS',
      status: 200,
      retryable: true,
    });
  } catch (error) {
    // The symbol has ended, and the exchange has forgotten it: it lacks what is owed.
    if (!isGone(error)) throw error;
    onLack?.(series.symbol);
    if (cursor.endTime < Number.POSITIVE_INFINITY) return [];
    throw error;
  }
}

/** Bars still missing, as far as that can be blamed on a hole and not on a frame under way. */
function owedNow({ clock, exchangeClock }: RepairPorts, cursor: Cursor): number {
  const { due, firstHeld } = cursor;
  const { interval } = cursor.series;
  if (due === undefined) return 0;
  if (firstHeld !== undefined && firstHeld > due) return countBars(interval, due, firstHeld);
  const until = cursor.owedUntil(exchangeClock.now(), clock.now());
  return until === undefined ? 0 : countBars(interval, due, until);
}
