import { setImmediate } from 'node:timers/promises';
import { closeTimeOf, openTimeAt } from '../../machines/model/interval.ts';
import { type Candle, type Series, sameValues } from '../../machines/model/kline.ts';
import { misplacement } from '../../machines/model/ledger.ts';
import { klinesRequest, readKlines } from '../binance/rest.ts';
import { ExchangeError } from '../errors.ts';
import type { AuditQuestion, Audits, Instant } from '../pipeline/audits.ts';
import { finalOnly } from '../pipeline/final-only.ts';
import type { RowBuffer } from '../pipeline/row-buffer.ts';
import type { ExchangeClock } from '../transport/exchange-clock.ts';
import { askInBackground, type BackgroundPorts } from './ask-in-background.ts';
import type { RestPort } from './rest-port.ts';

export interface AuditPorts extends BackgroundPorts {
  readonly rest: RestPort;
  readonly exchangeClock: ExchangeClock;
  readonly rows: RowBuffer;
  readonly audits: Audits;
  /** Where each series stood in the store when it was opened. */
  readonly watermarks: () => readonly (Series & { readonly openTime: number })[];
  /** Stored candles of a series behind an open time, oldest first. */
  readonly read: (series: Series, afterOpenTime: number, rowsMax: number) => readonly Candle[];
}

const TICK_MS = 250;
/** At most ten requests a second; at a thousand series and real time it is less than two. */
const SPACING_MS = 100;
/** One row more than is compared: behind it the exchange has gone on, so it is final. */
const NEXT_ROW = 1;
/** A last row that ended so lately may be a copy that lags, and must not replace what is stored, exchange ms. */
const STALE_MS = 5 * 60_000;
/** Bars of one series that an earlier run may have left uncompared. */
const RESUMED_MAX = 500;

/** What an answer of REST says for certain: bars that had ended when it was asked, where they can be. */
export const certain = (candles: readonly Candle[], earliest: number): Candle[] =>
  finalOnly(candles, earliest, STALE_MS).filter((candle) => misplacement(candle, earliest) === undefined);

/**
 * Of an answer about a bar that the stream closed twice, differently: a last row, which alone might be of a copy that
 * lags, counts when it says what one of the closes said.
 */
const certainOf = (question: AuditQuestion, candles: readonly Candle[], earliest: number): Candle[] => {
  const sure = certain(candles, earliest);
  if (!question.isSuspect || sure.length > 0) return sure;
  return finalOnly(candles, earliest, 0).filter(
    (candle) =>
      misplacement(candle, earliest) === undefined &&
      question.claims.some((claim) => claim.openTime === candle.openTime && sameValues(claim, candle)),
  );
};

/** Compares closed bars with REST once more, and corrects those that differ. */
export const auditBarsActor = (ports: AuditPorts) => {
  const { audits, clock, exchangeClock } = ports;
  const at = (): Instant => ({ now: clock.now(), exchangeNow: exchangeClock.now() });
  return askInBackground<AuditQuestion>(ports, {
    tickMs: TICK_MS,
    spacingMs: SPACING_MS,
    complaint: 'closed bars could not be compared with REST',
    begin: (signal) => resume(ports, signal),
    next: () => audits.next(at()),
    ask: async (question, signal) => {
      const { series, bars, rows } = question;
      const sentAt = clock.now();
      const request = klinesRequest(series, bars[0]?.openTime ?? 0, rows + NEXT_ROW);
      const body = await ports.rest.ask({ ...request, priority: 'background' }, signal);
      const told = certainOf(question, readKlines(series, body), exchangeClock.earliestAt(sentAt));
      audits.answered(question, told, at(), (row) => ports.rows.offer(row));
    },
    failed: (question, error) =>
      audits.failed(question, error instanceof ExchangeError && !error.retryable, at()),
  });
};

/** The bars that an earlier run may have left, a series at a time: a thousand of them are read without a stall. */
async function resume({ audits, exchangeClock, ...ports }: AuditPorts, signal: AbortSignal): Promise<void> {
  const exchangeNow = exchangeClock.now();
  const since = exchangeNow - audits.windowMs;
  for (const mark of ports.watermarks()) {
    if (signal.aborted) return;
    if (!(closeTimeOf(mark.interval, mark.openTime) > since)) continue;
    try {
      const before = openTimeAt(mark.interval, since - 1) - 1;
      for (const bar of ports.read(mark, before, RESUMED_MAX)) audits.add(bar, exchangeNow);
    } catch (error) {
      ports.logger.warn('bars of an earlier run are not compared with REST', { error });
      return;
    }
    await setImmediate();
  }
}
